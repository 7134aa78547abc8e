import { SysError, VerifierError } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { AttachError } from "../attach/index.ts";
import type { ProbePlan } from "../compile/plan.ts";
import { isAboutTarget, Refusals } from "./refusals.ts";

const refusal = (name: string, start: number): AttachError => {
  const probe: ProbePlan = {
    name,
    attach: { kind: "kprobe", function: name, offset: 0, return: false },
    span: { start, end: start + 1 },
    program: 0,
    via: "kprobe",
  };
  return new AttachError(probe, new SysError("perf_event_open(x)", 22));
};

describe("refused probes", () => {
  test("end a script that wants all", () => {
    expect(() => new Refusals("error").take(refusal("kprobe:a", 0))).toThrow("cannot attach kprobe:a");
  });

  test("are told by the spec that brought them, with their number", () => {
    const refusals = new Refusals("warn");
    for (const name of ["a", "b", "c", "d", "e"]) refusals.take(refusal(`kprobe:${name}`, 0));
    refusals.take(refusal("kprobe:other", 50));
    const said: [string, number][] = [];
    refusals.warn((message, span) => said.push([message, span.start]));
    expect(said.map(([, start]) => start)).toEqual([0, 50]);
    expect(said[0][0]).toMatch(
      /^cannot attach 5 probes, kprobe:a, kprobe:b, kprobe:c and 2 more; the first: .*EINVAL/,
    );
    expect(said[1][0]).toMatch(/^cannot attach kprobe:other: /);
    expect(refusals.count).toBe(6);
  });

  test("may go unsaid", () => {
    const refusals = new Refusals("ignore");
    refusals.take(refusal("kprobe:a", 0));
    refusals.warn(() => expect.unreachable());
    expect(refusals.count).toBe(1);
    expect(refusals.first?.message).toContain("cannot attach kprobe:a");
  });
});

test("a log without instructions is about what the program attaches to", () => {
  const log = (text: string) => new VerifierError("bpf(BPF_PROG_LOAD)", 22, text);
  expect(isAboutTarget(log("attach_btf_id 7 is not a function\nprocessed 0 insns"))).toBe(true);
  expect(isAboutTarget(log("0: R1=ctx() R10=fp0\n0: (79) r1 = *(u64 *)(r1 +8)\nR1 invalid mem access"))).toBe(
    false,
  );
  expect(isAboutTarget(new SysError("bpf(BPF_PROG_LOAD)", 1))).toBe(true);
  expect(isAboutTarget(new TypeError("ours"))).toBe(false);
});
