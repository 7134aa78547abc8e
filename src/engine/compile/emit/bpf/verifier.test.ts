import { expect, test } from "vitest";
import { explainVerifierError } from "./verifier.ts";

const program = {
  name: "probe",
  lines: [
    { instruction: 0, span: { start: 0, end: 10 } },
    { instruction: 10, span: { start: 20, end: 30 } },
    { instruction: 20, span: { start: 40, end: 50 } },
  ],
};
const whole = { start: 0, end: 99 };

const log = (...lines: string[]): string =>
  [
    ...lines,
    "processed 13 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 0",
    "",
  ].join("\n");

test.each([
  [
    log("12: (79) r1 = *(u64 *)(r0 +0)", "R0 invalid mem access 'map_value_or_null'"),
    { start: 20, end: 30 },
    /may be null/,
  ],
  [
    log("; $i++ @ x.bt:1", "25: (05) goto pc-3", "infinite loop detected at insn 12"),
    { start: 20, end: 30 },
    /cannot see that this loop ends/,
  ],
  [
    log("3: (85) call bpf_override_return#58", "unknown func bpf_override_return#58"),
    { start: 0, end: 10 },
    /override_return/,
  ],
  [
    log("20: (79) r1 = *(u64 *)(r1 +200)", "invalid bpf_context access off=200 size=8"),
    { start: 40, end: 50 },
    /byte 200/,
  ],
  [
    log(
      "12: (85) call bpf_task_from_pid#65918",
      "21: (95) exit",
      "Unreleased reference id=2 alloc_insn=12",
      "BPF_EXIT instruction in main prog would lead to reference leak",
    ),
    { start: 20, end: 30 },
    /bpf_task_from_pid\(\) gives is not given back/,
  ],
  [
    log("20: (85) call bpf_task_release#65928", "arg#0 pointer type STRUCT task_struct must point to scalar"),
    { start: 40, end: 50 },
    /bpf_task_release\(\) is given a pointer that the kernel cannot vouch for/,
  ],
  [
    log("12: (07) r3 += 1752", "R3 pointer arithmetic on ptr_or_null_ prohibited, null-check it first"),
    { start: 20, end: 30 },
    /may be null/,
  ],
  [log("BPF program is too large. Processed 1000001 insn"), whole, /gives up/],
  [
    log("21: (bf) r1 = r2", "something nobody has heard of"),
    { start: 40, end: 50 },
    /something nobody has heard of/,
  ],
])("%#", (text, span, message) => {
  const diagnostic = explainVerifierError(text, program, whole);
  expect(diagnostic.span).toEqual(span);
  expect(diagnostic.message).toMatch(message);
  expect(diagnostic.hint).toBeTruthy();
});
