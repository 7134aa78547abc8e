/** begin, end, self, bench and test: probes that the tracer itself fires. */
import type { Probe } from "../typed.ts";
import { type ProbeRequest, probe, wrongShape } from "./request.ts";

export function expandBeginEnd(request: ProbeRequest): Probe[] {
  if (request.parts.some((part) => part && part !== "*"))
    return wrongShape(request, `${request.type} alone, without parts`);
  return [probe(request, request.type, { kind: request.type as "begin" | "end" })];
}

export function expandSelf(request: ProbeRequest): Probe[] {
  const [what, signal] = request.parts;
  if (request.parts.length !== 2 || what !== "signal") return wrongShape(request, "self:signal:SIGUSR1");
  if (!["SIGUSR1", "SIGUSR2"].includes(signal)) {
    request.report.error(
      "unknown-signal",
      request.span,
      `self:signal takes SIGUSR1 or SIGUSR2, not ${signal || "(empty)"}`,
      { hint: "others end the tracer or are its own; kill -USR1 sends one" },
    );
    return [];
  }
  return [probe(request, `self:signal:${signal}`, { kind: "self", signal })];
}

/** Outside their mode these are ignored, as the language says. */
export function expandBench(request: ProbeRequest): Probe[] {
  const [name] = request.parts;
  if (request.parts.length !== 1 || !name) return wrongShape(request, `${request.type}:NAME`);
  if (request.options.mode !== request.type) return [];
  return [probe(request, `${request.type}:${name}`, { kind: request.type as "bench" | "test", name })];
}
