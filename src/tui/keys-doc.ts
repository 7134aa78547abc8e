/** docs/keys.md, made from the same tables that the handler uses: `node scripts/docs-keys.mjs` writes it. */
import { panes } from "../panes/index.ts";
import type { AnyPane } from "../panes/pane.ts";
import { COMMANDS } from "./commands.ts";
import { keysLabel } from "./help.ts";
import { DECK_KEYS } from "./keys.ts";

const code = (text: string) => (text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``);
const cell = (text: string) => text.replaceAll("|", "\\|");

function table(head: [string, string, string], rows: [string, string, string][]): string {
  const lines = [head, ["---", "---", "---"], ...rows.map((row) => row.map(cell))];
  return lines.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function keyRows(keys: readonly { keys: string[]; help: string; command: string }[]): string {
  return table(
    ["keys", "what", "command"],
    keys.map((row) => [
      keysLabel(row.keys, true).split(" ").map(code).join(" "),
      row.help,
      code(row.command),
    ]),
  );
}

export function keysMarkdown(): string {
  const parts = [
    "# Keys and commands",
    "This file is made from the key tables in `src/tui/keys.ts`, `src/tui/commands.ts` and `src/panes/*/keys.ts` by " +
      "`node scripts/docs-keys.mjs`. In the deck, `?` shows the same, with what applies at the moment.",
    "Every row has a command name that the command line (`:`) runs too. While text is being typed (in the editor, in a " +
      "search), keys that type text do so; everything with Ctrl or Alt, Tab, Esc and the function keys keep their meaning.",
    "## Everywhere",
    keyRows(DECK_KEYS),
    "## The command line",
    table(
      ["command", "what", "argument"],
      COMMANDS.map(({ name, argument, help }) => [code(`:${name}`), help, argument ? code(argument) : ""]),
    ),
  ];
  for (const pane of Object.values(panes) as AnyPane[]) {
    parts.push(`## ${pane.kind[0].toUpperCase()}${pane.kind.slice(1)}`, pane.about, keyRows(pane.keys));
  }
  return `${parts.join("\n\n")}\n`;
}
