/** uprobe:BINARY@FILE:LINE[:COLUMN]: the instructions at which a source line begins, as the program's debug info has them. */
import { someOf } from "../check/nearest.ts";
import { missingHint } from "../check/program.ts";
import type { SourcePlaces, UserBinary, UserDebugInfo } from "../kernel.ts";
import type { Probe } from "../typed.ts";
import { type ProbeRequest, probe, wrongShape } from "./request.ts";

export interface SourceSpec {
  /** "": the program of -p or -c. */
  binary: string;
  file: string;
  line: number;
  column: number | undefined;
}

const NUMBER = /^[1-9]\d{0,8}$/;

/** Whether a spec's parts name a source line. */
export const isSourceLine = (parts: readonly string[]): boolean =>
  parts[0]?.includes("@") && NUMBER.test(parts[1] ?? "");

/** The parts of BINARY@FILE:LINE[:COLUMN]; undefined, and reported: something is missing or too much. */
export function readSourceLine(request: ProbeRequest, parts: readonly string[]): SourceSpec | undefined {
  const at = parts[0].lastIndexOf("@");
  const binary = parts[0].slice(0, at);
  const { pid, command } = request.options;
  const isNamed = binary !== "" || pid !== undefined || command !== undefined;
  const file = parts[0].slice(at + 1);
  const [, line, column] = parts;
  if (!isNamed || !file || parts.length > 3 || (column !== undefined && !NUMBER.test(column))) {
    wrongShape(request, "uprobe:BINARY@FILE:LINE or uprobe:BINARY@FILE:LINE:COLUMN");
    return undefined;
  }
  if (request.type !== "uprobe") {
    request.report.error(
      "probe-syntax",
      request.span,
      "only a function can be traced on its return, not a line",
      {
        hint: `uprobe:${parts.join(":")} attaches to the line`,
      },
    );
    return undefined;
  }
  return { binary, file, line: Number(line), column: column === undefined ? undefined : Number(column) };
}

export function expandSourceLine(request: ProbeRequest, binary: UserBinary, spec: SourceSpec): Probe[] {
  const place = `${spec.file}:${spec.line}${spec.column === undefined ? "" : `:${spec.column}`}`;
  const found = lookUp(request, binary, spec);
  if (!found) return [];
  if (found.kind !== "found") {
    const [message, hint] = explain(found, place, spec, binary.path);
    request.missing("unknown-line", message, hint);
    return [];
  }
  const symbols = binary.symbols();
  return found.offsets.map((offset, i) => {
    const holder = symbols.find((s) => offset >= s.offset && offset < s.offset + Math.max(1, s.size));
    const symbol = holder?.name ?? "";
    // Places of one line are told apart by what they are in.
    const number = found.offsets.length > 1 ? `#${i + 1}` : "";
    return probe(request, `uprobe:${binary.path}@${place}${number}`, {
      kind: "uprobe",
      path: binary.path,
      symbol,
      offset,
      return: false,
    });
  });
}

/** For a function that has no symbol: where it is when it was inlined. */
export function inlinedHint(binary: UserBinary, name: string): string | undefined {
  try {
    const info = binary.debugInfo?.();
    const found = info && !("tried" in info) ? info.inlinedFunction(name) : undefined;
    return (
      found &&
      `it is inlined wherever it is called: uprobe:${binary.path}@${found.path}:${found.line} attaches to its code`
    );
  } catch {
    return undefined;
  }
}

function lookUp(request: ProbeRequest, binary: UserBinary, spec: SourceSpec): SourcePlaces | undefined {
  const fail = (message: string, hint?: string) => {
    request.missing("no-debug-info", message, hint);
    return undefined;
  };
  try {
    const info = binary.debugInfo?.();
    if (!info) return fail(`the debug info of ${binary.path} is not known here`);
    if ("tried" in info)
      return fail(
        `${binary.path} has no debug info, so its source lines are not known`,
        missingHint(binary.path, info),
      );
    return (info as UserDebugInfo).line(spec.file, spec.line, spec.column);
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function explain(
  found: Exclude<SourcePlaces, { kind: "found" }>,
  place: string,
  { file, line, column }: SourceSpec,
  path: string,
): [message: string, hint?: string] {
  switch (found.kind) {
    case "ambiguous":
      return [`${file} may be one of several source files of ${path}`, `name one: ${someOf(found.paths, 6)}`];
    case "no-file":
      return [
        `no source file of ${path} is called ${file}`,
        found.similar.length
          ? `there is ${someOf(found.similar, 6)}`
          : "only files compiled with -g are known",
      ];
    case "no-code":
      return [
        column !== undefined && found.nearest.includes(line)
          ? `line ${line} of ${found.path} has code, but no statement at column ${column}`
          : `${place} has no code: it is a comment, a declaration or was optimised away`,
        found.nearest.length
          ? `the nearest lines with code are ${found.nearest.map((n) => `${file}:${n}`).join(" and ")}`
          : `${found.path} has no code in this program`,
      ];
  }
}
