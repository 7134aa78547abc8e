/** uprobe and uretprobe: functions of programs and libraries. */
import { didYouMean } from "../check/nearest.ts";
import type { UserBinary, UserSymbol } from "../kernel.ts";
import type { Probe } from "../typed.ts";
import { type ProbeRequest, parseInteger, probe, wrongShape } from "./request.ts";
import { expandSourceLine, isSourceLine, readSourceLine } from "./sourceLine.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

/** The binaries that a path, a library's name or a wildcard means; reports when there are none. */
export function binaries(request: ProbeRequest, pattern: string): readonly UserBinary[] {
  let found: readonly UserBinary[] = [];
  let why = "";
  try {
    found = request.kernel.binaries(pattern, request.options.pid);
  } catch (error) {
    why = error instanceof Error ? `: ${error.message}` : "";
  }
  if (found.length === 0)
    request.missing(
      "unknown-binary",
      `there is no program or library ${pattern}${why}`,
      pattern.includes("/")
        ? "is it readable from here? Programs in containers are at /proc/PID/root/…"
        : "give its path, or the name of a library as in uprobe:libc:malloc",
    );
  return found;
}

export function expandUprobe(request: ProbeRequest): Probe[] {
  const { parts, type, options } = request;
  let all = parts;
  if (all.length === 1 && options.pid) all = [`/proc/${options.pid}/exe`, ...all];
  if (all.length === 3 && all[1] === "cpp") {
    request.report.error("not-supported", request.span, "C++ names in probes are not supported yet", {
      hint: "give the mangled name, as nm shows it",
    });
    return [];
  }
  if (isSourceLine(all)) {
    const spec = readSourceLine(request, all);
    if (!spec) return [];
    return binaries(request, spec.binary).flatMap((binary) => expandSourceLine(request, binary, spec));
  }
  if (all.length !== 2 || !all[0] || !all[1])
    return wrongShape(request, `${type}:BINARY:FUNCTION, for example ${type}:libc:malloc`);
  return binaries(request, all[0]).flatMap((binary) => inBinary(request, binary, all[1]));
}

function inBinary(request: ProbeRequest, binary: UserBinary, target: string): Probe[] {
  const { type, report, span } = request;
  const isReturn = type === "uretprobe";
  const make = (symbol: string, offset: number, shown: string) =>
    probe(request, `${type}:${binary.path}:${shown}`, {
      kind: "uprobe",
      path: binary.path,
      symbol,
      offset,
      return: isReturn,
    });
  const address = parseInteger(target);
  if (address !== undefined) {
    const at = Number(address);
    const holder = binary.symbols().find((s) => at >= s.address && at < s.address + Math.max(1, s.size));
    return [make(holder?.name ?? "", holder ? holder.offset + (at - holder.address) : at, target)];
  }
  const plus = target.lastIndexOf("+");
  const name = plus > 0 ? target.slice(0, plus) : target;
  const offset = plus > 0 ? parseInteger(target.slice(plus + 1)) : 0n;
  if (offset === undefined || (offset > 0n && isReturn)) {
    report.error(
      "probe-syntax",
      span,
      isReturn ? "uretprobe takes no offset" : `${target} has no valid offset`,
    );
    return [];
  }
  const symbols = binary.symbols();
  if (hasWildcard(name)) {
    const found = distinct(symbols.filter((s) => matchesName(s, wildcard(name))));
    if (found.length === 0) request.missing("no-match", `no function of ${binary.path} matches ${name}`);
    return found.map((s) => make(s.name, s.offset, s.name));
  }
  const symbol = symbols.find((s) => s.name === name);
  if (!symbol) {
    request.missing(
      "unknown-function",
      symbols.length
        ? `there is no function ${name} in ${binary.path}`
        : `${binary.path} has no symbols, so ${name} cannot be found in it`,
      symbols.length
        ? (didYouMean(
            name,
            symbols.map((s) => s.name),
          ) ?? `list them: tracedeck list '${type}:${binary.path}:*'`)
        : "it is stripped: install its debug symbols, or give an address",
    );
    return [];
  }
  if (symbol.size > 0 && offset >= BigInt(symbol.size)) {
    report.error("offset-outside", span, `${name} has ${symbol.size} bytes, +${offset} is outside`);
    return [];
  }
  return [make(symbol.name, symbol.offset + Number(offset), offset > 0n ? `${name}+${offset}` : name)];
}

const matchesName = (symbol: UserSymbol, matches: (name: string) => boolean): boolean =>
  symbol.offset > 0 && matches(symbol.name);

/** Names of one address attach once. */
function distinct(symbols: UserSymbol[]): UserSymbol[] {
  const byOffset = new Map<number, UserSymbol>();
  for (const symbol of symbols) if (!byOffset.has(symbol.offset)) byOffset.set(symbol.offset, symbol);
  return [...byOffset.values()];
}
