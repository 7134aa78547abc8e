/** docs/reference.md, from the same rows that checking and completion read. */
import { STANDARD_MACROS } from "./expand/index.ts";
import { AGGREGATIONS } from "./tables/aggregations.ts";
import { BUILTINS } from "./tables/builtins.ts";
import { CONFIG } from "./tables/config.ts";
import { FUNCTIONS } from "./tables/functions.ts";
import { PROBE_TYPES } from "./tables/probeTypes.ts";
import type { FunctionRow } from "./tables/rows.ts";

/** The page as Markdown. */
export function referencePage(): string {
  return [
    "# Reference",
    "",
    "What a script can trace, read, call and set. How scripts are written is in [language.md](language.md).",
    "This page is made from the compiler's tables: `npx vitest run -u src/documentation.test.ts` writes it.",
    "",
    "## Probes",
    "",
    "| probe | short or older names | fires |",
    "| --- | --- | --- |",
    ...PROBE_TYPES.map((row) =>
      line([row.syntax.map(code).join("<br>"), row.aliases.map(code).join(" "), row.help]),
    ),
    "",
    "## Builtins",
    "",
    ...functionTable(BUILTINS),
    "",
    "## Aggregations",
    "",
    "Assigned to maps, and nothing else.",
    "",
    ...functionTable(AGGREGATIONS),
    "",
    "## Functions",
    "",
    ...functionTable(FUNCTIONS),
    "",
    "## Standard macros",
    "",
    ...functionTable(STANDARD_MACROS),
    "",
    "## Settings",
    "",
    "In the `config` block, or in the environment in capitals with `BPFTRACE_` in front, which wins.",
    "",
    "| setting | default | |",
    "| --- | --- | --- |",
    ...CONFIG.map((row) => {
      const choices = row.choices ? ` One of ${row.choices.map(code).join(", ")}.` : "";
      return line([
        code(row.name),
        row.default === undefined ? "" : code(String(row.default)),
        row.help + choices,
      ]);
    }),
    "",
  ].join("\n");
}

type Row = Pick<FunctionRow, "name" | "signatures" | "help"> &
  Partial<Pick<FunctionRow, "aliases" | "unsafe" | "when" | "probes" | "since">>;

function functionTable(rows: readonly Row[]): string[] {
  return [
    "| | |",
    "| --- | --- |",
    ...[...rows]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((row) => line([row.signatures.map(code).join("<br>"), [row.help, ...remarks(row)].join(" ")])),
  ];
}

function remarks(row: Row): string[] {
  const result: string[] = [];
  if (row.aliases?.length) result.push(`Also ${row.aliases.map(code).join(", ")}.`);
  if (row.when === "async") result.push("Carried out in user space, a moment later.");
  if (row.when === "compile-time") result.push("Known before the script runs.");
  if (row.unsafe && !row.help.includes("--unsafe")) result.push("Needs `--unsafe`.");
  if (row.probes) result.push(`In ${row.probes.map(code).join(", ")}.`);
  if (row.since) result.push(`Linux ${row.since.join(".")}.`);
  return result;
}

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

const code = (text: string): string => (text === "" ? '`""`' : `\`${text}\``);
