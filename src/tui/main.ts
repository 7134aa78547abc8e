/** The deck's main program. Loaded after the skeleton is on the screen. */
import type { DeckOptions } from "./index.ts";
import { mountDeck } from "./mount.tsx";

/** Opens the deck; resolves to the exit code when it was left. */
export function runDeck({ file, run, maxOverhead, lazy }: DeckOptions): Promise<number> {
  let script: { source: string; name?: string } | undefined;
  const { store, left, fail } = mountDeck(lazy, (saved) => {
    if (saved.script) script = { source: saved.script, name: saved.scriptName || undefined };
    saved.maxOverhead = maxOverhead ?? saved.maxOverhead;
    // Somebody who has no script yet starts with the bundled ones.
    if (file !== undefined) saved.focus = "editor";
    else if (!script) saved.focus = "library";
  });
  // In the same turn: no key comes before the script that it is typed into.
  store.connect();
  if (file !== undefined) store.openFile(file, run);
  else if (script) store.dispatch({ type: "open", ...script, focus: false });
  // What the first frame does not need.
  setImmediate(() => {
    lazy.library().then((scripts) => store.dispatch({ type: "library", scripts }), fail);
  });
  return left;
}
