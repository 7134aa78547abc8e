/** Clocks and counters: profile, interval, software, hardware, watchpoint. They close at once. */
import { attachInterval, attachPerfEvent, attachProfile, type HasFd, type Link, PerfType } from "libbpf-ts";
import type { Attach } from "../compile/typed.ts";
import { attachOf, each } from "./attached.ts";
import { withPerfLinks } from "./tracepoint.ts";

type PerfAttach = Extract<Attach, { kind: "profile" | "interval" | "software" | "hardware" }>;

const ATTACH: {
  [K in PerfAttach["kind"]]: (
    program: HasFd,
    attach: Extract<PerfAttach, { kind: K }>,
    cookie?: bigint,
  ) => Link;
} = {
  profile: (program, { period }, cookie) => attachProfile(program, { periodNs: period, cookie }),
  interval: (program, { period }, cookie) => attachInterval(program, { periodNs: period, cookie }),
  software: (program, { event, config, period }, cookie) =>
    attachPerfEvent(program, {
      type: PerfType.software,
      config: BigInt(config),
      period,
      cookie,
      target: `software ${event}`,
    }),
  hardware: (program, { event, config, period }, cookie) =>
    attachPerfEvent(program, {
      type: PerfType.hardware,
      config: BigInt(config),
      period,
      cookie,
      target: `hardware ${event}`,
    }),
};

export const perfEvent = each(false, (probe, { program }, cookie) => {
  const attach = attachOf(probe, "profile", "interval", "software", "hardware");
  return ATTACH[attach.kind](program, attach as never, withPerfLinks(cookie));
});
