/** software and hardware events. */
import { didYouMean, someOf } from "../check/nearest.ts";
import { HARDWARE_EVENTS, SOFTWARE_EVENTS } from "../tables/events.ts";
import type { Probe } from "../typed.ts";
import { type ProbeRequest, parseInteger, probe, wrongShape } from "./request.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

export function expandPerfEvent(request: ProbeRequest): Probe[] {
  const { type, parts, report, span, kernel } = request;
  const [event, count] = parts;
  if (parts.length < 1 || parts.length > 2 || !event)
    return wrongShape(request, `${type}:EVENT: or ${type}:EVENT:COUNT`);
  const rows = type === "software" ? SOFTWARE_EVENTS : HARDWARE_EVENTS;
  const matches = wildcard(event);
  const found = rows.filter((row) => matches(row.name) || row.aliases.some(matches));
  if (found.length === 0) {
    const names = rows.flatMap((row) => [row.name, ...row.aliases]);
    request.missing(
      "unknown-event",
      `there is no ${type} event ${event}`,
      didYouMean(event, names) ?? `events are ${someOf(names, 20)}`,
    );
    return [];
  }
  const period = !count || count === "*" ? 0n : parseInteger(count);
  if (period === undefined) {
    report.error("probe-syntax", span, `${count} is no count: a whole number of events`, {
      hint: `for example ${type}:${event}:100; without it, a probe fires once in ${found[0].period}`,
    });
    return [];
  }
  if (type === "hardware" && !kernel.has("hardware_events")) {
    request.missing(
      "no-hardware-events",
      "this machine has no performance counters that the kernel can use, so hardware probes cannot fire",
      "virtual machines often have none; software:cpu-clock or profile:hz:99 sample time instead",
    );
    return [];
  }
  return found.map((row) =>
    probe(request, `${type}:${hasWildcard(event) ? row.name : event}:${count ?? ""}`, {
      kind: type as "software" | "hardware",
      event: row.name,
      config: row.config,
      period: period || row.period,
    }),
  );
}
