/**
 * usdt[:BINARY[:PROVIDER]]:PROBE: the instrumentation points of programs and libraries. A point that the compiler copied
 * to several places is a probe for each, all of one name, whose arguments may lie differently.
 */
import { didYouMean, someOf } from "../check/nearest.ts";
import type { UsdtProbe, UserBinary } from "../kernel.ts";
import type { Probe } from "../typed.ts";
import { type ProbeRequest, probe, wrongShape } from "./request.ts";
import { binaries } from "./userFunction.ts";
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

function wantedOf({ parts, options }: ProbeRequest): Wanted | undefined {
  if (parts.length === 1 && options.pid !== undefined && parts[0])
    return { target: "", provider: "*", name: parts[0] };
  if (parts.length === 2) return { target: parts[0], provider: "*", name: parts[1] };
  if (parts.length === 3) return { target: parts[0], provider: parts[1] || "*", name: parts[2] };
  return undefined;
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
  if (!wanted?.name || (wanted.target === "" && options.pid === undefined))
    return wrongShape(request, "usdt:BINARY:PROBE or usdt:BINARY:PROVIDER:PROBE; with -p also usdt:PROBE");
  const all = every(wanted.target);
  let places = all ? kernel.mappedBinaries(options.pid) : kernel.binaries(wanted.target, options.pid);
  if (places.length === 0 && !all) {
    // With -p the binary may be left out: what stands in its place may be the provider.
    places = options.pid === undefined ? [] : kernel.mappedBinaries(options.pid);
    const found = places.length ? match(places, { ...wanted, provider: wanted.target }, true) : [];
    if (found.length === 0) {
      binaries(request, wanted.target);
      return [];
    }
    return found.map((point) => made(request, point));
  }
  let found: Point[];
  try {
    found = match(places, wanted, all || hasWildcard(wanted.target));
  } catch (error) {
    const why = error instanceof Error ? `: ${error.message}` : "";
    request.missing("unknown-binary", `${wanted.target} cannot be read${why}`);
    return [];
  }
  if (found.length === 0) reportMissing(request, wanted, places);
  return found.map((point) => made(request, point));
}

function match(places: readonly UserBinary[], { provider, name }: Wanted, lenient: boolean): Point[] {
  const [isProvider, isName] = [wildcard(provider), wildcard(name)];
  return places.flatMap((binary) =>
    pointsOf(binary, lenient)
      .filter((point) => isProvider(point.provider) && isName(point.name))
      .map((point) => ({ binary, point })),
  );
}

const made = (request: ProbeRequest, { binary, point }: Point): Probe =>
  probe(request, `usdt:${binary.path}:${point.provider}:${point.name}`, {
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
  const { pid } = request.options;
  const where = !every(target)
    ? places.length === 1
      ? places[0].path
      : `the ${places.length} files that ${target} matches`
    : pid === undefined
      ? "any running program"
      : `what process ${pid} has mapped`;
  const points = places.flatMap((binary) => pointsOf(binary, true));
  const what = provider === "*" ? name : `${provider}:${name}`;
  const names = [...new Set(points.map((point) => point.name))];
  const full = [...new Set(points.map((point) => `${point.provider}:${point.name}`))];
  request.missing(
    hasWildcard(name) ? "no-match" : "unknown-usdt",
    points.length === 0
      ? `there are no USDT probes in ${where}`
      : hasWildcard(what)
        ? `no USDT probe in ${where} matches ${what}`
        : `there is no USDT probe ${what} in ${where}`,
    points.length === 0 ? undefined : (didYouMean(name, names) ?? `there is ${someOf(full)}`),
  );
}
