import { readFileSync } from "node:fs";
import { onlineCpus } from "libbpf-ts";
import * as asm from "libbpf-ts/asm";
import { describe, expect, it } from "vitest";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { SessionError } from "../../../src/engine/session/error.ts";
import { Session, type SessionSinks } from "../../../src/engine/session/session.ts";
import { waitedForCpu } from "../../support/machine.ts";
import { slowness } from "../../support/slowness.ts";
import {
  checkEnabled,
  controlReferences,
  countReference,
  countUp,
  done,
  emitControl,
  emitRecord,
  enabledReference,
  eventsReference,
  exitAction,
  handmadePlan,
  type Piece,
  printAction,
} from "./handmade.ts";
import { held, leftAfter, programsOf } from "./programs.ts";

const begin: Piece["probes"] = [{ via: "begin", name: "begin", attach: { kind: "begin" } }];

function syscallProbe(name: string, via: "tracepoint" | "raw-syscall") {
  const event = `sys_enter_${name}`;
  return {
    via,
    name: `tracepoint:syscalls:${event}`,
    attach: {
      kind: "tracepoint",
      category: "syscalls",
      event,
      id: liveKernel().tracepointFormat("syscalls", event)!.id,
      syscall: { number: liveKernel().syscallNumber(name)!, exit: false },
    },
  } as const;
}

function collect() {
  const values: number[] = [];
  const sinks: SessionSinks = {
    onEvent: (_action, view, offset) => void values.push(Number(view.getBigInt64(offset + 8, true))),
    onPrintMap: () => {},
  };
  return { values, sinks };
}

const countWrites = (via: "tracepoint" | "raw-syscall"): Piece => ({
  type: via === "tracepoint" ? "tracepoint" : "raw_tracepoint",
  instructions: [...checkEnabled, ...countUp, ...done],
  references: [enabledReference, countReference],
  probes: [syscallProbe("write", via)],
});

describe("session", () => {
  it("hands over what begin recorded, in order, and ends by exit with its code", async () => {
    const plan = handmadePlan({
      pieces: [
        {
          type: "raw_tracepoint",
          instructions: [
            ...emitRecord(0, 7),
            ...emitRecord(0, 8),
            ...emitControl(1, 3),
            ...emitRecord(0, 9),
            ...done,
          ],
          references: [eventsReference, eventsReference, ...controlReferences, eventsReference],
          probes: begin,
        },
      ],
      actions: [printAction(), exitAction()],
    });
    using session = new Session(plan);
    const { values, sinks } = collect();
    await session.start(sinks);
    expect(await session.ended).toEqual({ reason: "exit", exitCode: 3 });
    // What was recorded after exit is not printed.
    expect(values).toEqual([7, 8]);
    expect(session.probeCount).toBe(0);
  });

  it("ends with what fails while it ends, and takes nobody with it", async () => {
    const plan = handmadePlan({
      pieces: [
        countWrites("tracepoint"),
        {
          type: "raw_tracepoint",
          instructions: [...emitRecord(0, 7), ...done],
          references: [eventsReference],
          probes: [{ via: "end", name: "end", attach: { kind: "end" } }],
        },
      ],
      actions: [printAction()],
    });
    const states: string[] = [];
    using session = new Session(plan);
    await session.start({
      onEvent: () => {
        throw new Error("no room for this record");
      },
      onPrintMap: () => {},
      onState: (state) => void states.push(state),
    });
    session.stop();
    await expect(session.ended).rejects.toThrow("no room for this record");
    expect(states).toEqual(["attaching", "running", "stopping", "failed"]);
  });

  it.each(["tracepoint", "raw-syscall"] as const)("counts through %s from start to stop", async (via) => {
    using session = new Session(handmadePlan({ pieces: [countWrites(via)] }));
    await session.start(collect().sinks);
    const { writeSync, openSync, closeSync } = await import("node:fs");
    const fd = openSync("/dev/null", "w");
    for (let i = 0; i < 1000; i++) writeSync(fd, "x");
    const counted = session.readMap(0).words![0];
    expect(counted).toBeGreaterThanOrEqual(1000n);
    session.stop();
    await session.ended;
    const atStop = session.readMap(0).words![0];
    for (let i = 0; i < 1000; i++) writeSync(fd, "x");
    closeSync(fd);
    // A program that was running on another CPU, for someone else's write, may still have counted.
    const late = Number(session.readMap(0).words![0] - atStop);
    expect(late).toBeLessThan(onlineCpus().length);
  });

  it("leaves a hundred tracepoints without waiting for the kernel", async () => {
    const syscalls = liveKernel()
      .tracepoints("syscalls")
      .filter(
        (name) => name.startsWith("sys_enter_") && liveKernel().syscallNumber(name.slice(10)) !== undefined,
      )
      .slice(0, 100)
      .map((name) => syscallProbe(name.slice(10), "tracepoint"));
    const session = new Session(
      handmadePlan({ pieces: [{ ...countWrites("tracepoint"), probes: syscalls }] }),
    );
    await session.start(collect().sinks);
    expect(session.probeCount).toBe(100);
    session.stop();
    await session.ended;
    const begun = performance.now();
    const waited = waitedForCpu();
    session.close();
    // One by one they would take 8 seconds.
    expect(performance.now() - begun - (waitedForCpu() - waited)).toBeLessThan(500 * slowness);
  });

  it("attaches all or nothing, and says which probe failed", async () => {
    const broken = syscallProbe("read", "tracepoint");
    const plan = handmadePlan({
      pieces: [
        countWrites("tracepoint"),
        { ...countWrites("tracepoint"), probes: [{ ...broken, attach: { ...broken.attach, id: 999_999 } }] },
      ],
    });
    const before = held();
    const error = await new Session(plan).start(collect().sinks).catch((reason) => reason);
    expect(error).toBeInstanceOf(SessionError);
    expect((error as SessionError).message).toContain("tracepoint:syscalls:sys_enter_read");
    expect((error as SessionError).probe?.name).toBe("tracepoint:syscalls:sys_enter_read");
    expect(held()).toBe(before);
  });

  it("goes on without a probe when missing_probes says so", async () => {
    const broken = syscallProbe("read", "tracepoint");
    const plan = handmadePlan({
      pieces: [
        countWrites("tracepoint"),
        { ...countWrites("tracepoint"), probes: [{ ...broken, attach: { ...broken.attach, id: 999_999 } }] },
      ],
      missingProbes: "warn",
    });
    using session = new Session(plan);
    const warnings: string[] = [];
    await session.start({ ...collect().sinks, onWarning: (message) => void warnings.push(message) });
    expect(session.probeCount).toBe(1);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("sys_enter_read");
  });

  it("keeps the verifier's log and quotes the script's line in it", async () => {
    const plan = handmadePlan({
      pieces: [
        // Reads through a number that is no pointer.
        {
          type: "raw_tracepoint",
          instructions: [asm.movImm(1, 1), asm.ldx(8, 2, 1, 0), ...done],
          probes: begin,
        },
      ],
    });
    const session = new Session(plan, { files: [{ name: "x.bt", text: "begin { wrong }\n" }] });
    const error = (await session.start(collect().sinks).catch((reason) => reason)) as SessionError;
    expect(error).toBeInstanceOf(SessionError);
    expect(error.verifier?.log).toContain("begin { wrong }");
    expect(error.verifier?.log).toMatch(/invalid mem access/);
  });

  it("starts a child only when everything is attached, and ends with it", async () => {
    using session = new Session(handmadePlan({ pieces: [countWrites("raw-syscall")] }), {
      command: "sh -c 'exit 0'",
    });
    await session.start(collect().sinks);
    const pid = session.targetPid!;
    expect(pid).toBeGreaterThan(0);
    expect(await session.ended).toEqual({ reason: "child-ended", exitCode: 0 });
  });

  it("ends with the process of -p", async () => {
    const { spawn } = await import("node:child_process");
    const child = spawn("sleep", ["1000"]);
    using session = new Session(handmadePlan({ pieces: [countWrites("raw-syscall")] }), { pid: child.pid });
    await session.start(collect().sinks);
    child.kill();
    expect((await session.ended).reason).toBe("process-ended");
  });

  it("reports what programs cost", async () => {
    using session = new Session(handmadePlan({ pieces: [countWrites("raw-syscall")] }), {
      measureCost: true,
    });
    await session.start(collect().sinks);
    for (let i = 0; i < 200; i++) readFileSync("/proc/self/stat");
    const cost = session.cost();
    expect(cost.events).toBeGreaterThan(400);
    expect(cost.probes[0].name).toBe("tracepoint:syscalls:sys_enter_write");
    expect(cost.probes[0].nsPerEvent).toBeGreaterThan(1);
    expect(session.losses().eventsLost).toBe(0);
  });

  it("leaves no program behind", async () => {
    const session = new Session(handmadePlan({ pieces: [countWrites("raw-syscall")] }));
    await session.start(collect().sinks);
    const own = programsOf(process.pid);
    expect(own.length).toBeGreaterThan(0);
    session.close();
    expect(await leftAfter(own, 5000 * slowness)).toEqual([]);
  });
});
