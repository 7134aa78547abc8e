/** The config block and the environment → Config. The environment wins. */
import type { ConfigBlock } from "../ast.ts";
import type { Diagnostics, Span } from "../diagnostic.ts";
import type { CompileOptions } from "../index.ts";
import type { Kernel } from "../kernel.ts";
import { CONFIG, type ConfigRow, RETIRED_CONFIG } from "../tables/config.ts";
import type { Config } from "../typed.ts";
import { didYouMean } from "./nearest.ts";

const PREFIX = "BPFTRACE_";

function rowNamed(name: string): ConfigRow | undefined {
  const plain = (name.toUpperCase().startsWith(PREFIX) ? name.slice(PREFIX.length) : name).toLowerCase();
  return CONFIG.find((row) => row.name === plain);
}

const BOOLEANS: Readonly<Record<string, boolean>> = { "1": true, true: true, "0": false, false: false };

/** The value as the row wants it, or a sentence on why not. */
function read(row: ConfigRow, value: string | bigint | boolean): { value: unknown } | { problem: string } {
  switch (row.kind) {
    case "integer": {
      const text = String(value).trim();
      if (typeof value === "boolean" || !/^(0x[0-9a-f]+|\d+)$/i.test(text))
        return { problem: `${row.name} is a number, not ${value}` };
      const number = Number(BigInt(text));
      if (!Number.isSafeInteger(number) || number < (row.min ?? 0))
        return { problem: `${row.name} is at least ${row.min ?? 0}, and ${text} is not` };
      return { value: number };
    }
    case "boolean": {
      const found = BOOLEANS[String(value).toLowerCase()];
      return found === undefined
        ? { problem: `${row.name} is true or false, not ${value}` }
        : { value: found };
    }
    case "choice": {
      const found = row.choices!.find((choice) => choice.toLowerCase() === String(value).toLowerCase());
      return found ? { value: found } : { problem: `${row.name} is one of ${row.choices!.join(", ")}` };
    }
    default:
      return { value: String(value) };
  }
}

export function readConfig(
  blocks: readonly ConfigBlock[],
  [major, minor]: Kernel["version"],
  options: CompileOptions,
  report: Diagnostics,
): Config {
  const values: Record<string, unknown> = {};
  const unstable: Record<string, "error" | "warn" | "enable"> = {};
  const store = (row: ConfigRow, value: unknown): void => {
    if (row.key) values[row.key] = value;
    else unstable[row.name] = value as "error" | "warn" | "enable";
  };
  const isBefore = ([other, otherMinor]: readonly [number, number]) =>
    major < other || (major === other && minor < otherMinor);
  for (const row of CONFIG) {
    store(row, row.before && isBefore(row.before.kernel) ? row.before.default : row.default);
  }
  if (blocks.length > 1)
    report.error("config-twice", blocks[1].span, "a script has one config block, this is a second one");
  for (const { entries } of blocks)
    for (const entry of entries) {
      const row = rowNamed(entry.name);
      if (!row) {
        reportUnknown(entry.name, entry.span, report);
        continue;
      }
      const result = read(row, entry.value);
      if ("problem" in result) report.error("config-value", entry.valueSpan, result.problem);
      else store(row, result.value);
    }
  for (const row of CONFIG) {
    const text = options.environment?.[PREFIX + row.name.toUpperCase()];
    if (text === undefined) continue;
    const result = read(row, text);
    if ("problem" in result)
      report.error("config-value", { start: 0, end: 0 }, `in the environment: ${result.problem}`);
    else store(row, result.value);
  }
  if (options.command !== undefined && values.cacheUserSymbols === "PER_PID")
    values.cacheUserSymbols = "PER_PROGRAM";
  return { ...(values as unknown as Config), unstable };
}

function reportUnknown(name: string, span: Span, report: Diagnostics): void {
  const retired = RETIRED_CONFIG[name.toLowerCase().replace(/^bpftrace_/, "")];
  if (retired) report.warning("config-retired", span, `${name} no longer does anything`, { hint: retired });
  else
    report.error("unknown-config", span, `there is no config variable ${name}`, {
      hint: didYouMean(
        name.toLowerCase(),
        CONFIG.map((row) => row.name),
      ),
    });
}
