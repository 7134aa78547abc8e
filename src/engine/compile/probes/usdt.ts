/**
 * usdt[:BINARY[:PROVIDER]]:PROBE: the instrumentation points of programs and libraries. A point that the compiler copied
 * to several places is a probe for each, all of one name, whose arguments may lie differently.
 */
import { didYouMean, someOf } from "../check/nearest.ts";
import type { UsdtProbe, UserBinary } from "../kernel.ts";
import type { Probe } from "../typed.ts";
import { NO_MATCH, type ProbeRequest, probe, wrongShape } from "./request.ts";
import { shownPath } from "./shownPath.ts";
import { binaries, lookedFor } from "./userFunction.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

interface Wanted {
  /** "" or "*": what the process of -p, or every process, has mapped. */
  target: string;
  provider: string;
  name: string;
}

interface Point {
  binary: UserBinary;
  point: UsdtProbe;
}

const ofProcess = ({ options }: ProbeRequest): boolean =>
  options.pid !== undefined || options.command !== undefined;

function wantedOf(request: ProbeRequest): Wanted | undefined {
  const { parts } = request;
  if (parts.length === 1 && ofProcess(request)) return { target: "", provider: "*", name: parts[0] };
  if (parts.length === 2) return { target: parts[0], provider: "*", name: parts[1] };
  if (parts.length === 3) return { target: parts[0], provider: parts[1] || "*", name: parts[2] };
  return undefined;
}

/** What the process of -p or the command of -c has mapped, or every process. */
const mapped = ({ kernel, options }: ProbeRequest): readonly UserBinary[] =>
  options.pid === undefined && options.command !== undefined
    ? kernel.commandBinaries(options.command)
    : kernel.mappedBinaries(options.pid);

function misshapen(request: ProbeRequest): Probe[] {
  const { parts, report, span } = request;
  const [provider, name] = [parts.at(-2) ?? "", parts.at(-1) ?? ""];
  const isWithoutBinary = name !== "" && (parts.length === 1 || (parts.length < 4 && parts[0] === ""));
  if (!isWithoutBinary || ofProcess(request))
    return wrongShape(request, "usdt:BINARY:PROBE or usdt:BINARY:PROVIDER:PROBE; with -p also usdt:PROBE");
  report.error("probe-syntax", span, "a usdt probe without a binary needs a process: -p PID or -c COMMAND", {
    hint: `or name the binary; usdt:*:${provider ? `${provider}:` : ""}${name} means all that run`,
  });
  return [];
}

/** Points of a binary; what cannot be read as one has none, when it was not asked for by its own name. */
function pointsOf(binary: UserBinary, lenient: boolean): readonly UsdtProbe[] {
  try {
    return binary.usdt();
  } catch (error) {
    if (lenient) return [];
    throw error;
  }
}

const every = (target: string): boolean => target === "" || target === "*";

export function expandUsdt(request: ProbeRequest): Probe[] {
  const { kernel, options } = request;
  const wanted = wantedOf(request);
  if (!wanted?.name || (wanted.target === "" && !ofProcess(request))) return misshapen(request);
  const all = every(wanted.target);
  const places = lookedFor(request, wanted.target || "USDT probes", () =>
    all ? mapped(request) : kernel.binaries(wanted.target, options.pid),
  );
  if (!places) return [];
  if (places.length === 0 && !all) {
    // With -p the binary may be left out: what stands in its place may be the provider.
    const provided = ofProcess(request)
      ? match(mapped(request), { ...wanted, provider: wanted.target }, true)
      : [];
    if (provided.length === 0) {
      binaries(request, wanted.target);
      return [];
    }
    return provided.map((point) => made(request, point, ""));
  }
  let found: Point[];
  try {
    found = match(places, wanted, all || hasWildcard(wanted.target));
  } catch (error) {
    const path = places[0]?.path ?? wanted.target;
    const why = error instanceof Error ? `: ${error.message.replace(`${path}: `, "")}` : "";
    request.missing("unknown-binary", `${path} can't be traced${why}`);
    return [];
  }
  if (found.length === 0) reportMissing(request, wanted, places);
  return found.map((point) => made(request, point, wanted.target));
}

function match(places: readonly UserBinary[], { provider, name }: Wanted, lenient: boolean): Point[] {
  const [isProvider, isName] = [wildcard(provider), wildcard(name)];
  return places.flatMap((binary) =>
    pointsOf(binary, lenient)
      .filter((point) => isProvider(point.provider) && isName(point.name))
      .map((point) => ({ binary, point })),
  );
}

const made = (request: ProbeRequest, { binary, point }: Point, target: string): Probe =>
  probe(request, `usdt:${shownPath(target, binary.path)}:${point.provider}:${point.name}`, {
    kind: "usdt",
    path: binary.path,
    provider: point.provider,
    name: point.name,
    offset: point.offset,
    semaphoreOffset: point.semaphoreOffset,
    arguments: point.arguments,
  });

function reportMissing(request: ProbeRequest, wanted: Wanted, places: readonly UserBinary[]): void {
  const { provider, name, target } = wanted;
  const { pid, command } = request.options;
  const where = !every(target)
    ? places.length === 1
      ? places[0].path
      : `the ${places.length} files that ${target} matches`
    : pid !== undefined
      ? `what process ${pid} has mapped`
      : command !== undefined
        ? `what '${command}' runs`
        : "any running program";
  const points = places.flatMap((binary) => pointsOf(binary, true));
  const what = provider === "*" ? name : `${provider}:${name}`;
  const names = [...new Set(points.map((point) => point.name))];
  const full = [...new Set(points.map((point) => `${point.provider}:${point.name}`))];
  const same = full.filter((one) => one.endsWith(`:${name}`));
  request.missing(
    hasWildcard(name) ? NO_MATCH : "unknown-usdt",
    points.length === 0
      ? `there are no USDT probes in ${where}`
      : hasWildcard(what)
        ? `no USDT probe in ${where} matches ${what}`
        : `there is no USDT probe ${what} in ${where}`,
    points.length === 0
      ? "programs and libraries have them where their authors put them in: tracedeck list 'usdt:*:*' shows those that run"
      : same.length > 0
        ? `did you mean ${same.slice(0, 3).join(" or ")}?`
        : (didYouMean(name, names) ?? `there is ${someOf(full)}`),
  );
}
