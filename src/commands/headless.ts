/** Every command that draws nothing. In dist they are a bundle of their own, loaded by loadHeadless.ts. */
import type { Command } from "./command.ts";

export const HEADLESS = {
  run: (): Promise<Command> => import("./run.ts"),
  check: (): Promise<Command> => import("./check.ts"),
  list: (): Promise<Command> => import("./list.ts"),
  info: (): Promise<Command> => import("./info.ts"),
  engine: (): Promise<Command> => import("./engine.ts"),
};
