/**
 * Command-line options as rows: name, letter, value, help. One table per command drives parsing, help and "did you mean".
 * Node's own parser reads the arguments (a package for it would cost more start-up time than tracing a first event).
 */
import { nearest } from "../engine/compile/check/nearest.ts";

const { parseArgs } = process.getBuiltinModule("node:util");

export interface OptionRow {
  /** Long name; of one letter when there is only a short one. */
  name: string;
  short?: string;
  /** Name of its value in help; absent for a switch. */
  value?: string;
  help: string;
  /** May be given several times. */
  many?: boolean;
}

export interface ParsedOptions {
  values: Record<string, string | true | string[] | undefined>;
  positionals: string[];
  /** What follows `--`. */
  rest: string[];
}

/** Wrong arguments: a sentence for the user, and the command whose help tells more. */
export class UsageError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = "UsageError";
    this.hint = hint;
  }
}

const spelled = (row: OptionRow): string => (row.name.length === 1 ? `-${row.name}` : `--${row.name}`);

function unknownOption(raw: string, rows: readonly OptionRow[]): UsageError {
  const names = rows.flatMap((row) => [row.name, ...(row.short ? [row.short] : [])]);
  const name = raw.replace(/^-+/, "").split("=")[0];
  const [close] = raw.startsWith("--")
    ? nearest(
        name,
        names.filter((n) => n.length > 1),
      )
    : [];
  return new UsageError(
    `unknown option '${raw}'`,
    close ? `did you mean '--${close}'?` : "options of the script itself go after '--'",
  );
}

/** Reads arguments by a table of options. Throws UsageError. */
export function parseOptions(args: readonly string[], rows: readonly OptionRow[]): ParsedOptions {
  const config = Object.fromEntries(
    rows.map((row) => {
      const short = row.short ?? (row.name.length === 1 ? row.name : undefined);
      return [
        row.name,
        { type: row.value ? ("string" as const) : ("boolean" as const), multiple: row.many ?? false, short },
      ];
    }),
  );
  for (const row of Object.values(config)) if (row.short === undefined) delete row.short;
  const { tokens } = parseArgs({
    args: [...args],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const parsed: ParsedOptions = { values: {}, positionals: [], rest: [] };
  let terminated = false;
  for (const token of tokens) {
    if (token.kind === "option-terminator") terminated = true;
    else if (token.kind === "positional") (terminated ? parsed.rest : parsed.positionals).push(token.value);
    else {
      const row = rows.find(({ name }) => name === token.name);
      if (!row) throw unknownOption(token.rawName, rows);
      if (row.value && token.value === undefined) {
        throw new UsageError(
          `option '${token.rawName}' needs a value`,
          `${spelled(row)} ${row.value}: ${row.help}`,
        );
      }
      if (!row.value && token.value !== undefined) {
        throw new UsageError(`option '${token.rawName}' takes no value`);
      }
      if (row.many) {
        parsed.values[row.name] = [...((parsed.values[row.name] as string[]) ?? []), token.value!];
      } else {
        parsed.values[row.name] = token.value ?? true;
      }
    }
  }
  return parsed;
}

/** A command's help. */
export function usageText(
  usage: readonly string[],
  about: string,
  rows: readonly OptionRow[],
  notes = "",
): string {
  const left = rows.map((row) => {
    const letter = row.short ? `-${row.short}, ` : "";
    return `  ${letter}${spelled(row)}${row.value ? ` ${row.value}` : ""}`;
  });
  const column = Math.min(30, Math.max(...left.map((text) => text.length)) + 2);
  const lines = rows.map((row, i) =>
    left[i].length < column - 1
      ? left[i].padEnd(column) + row.help
      : `${left[i]}\n${" ".repeat(column)}${row.help}`,
  );
  return `${about}\n\nUsage:\n${usage.map((line) => `  ${line}\n`).join("")}\nOptions:\n${lines.join("\n")}\n${notes && `\n${notes}\n`}`;
}

export const HELP: OptionRow = { name: "help", short: "h", help: "show this help" };
