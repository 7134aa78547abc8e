/** Takes the place of headless.ts in dist. */
import { loadBundle, settling } from "../codeCache.ts";
import type { Command } from "./command.ts";

type Headless = typeof import("./headless.ts");
type Name = keyof Headless["HEADLESS"];

/** Commands that use most of the bundle, what they had compiled serving all others, and that run for hours. */
const TYPICAL: ReadonlySet<Name> = new Set(["run", "engine"]);

async function load(name: Name): Promise<Command> {
  const { exports, keep } = loadBundle<Headless>(`${import.meta.dirname}/headless.cjs`);
  const command = await exports.HEADLESS[name]();
  if (!TYPICAL.has(name)) return command;
  return { main: (args) => settling(() => command.main(args), keep) };
}

export const HEADLESS: Headless["HEADLESS"] = {
  run: () => load("run"),
  check: () => load("check"),
  list: () => load("list"),
  info: () => load("info"),
  engine: () => load("engine"),
};
