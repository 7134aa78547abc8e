/** Takes the place of headless.ts in dist. */
import { loadBundle } from "../codeCache.ts";
import type { Command } from "./command.ts";

type Headless = typeof import("./headless.ts");
type Name = keyof Headless["HEADLESS"];

/** Commands that use most of the bundle: what they had compiled serves all others. */
const TYPICAL: ReadonlySet<Name> = new Set(["run", "engine"]);
const KEEP_AFTER_MS = 3000;

async function load(name: Name): Promise<Command> {
  const { exports, keep } = loadBundle<Headless>(`${import.meta.dirname}/headless.cjs`);
  const command = await exports.HEADLESS[name]();
  if (!keep || !TYPICAL.has(name)) return command;
  setTimeout(keep, KEEP_AFTER_MS).unref();
  return {
    main: async (args) => {
      const code = await command.main(args);
      keep();
      return code;
    },
  };
}

export const HEADLESS: Headless["HEADLESS"] = {
  run: () => load("run"),
  check: () => load("check"),
  list: () => load("list"),
  info: () => load("info"),
  engine: () => load("engine"),
};
