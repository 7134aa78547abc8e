/**
 * Clocks, counters and watchpoints. They close at once. With -p they are attached to the process alone: to each thread it
 * has now, and inherited by those it starts. An interval is a clock for printing and belongs to no process.
 */
import { readdirSync } from "node:fs";
import {
  attachBreakpoint,
  attachInterval,
  attachPerfEvent,
  type BreakpointOptions,
  type HasFd,
  type Link,
  PerfType,
  SoftwareEvent,
} from "libbpf-ts";
import type { Attach } from "../compile/typed.ts";
import { type Attached, type Attacher, attachOf } from "./attached.ts";
import { withPerfLinks } from "./tracepoint.ts";

type PerfAttach = Extract<Attach, { kind: "profile" | "interval" | "software" | "hardware" | "watchpoint" }>;

interface Place {
  cookie: bigint | undefined;
  /** One thread of the process, with what it starts. */
  pid: number | undefined;
}

const counter =
  (type: number, name: string) => (program: HasFd, config: number, period: bigint, place: Place) =>
    attachPerfEvent(program, {
      type,
      config: BigInt(config),
      period,
      ...place,
      inherit: place.pid !== undefined,
      target: name,
    });

const ATTACH: {
  [K in PerfAttach["kind"]]: (program: HasFd, attach: Extract<PerfAttach, { kind: K }>, place: Place) => Link;
} = {
  profile: (program, { period }, place) =>
    counter(PerfType.software, "profile")(program, SoftwareEvent["cpu-clock"], period, place),
  interval: (program, { period }, { cookie }) => attachInterval(program, { periodNs: period, cookie }),
  software: (program, { event, config, period }, place) =>
    counter(PerfType.software, `software ${event}`)(program, config, period, place),
  hardware: (program, { event, config, period }, place) =>
    counter(PerfType.hardware, `hardware ${event}`)(program, config, period, place),
  watchpoint: (program, { address, length, mode }, place) =>
    attachBreakpoint(program, {
      address,
      length: length as BreakpointOptions["length"],
      on: mode as BreakpointOptions["on"],
      ...place,
    }),
};

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [pid];
  }
}

export const perfEvent: Attacher = ({ program, probes, indexes, cookies, pid }) => {
  const attached: Attached[] = [];
  try {
    probes.forEach((probe, i) => {
      const attach = attachOf(probe, "profile", "interval", "software", "hardware", "watchpoint");
      const cookie = withPerfLinks(BigInt(cookies[i]));
      const threads = pid === undefined || attach.kind === "interval" ? [undefined] : threadsOf(pid);
      for (const thread of threads) {
        const link = ATTACH[attach.kind](program, attach as never, { cookie, pid: thread });
        attached.push({ link, probes: [indexes[i]], slowToClose: false });
      }
    });
    return attached;
  } catch (error) {
    for (const { link } of attached) link.detach();
    throw error;
  }
};
