/** Takes the place of main.ts in dist, where the deck is a bundle of its own. */
import { loadBundle } from "../codeCache.ts";
import type { DeckOptions } from "./index.ts";

const KEEP_AFTER_MS = 3000;

export async function runDeck(options: DeckOptions): Promise<number> {
  const { exports, keep } = loadBundle<typeof import("./main.ts")>(`${import.meta.dirname}/deck.cjs`);
  if (!keep) return exports.runDeck(options);
  setTimeout(keep, KEEP_AFTER_MS).unref();
  const code = await exports.runDeck(options);
  keep();
  return code;
}
