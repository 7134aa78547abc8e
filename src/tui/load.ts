/** Takes the place of main.ts in dist, where the deck is a bundle of its own. */
import { loadBundle } from "../codeCache.ts";
import type { DeckOptions } from "./index.ts";

/** By now what a start needs has been compiled. */
const SETTLED_MS = 3000;

/**
 * V8 compiles and recompiles whatever ran for a while, on threads of its own. A deck draws a few frames a second: for
 * minutes that costs more than it saves.
 */
const COMPILE_LATER = "--interrupt-budget=400000";

export async function runDeck(options: DeckOptions): Promise<number> {
  const { exports, keep } = loadBundle<typeof import("./main.ts")>(`${import.meta.dirname}/deck.cjs`);
  let kept = false;
  const settle = () => {
    if (!kept) keep?.();
    kept = true;
  };
  const settled = setTimeout(() => {
    settle();
    // Not before: V8 takes no code that was compiled with other flags.
    void import("node:v8").then(({ setFlagsFromString }) => setFlagsFromString(COMPILE_LATER));
  }, SETTLED_MS);
  const code = await exports.runDeck(options);
  clearTimeout(settled);
  settle();
  return code;
}
