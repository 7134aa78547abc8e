/** Takes the place of main.ts in dist, where the deck is a bundle of its own. */
import { loadBundle, settling } from "../codeCache.ts";
import type { DeckOptions } from "./index.ts";

export function runDeck(options: DeckOptions): Promise<number> {
  const { exports, keep } = loadBundle<typeof import("./main.ts")>(`${import.meta.dirname}/deck.cjs`);
  return settling(() => exports.runDeck(options), keep);
}
