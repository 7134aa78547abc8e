/** The command line: commands that take an argument, and every row of the key tables by its name. */

import { parseShare } from "../share.ts";
import { DECK_KEYS, runPaneCommand, setGuard, setInterval } from "./keys.ts";
import type { DeckState, DeckUpdate } from "./state.ts";
import { THEME_NAMES } from "./theme.ts";
import { done, focusOn, startRun, stopRun } from "./update.ts";

export interface Command {
  name: string;
  /** What follows the name, for the help: "MILLISECONDS". */
  argument: string;
  help: string;
  /** What the argument may be, for completion. */
  choices?(state: DeckState): string[];
  run(state: DeckState, argument: string): DeckUpdate;
}

function told(state: DeckState, text: string, level: "info" | "error" = "error"): DeckUpdate {
  return done({ ...state, message: { text, level } });
}

/** "500", "500ms", "2s" → milliseconds. */
export function parseInterval(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|)$/.exec(text.trim());
  if (!match) return undefined;
  const milliseconds = Number(match[1]) * (match[2] === "s" ? 1000 : 1);
  return milliseconds > 0 ? milliseconds : undefined;
}

export const COMMANDS: Command[] = [
  {
    name: "open",
    argument: "FILE",
    help: "read a script into the editor",
    run: (state, path) =>
      path === ""
        ? told(state, "open what? :open FILE")
        : done(state, { type: "read-file", path, run: false }),
  },
  {
    name: "save",
    argument: "FILE",
    help: "write the script that ran last to a file",
    run: (state, path) => {
      if (path === "") return told(state, "save where? :save FILE");
      const text = state.run.source;
      return text === "" ? told(state, "no script ran yet") : done(state, { type: "write-file", path, text });
    },
  },
  {
    name: "script",
    argument: "NAME [--OPTION=VALUE …]",
    help: "run a bundled script",
    choices: (state) => state.library.map(({ name }) => name),
    run: (state, argument) => {
      const [name, ...rest] = argument.split(/\s+/);
      const script = state.library.find((it) => it.name === name);
      if (!script) return told(state, `no bundled script is called ${name || "that"}`);
      const named: Record<string, string | true> = {};
      for (const word of rest) {
        const match = /^(?:--)?([\w-]+)(?:=(.*))?$/.exec(word);
        if (!match) return told(state, `${word} is not an option: --NAME=VALUE`);
        named[match[1]] = match[2] ?? true;
      }
      return startRun(state, script.source, script.name, { named }, true);
    },
  },
  {
    name: "stop",
    argument: "",
    help: "stop the script; its last picture stays",
    run: stopRun,
  },
  {
    name: "interval",
    argument: "TIME",
    help: "how often to look at the maps: 500ms, 2s",
    choices: () => ["100ms", "500ms", "1s", "2s", "5s", "10s"],
    run: (state, argument) => {
      const milliseconds = parseInterval(argument);
      return milliseconds ? setInterval(state, milliseconds) : told(state, "a time, like 500ms or 2s");
    },
  },
  {
    name: "guard",
    argument: "SHARE|off",
    help: "stop a script that takes more than this share of all CPUs' time: 5%",
    choices: () => ["1%", "2%", "5%", "10%", "off"],
    run: (state, argument) => {
      const share = argument === "off" ? 0 : parseShare(argument);
      if (share === undefined) return told(state, "a share of all CPUs' time above 0, like 5%, or off");
      return setGuard(state, share);
    },
  },
  {
    name: "focus",
    argument: "PANE",
    help: "focus a pane by its name",
    choices: (state) => state.slots.map(({ id }) => id),
    run: (state, argument) => {
      const slot =
        state.slots.find(({ id }) => id === argument) ?? state.slots.find(({ kind }) => kind === argument);
      return slot ? done(focusOn(state, slot.id)) : told(state, `no pane is called ${argument || "that"}`);
    },
  },
  {
    name: "theme",
    argument: THEME_NAMES.join("|"),
    help: "choose the theme",
    choices: () => THEME_NAMES,
    run: (state, argument) => {
      const theme = THEME_NAMES.find((name) => name === argument);
      if (!theme) return told(state, `themes: ${THEME_NAMES.join(", ")}`);
      return done({ ...state, theme }, { type: "redraw" }, { type: "save", settings: { theme } });
    },
  },
  {
    name: "mouse",
    argument: "on|off",
    help: "wheel and clicks; off by default so that selecting text works",
    choices: () => ["on", "off"],
    run: (state, argument) => {
      if (argument !== "on" && argument !== "off") return told(state, "mouse on, or mouse off");
      const on = argument === "on";
      return done(state, { type: "mouse", on }, { type: "save", settings: { mouse: on } });
    },
  },
  {
    name: "sudo",
    argument: "",
    help: "start the engine anew through sudo (asks for the password outside the deck)",
    run: (state) => done(state, { type: "restart-engine", sudo: true }),
  },
  {
    name: "restart",
    argument: "",
    help: "start the engine anew",
    run: (state) => done(state, { type: "restart-engine", sudo: false }),
  },
];

/** Names that the command line knows now, without arguments. */
export function commandNames(state: DeckState): string[] {
  const names = [
    ...COMMANDS.map(({ name }) => name),
    ...DECK_KEYS.filter(({ command }) => command !== "pane.number").map(({ command }) => command),
    ...state.slots.flatMap(({ pane }) => pane.keys.map(({ command }) => command)),
  ];
  return [...new Set(names)];
}

/** All whole lines that `text` may become. */
export function completions(state: DeckState, text: string): string[] {
  const space = text.indexOf(" ");
  if (space < 0) return commandNames(state).filter((name) => name.startsWith(text));
  const name = text.slice(0, space);
  const argument = text.slice(space + 1);
  const choices = COMMANDS.find((command) => command.name === name)?.choices?.(state) ?? [];
  return choices.filter((choice) => choice.startsWith(argument)).map((choice) => `${name} ${choice}`);
}

export function runCommand(state: DeckState, line: string): DeckUpdate {
  const text = line.trim();
  if (text === "") return done(state);
  const [, name, argument] = /^(\S+)\s*(.*)$/.exec(text)!;
  const command = COMMANDS.find((it) => it.name === name);
  if (command) return command.run(state, argument.trim());
  const row = DECK_KEYS.find((it) => it.command === name);
  if (row) {
    const key = { name: argument.trim(), ctrl: false, alt: false, shift: false, text: "" };
    return (row.when?.(state) ?? true) ? row.run(state, key) : told(state, `${name} does not apply now`);
  }
  const focused = state.slots.find(({ id }) => id === state.focus);
  const slots = focused ? [focused, ...state.slots.filter((slot) => slot !== focused)] : state.slots;
  const slot = slots.find(({ pane }) => pane.keys.some((it) => it.command === name));
  if (slot) return runPaneCommand(state, slot, name);
  return told(state, `no command is called ${name}; ? lists them`);
}
