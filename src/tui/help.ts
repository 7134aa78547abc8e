/** The rows of the help screen, made from the key tables: those of the focused pane first. */
import { chordLabel } from "../panes/key.ts";
import { COMMANDS } from "./commands.ts";
import { DECK_KEYS } from "./keys.ts";
import { type DeckState, focusedSlot } from "./state.ts";

export interface HelpRow {
  section: string;
  keys: string;
  help: string;
  /** For the command line; rows that need an argument end in a space. */
  command: string;
  /** False: does not apply now. */
  applies: boolean;
}

/** "1 … 9" instead of nine keys. */
export function keysLabel(keys: readonly string[], unicode: boolean): string {
  const labels = keys.map((chord) => chordLabel(chord, unicode));
  const text = labels.join(" ");
  return text
    .replace("1 2 3 4 5 6 7 8 9", unicode ? "1…9" : "1-9")
    .replace("Alt-1 Alt-2 Alt-3 Alt-4 Alt-5 Alt-6 Alt-7 Alt-8 Alt-9", unicode ? "Alt-1…9" : "Alt-1-9");
}

export function helpRows(state: DeckState, unicode: boolean): HelpRow[] {
  const rows: HelpRow[] = [];
  const focused = focusedSlot(state);
  const kinds = new Set<string>();
  const slots = focused ? [focused, ...state.slots.filter((slot) => slot !== focused)] : state.slots;
  const paneRows = slots.flatMap(({ kind, pane, state: paneState }) => {
    if (kinds.has(kind)) return [];
    kinds.add(kind);
    return pane.keys.map((row) => ({
      section: kind,
      keys: keysLabel(row.keys, unicode),
      help: row.help,
      command: row.command,
      applies: row.when?.(paneState) ?? true,
    }));
  });
  rows.push(...paneRows.filter(({ section }) => section === focused?.kind));
  for (const row of DECK_KEYS) {
    rows.push({
      section: "deck",
      keys: keysLabel(row.keys, unicode),
      help: row.help,
      command: row.command,
      applies: row.when?.(state) ?? true,
    });
  }
  for (const { name, argument, help } of COMMANDS) {
    rows.push({
      section: "command",
      keys: `:${name}${argument === "" ? "" : ` ${argument}`}`,
      help,
      command: argument === "" ? name : `${name} `,
      applies: true,
    });
  }
  rows.push(...paneRows.filter(({ section }) => section !== focused?.kind));
  return rows;
}

/** Every word of the filter must be in the row, in any order. */
export function filterHelp(rows: readonly HelpRow[], filter: string): HelpRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(({ section, keys, help, command }) => {
    const text = `${section} ${keys} ${help} ${command}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
