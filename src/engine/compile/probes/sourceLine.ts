/** uprobe:BINARY@FILE:LINE[:COLUMN]: the instructions at which a source line begins, as the program's debug info has them. */
import { someOf } from "../check/nearest.ts";
import { missingHint } from "../check/program.ts";
import type { SourcePlaces, UserBinary, UserDebugInfo } from "../kernel.ts";
import type { Probe } from "../typed.ts";
import { type ProbeRequest, parseInteger, probe, wrongShape } from "./request.ts";
import { shownPath } from "./shownPath.ts";

export interface SourceSpec {
  /** "": the program of -p or -c. */
  binary: string;
  file: string;
  line: number;
  column: number | undefined;
}

export const SOURCE_LINE = "uprobe:BINARY@FILE:LINE or uprobe:BINARY@FILE:LINE:COLUMN";

/** Lines and columns count from 1. */
function numberOf(text: string | undefined): number | undefined {
  const number = text === undefined ? undefined : parseInteger(text);
  return number === undefined || number < 1n || number > 999_999_999n ? undefined : Number(number);
}

/** Whether a spec's parts name a source line. */
export const isSourceLine = (parts: readonly string[]): boolean =>
  parts[0]?.includes("@") && numberOf(parts[1]) !== undefined;

/** The parts of BINARY@FILE:LINE[:COLUMN]; undefined, and reported: something is missing or too much. */
export function readSourceLine(request: ProbeRequest, parts: readonly string[]): SourceSpec | undefined {
  const at = parts[0].lastIndexOf("@");
  const binary = parts[0].slice(0, at);
  const { pid, command } = request.options;
  const isNamed = binary !== "" || pid !== undefined || command !== undefined;
  const file = parts[0].slice(at + 1);
  const line = numberOf(parts[1]);
  const column = numberOf(parts[2]);
  const isColumn = parts.length === 2 || column !== undefined;
  if (!isNamed || !file || line === undefined || parts.length > 3 || !isColumn) {
    wrongShape(request, SOURCE_LINE);
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
  return { binary, file, line, column };
}

/** `lenient`: a pattern found the binaries, and not all of them need have the line. */
export function expandSourceLine(
  request: ProbeRequest,
  binaries: readonly UserBinary[],
  spec: SourceSpec,
  lenient: boolean,
): Probe[] {
  if (!lenient) return binaries.flatMap((binary) => inBinary(request, binary, spec));
  const silent: ProbeRequest = { ...request, missing: () => {} };
  const found = binaries.flatMap((binary) => inBinary(silent, binary, spec));
  if (found.length === 0 && binaries.length > 0)
    request.missing(
      "unknown-line",
      `none of the ${binaries.length} programs and libraries has code of ${placeOf(spec)}`,
      "only files compiled with -g are known",
    );
  return found;
}

const placeOf = ({ file, line, column }: SourceSpec): string =>
  `${file}:${line}${column === undefined ? "" : `:${column}`}`;

function inBinary(request: ProbeRequest, binary: UserBinary, spec: SourceSpec): Probe[] {
  const place = placeOf(spec);
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
    const inside = holder?.offset === offset ? {} : { inside: true as const };
    // Places of one line are told apart by what they are in.
    const number = found.offsets.length > 1 ? `#${i + 1}` : "";
    return probe(request, `uprobe:${shownPath(spec.binary, binary.path)}@${place}${number}`, {
      kind: "uprobe",
      path: binary.path,
      symbol,
      offset,
      return: false,
      ...inside,
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
