/** uprobe and uretprobe: functions of programs and libraries. */
import { someOf } from "../check/nearest.ts";
import type { UserBinary, UserSymbol } from "../kernel.ts";
import type { Probe } from "../typed.ts";
import { NO_MATCH, type ProbeRequest, parseInteger, probe, wrongShape } from "./request.ts";
import { shownPath } from "./shownPath.ts";
import { expandSourceLine, inlinedHint, isSourceLine, readSourceLine, SOURCE_LINE } from "./sourceLine.ts";
import { functionsOf, isLanguage, LANGUAGES, type NameLanguage, nearMatches } from "./userSymbols.ts";
import { hasWildcard } from "./wildcard.ts";

/** What is found; undefined: it can't be looked for, as when the process of -p has ended, which is reported. */
export function lookedFor(
  request: ProbeRequest,
  what: string,
  find: () => readonly UserBinary[],
): readonly UserBinary[] | undefined {
  try {
    return find();
  } catch (error) {
    request.missing("unknown-binary", `${what} can't be looked for: ${(error as Error).message}`);
    return undefined;
  }
}

/** The binaries that a path, a library's name or a wildcard means; reports when there are none. */
export function binaries(request: ProbeRequest, pattern: string): readonly UserBinary[] {
  const { kernel, options } = request;
  const found = lookedFor(request, pattern, () => kernel.binaries(pattern, options.pid));
  if (!found) return [];
  if (found.length > 0) return found;
  const problem = hasWildcard(pattern) ? undefined : kernel.whyNoBinary?.(pattern, options.pid);
  if (problem) request.missing("unknown-binary", problem.message, problem.hint);
  else if (hasWildcard(pattern))
    request.missing("unknown-binary", `no program or library matches ${pattern}`, "is the path right?");
  else request.missing("unknown-binary", `there is no program or library ${pattern}`);
  return found;
}

interface Wanted {
  /** "": the program of -p or -c itself; "*": all that it has mapped. */
  target: string;
  language?: NameLanguage;
  /** A name, a wildcard, NAME+OFFSET or an address. */
  place: string;
}

function wantedOf({ parts, options }: ProbeRequest): Wanted | undefined {
  const ofProcess = options.pid !== undefined || options.command !== undefined;
  const [first, second, third] = parts;
  if (parts.length === 1 && ofProcess && first) return { target: "", place: first };
  if (parts.length === 2 && ofProcess && isLanguage(first) && second)
    return { target: "", language: first, place: second };
  if (parts.length === 2 && (first || ofProcess) && second) return { target: first, place: second };
  if (parts.length === 3 && first && third && isLanguage(second))
    return { target: first, language: second, place: third };
  return undefined;
}

/** Where to look, and whether a binary may be without a match. */
function placesOf(request: ProbeRequest, target: string): { found: readonly UserBinary[]; lenient: boolean } {
  const { kernel, options } = request;
  if (target !== "" && target !== "*")
    return { found: binaries(request, target), lenient: hasWildcard(target) };
  if (options.command !== undefined) {
    const all = kernel.commandBinaries(options.command);
    if (all.length === 0)
      request.missing(
        "unknown-binary",
        `which program '${options.command}' runs can't be told`,
        "name the program or library in the probe",
      );
    return { found: target === "*" ? all : all.slice(0, 1), lenient: target === "*" };
  }
  if (target === "*") {
    const find = () => kernel.mappedBinaries(options.pid);
    return { found: lookedFor(request, "programs and libraries", find) ?? [], lenient: true };
  }
  return { found: binaries(request, `/proc/${options.pid}/exe`), lenient: false };
}

export function expandUprobe(request: ProbeRequest): Probe[] {
  const { type, parts } = request;
  if (isSourceLine(parts)) {
    const spec = readSourceLine(request, parts);
    if (!spec) return [];
    const { found, lenient } = placesOf(request, spec.binary);
    return expandSourceLine(request, found, spec, lenient);
  }
  const wanted = wantedOf(request);
  if (!wanted || lacksLine(request)) return misshapen(request);
  const { found, lenient } = placesOf(request, wanted.target);
  if (found.length === 0) return [];
  const probes = found.flatMap((binary) => inBinary(request, binary, wanted, lenient));
  if (probes.length === 0 && lenient)
    request.missing(
      NO_MATCH,
      `no function of ${found.length === 1 ? found[0].path : `${found.length} programs and libraries`} matches ${wanted.place}`,
      `list what there is: tracedeck list '${type}:${wanted.target || "BINARY"}:*'`,
    );
  return probes;
}

/** BINARY@FILE without the number of a line; "@" may be a part of a file's name. */
const lacksLine = ({ kernel, parts, options }: ProbeRequest): boolean =>
  parts.length > 1 && parts[0].includes("@") && kernel.binaries(parts[0], options.pid).length === 0;

function misshapen(request: ProbeRequest): Probe[] {
  const { parts, type, report, span } = request;
  if (parts[0]?.includes("@")) return wrongShape(request, SOURCE_LINE);
  if (parts.length === 3 && /^\d+$/.test(parts[2]) && parts[1].includes(".")) {
    report.error("probe-syntax", span, "the file of a source line stands behind an @", {
      hint: `${type}:${parts[0]}@${parts[1]}:${parts[2]}`,
    });
    return [];
  }
  if (parts.length === 3 && parts.every(Boolean)) {
    report.error("probe-syntax", span, `'${parts[1]}' is no language of names`, {
      hint: `there is ${LANGUAGES.join(" and ")}, as in ${type}:${parts[0]}:cpp:"ns::function"`,
    });
    return [];
  }
  if (parts.length > 3) {
    report.error("probe-syntax", span, `a name with colons is to be quoted`, {
      hint: `${type}:${parts[0]}:cpp:"${parts.slice(parts[1] === "cpp" ? 2 : 1).join(":")}"`,
    });
    return [];
  }
  return wrongShape(request, `${type}:BINARY:FUNCTION, for example ${type}:libc:malloc`);
}

function inBinary(request: ProbeRequest, binary: UserBinary, wanted: Wanted, lenient: boolean): Probe[] {
  if (lenient) {
    // Of many files some are not what they seem: those are passed over.
    try {
      return probesOf(request, binary, wanted, true);
    } catch {
      return [];
    }
  }
  try {
    return probesOf(request, binary, wanted, false);
  } catch (error) {
    const why = (error as Error).message.replace(`${binary.path}: `, "");
    request.missing("unknown-binary", `${binary.path} can't be traced: ${why}`);
    return [];
  }
}

/** `within`: bytes into the function; into the file where there is none. */
const make = (
  { type, ...request }: ProbeRequest,
  binary: UserBinary,
  { target, language }: Wanted,
  symbol: UserSymbol | undefined,
  within: number,
  shown: string,
): Probe =>
  probe(
    { type, ...request },
    [type, shownPath(target, binary.path), ...(language ? [language] : []), shown].join(":"),
    {
      kind: "uprobe",
      path: binary.path,
      symbol: symbol?.name ?? "",
      offset: (symbol?.offset ?? 0) + within,
      return: type === "uretprobe",
      ...(symbol && within === 0 ? {} : { inside: true }),
    },
  );

function probesOf(request: ProbeRequest, binary: UserBinary, wanted: Wanted, lenient: boolean): Probe[] {
  const { type, report, span } = request;
  const isReturn = type === "uretprobe";
  if (refusesReturns(request, binary, lenient)) return [];
  const address = wanted.language ? undefined : parseInteger(wanted.place);
  if (address !== undefined) return atAddress(request, binary, wanted, Number(address));
  const plus = wanted.language ? -1 : wanted.place.indexOf("+");
  const name = plus > 0 ? wanted.place.slice(0, plus) : wanted.place;
  const written = plus > 0 ? wanted.place.slice(plus + 1) : "0";
  const offset = parseInteger(written);
  if (offset === undefined) {
    report.error("probe-syntax", span, `${written || "(empty)"} is no offset`, {
      hint: `bytes from the function's beginning, for example ${type}:${shownPath(wanted.target, binary.path)}:${name}+4`,
    });
    return [];
  }
  if (offset > 0n && isReturn) {
    report.error("probe-syntax", span, "uretprobe takes no offset: a function returns as a whole", {
      hint: `uretprobe:${shownPath(wanted.target, binary.path)}:${name}; uprobe takes offsets`,
    });
    return [];
  }
  const known = functionsOf(binary, name, wanted.language);
  if (known.length === 0) {
    if (!lenient) reportMissing(request, binary, name, wanted.language);
    return [];
  }
  const found = offset > 0n ? known : whatCanBeProbed(request, binary, name, known);
  if (found.length === 0) return [];
  if (!hasWildcard(name) && !wanted.language) warnOfIndirect(request, binary, found[0]);
  return found.flatMap((symbol) => {
    if (symbol.size > 0 && offset >= BigInt(symbol.size)) {
      report.error("offset-outside", span, `${name} has ${symbol.size} bytes, +${offset} is outside`);
      return [];
    }
    if (offset > 0n && !isBoundary(request, binary, symbol, Number(offset))) return [];
    const shown = offset > 0n ? `${symbol.name}+${offset}` : symbol.name;
    return [make(request, binary, wanted, symbol, Number(offset), shown)];
  });
}

/**
 * What begins with an instruction that the kernel takes no probe on would be attached and never fire: a wildcard's matches
 * are left out, and said so; a function by its name is reported.
 */
function whatCanBeProbed(
  { report, span, missing }: ProbeRequest,
  binary: UserBinary,
  name: string,
  found: readonly UserSymbol[],
): readonly UserSymbol[] {
  const able = binary.probeable?.(found) ?? found;
  if (able.length === found.length) return found;
  const names = found.filter((symbol) => !able.includes(symbol)).map((symbol) => symbol.name);
  const begin = "an instruction that the kernel can't probe";
  if (!hasWildcard(name))
    missing("unprobed-function", `${names[0]} of ${binary.path} begins with ${begin}`, "probe what calls it");
  else if (names.length === 1)
    report.warning(
      "unprobed-function",
      span,
      `${names[0]} of ${binary.path} is left out: it begins with ${begin}`,
    );
  else
    report.warning(
      "unprobed-function",
      span,
      `${names.length} functions of ${binary.path} are left out: they begin with ${begin}`,
      { hint: `these are ${someOf(names, 4)}` },
    );
  return able;
}

/** Go moves stacks, and finds on them the return address that the kernel put there: the program dies of it. */
function refusesReturns(
  { type, options, report, span }: ProbeRequest,
  binary: UserBinary,
  lenient: boolean,
): boolean {
  if (type !== "uretprobe" || binary.language !== "go") return false;
  if (options.unsafe) {
    report.warning("go-return", span, `${binary.path} is a Go program: a return probe may crash it`);
    return false;
  }
  // Of many binaries, those of Go are left alone.
  if (lenient) return true;
  report.error("go-return", span, `${binary.path} is a Go program: a return probe would crash it`, {
    hint: "Go moves its stacks and does not know the return address that the kernel puts there; probe the entry, or force it with --unsafe",
  });
  return true;
}

/** A probe within an instruction destroys it: only where --unsafe wants it so. */
function isBoundary(
  { options, report, span }: ProbeRequest,
  binary: UserBinary,
  symbol: UserSymbol,
  offset: number,
): boolean {
  const begins = binary.beginsInstruction ? binary.beginsInstruction(symbol, offset) : true;
  if (begins) return true;
  const message =
    begins === false
      ? `${symbol.name}+${offset} is in the middle of an instruction of ${binary.path}`
      : `whether an instruction begins at ${symbol.name}+${offset} of ${binary.path} can't be told`;
  if (options.unsafe) {
    report.warning("probe-misaligned", span, message);
    return true;
  }
  report.error("probe-misaligned", span, message, {
    hint: "a probe there would make the program run something else; --unsafe forces it",
  });
  return false;
}

function atAddress(request: ProbeRequest, binary: UserBinary, wanted: Wanted, at: number): Probe[] {
  const { options, report, span, type } = request;
  const holder = symbolsOf(request, binary).find(
    (s) => at >= s.address && at < s.address + Math.max(1, s.size),
  );
  if (!holder) {
    const message = `no function of ${binary.path} is at ${wanted.place}`;
    if (!options.unsafe) {
      report.error("unknown-function", span, message, {
        hint: "addresses are those that nm and objdump show; --unsafe takes it as an offset in the file as it is",
      });
      return [];
    }
    report.warning("probe-misaligned", span, `${message}: it is taken as an offset in the file, unchecked`);
    return [make(request, binary, wanted, undefined, at, wanted.place)];
  }
  const offset = at - holder.address;
  if (offset > 0 && type === "uretprobe") {
    report.error(
      "probe-syntax",
      span,
      `uretprobe takes no offset: ${wanted.place} is ${holder.name}+${offset}`,
    );
    return [];
  }
  if (offset > 0 && !isBoundary(request, binary, holder, offset)) return [];
  return [make(request, binary, wanted, holder, offset, wanted.place)];
}

/** With --unsafe the file may be anything that holds code. */
function symbolsOf({ options }: ProbeRequest, binary: UserBinary): readonly UserSymbol[] {
  if (!options.unsafe) return binary.symbols();
  try {
    return binary.symbols();
  } catch {
    return [];
  }
}

function warnOfIndirect({ report, span }: ProbeRequest, binary: UserBinary, symbol: UserSymbol): void {
  if (!symbol.indirect) return;
  const variant = new RegExp(`^_*${symbol.name.replace(/^_+/, "").replace(/\W/g, "\\$&")}_[a-z0-9_]+$`);
  const names = [...new Set(binary.symbols().map(({ name }) => name))].filter(
    (name) => variant.test(name) && !/_(?:chk|ifunc)$/.test(name),
  );
  report.warning(
    "indirect-function",
    span,
    `${symbol.name} only chooses, when a program starts, which variant is called: the probe sees that choice, not the calls`,
    {
      hint:
        names.length > 0
          ? `its variants are ${someOf(names.sort(), 6)}`
          : "its variants have no symbols here; with the debug symbols of the library they can be probed by name",
    },
  );
}

/** A function may have moved to a library that the file loads: libpthread's are libc's since glibc 2.34. */
function elsewhereHint(
  { kernel, type, options }: ProbeRequest,
  binary: UserBinary,
  name: string,
): string | undefined {
  // What a process has open is under its own root, and its libraries are too.
  if (options.pid !== undefined) return undefined;
  const home = kernel
    .commandBinaries(binary.path)
    .find((other) => other.path !== binary.path && other.functions(name).length > 0);
  return home && `${home.path}, which it loads, has it: ${type}:${home.path}:${name}`;
}

function reportMissing(
  request: ProbeRequest,
  binary: UserBinary,
  name: string,
  language: NameLanguage | undefined,
): void {
  const symbols = binary.symbols();
  if (symbols.length === 0) {
    request.missing(
      "unknown-function",
      `${binary.path} has no symbols, so ${name} cannot be found in it`,
      "it is stripped: install its debug symbols, or give an address",
    );
    return;
  }
  const list = `list them: tracedeck list '${request.type}:${binary.path}:*'`;
  if (hasWildcard(name)) {
    request.missing(NO_MATCH, `no function of ${binary.path} matches ${name}`, list);
    return;
  }
  const near = nearMatches(symbols, name, language);
  const quoted = near.map((one) => (one.includes("::") && !language ? `cpp:"${one}"` : one));
  request.missing(
    "unknown-function",
    `there is no function ${name} in ${binary.path}`,
    inlinedHint(binary, name) ??
      elsewhereHint(request, binary, name) ??
      (near.length > 0 ? `did you mean ${quoted.join(" or ")}?` : list),
  );
}
