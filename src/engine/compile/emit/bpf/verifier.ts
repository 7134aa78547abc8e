/**
 * The verifier's refusal in the script's terms: where in the script, what it means, what to try. The log ends with the
 * instruction that was refused, the complaint, and statistics:
 *
 *   12: (79) r1 = *(u64 *)(r0 +0)
 *   R0 invalid mem access 'map_value_or_null'
 *   processed 13 insns (limit 1000000) …
 */
import type { Diagnostic, Span } from "../../diagnostic.ts";
import type { ProgramPlan } from "../../plan.ts";

interface Meaning {
  pattern: RegExp;
  /** `called`: the helper or kernel function that the instruction at hand calls. */
  message: (match: RegExpMatchArray, called: string) => string;
  hint: string | ((called: string) => string);
}

/** What gives back what a kernel function acquires. */
const RELEASES: readonly [acquires: RegExp, release: string][] = [
  [/^bpf_task_get_cgroup|^bpf_cgroup_/, "bpf_cgroup_release"],
  [/^bpf_task_/, "bpf_task_release"],
  [/^bpf_cpumask_/, "bpf_cpumask_release"],
  [/_file$/, "bpf_put_file"],
  [/_key$/, "bpf_key_put"],
  [/^bpf_crypto_ctx_/, "bpf_crypto_ctx_release"],
  [/_ct_/, "bpf_ct_release"],
];

const releaseOf = (acquires: string): string =>
  RELEASES.find(([pattern]) => pattern.test(acquires))?.[1] ?? "its release function";

const UNVOUCHED =
  "pass what the probe's args, ctx, curtask or another kernel function gave: a variable that was read from memory is a number to the kernel; write args.p.member in the call itself";

const MEANINGS: readonly Meaning[] = [
  {
    pattern: /BPF program is too large|too many instructions|sequence of (\d+) jumps is too complex/,
    message: () => "the kernel gives up on checking this action: it has too many ways through",
    hint: "shorten loops and unrolls, or move parts into another action",
  },
  {
    pattern: /infinite loop detected|back-edge from insn/,
    message: () => "the kernel cannot see that this loop ends",
    hint: "give the loop a bound that does not change inside it, as in for ($i : 0..100)",
  },
  {
    pattern: /combined stack size of \d+ calls is (\d+)|stack frame.*too large|invalid stack off=(-?\d+)/,
    message: () => "the action's variables do not fit the 512 bytes of a BPF stack",
    hint: "use fewer or smaller variables, or lower on_stack_limit in the config block",
  },
  {
    pattern:
      /(?:unknown func|invalid func|program of this type cannot use helper|cannot use helper) ?(?:func )?(\S+)/,
    message: (m) => `this kernel does not let this type of probe call ${m[1].replace(/^bpf_/, "")}`,
    hint: "another probe type may be allowed to; `tracedeck info` lists what this kernel has",
  },
  {
    pattern: /cannot call GPL-restricted function from non-GPL compatible program|cannot call GPL/,
    message: () => "the functions that read memory need a license that is compatible with the GPL",
    hint: 'set license = "GPL" in the config block',
  },
  {
    pattern: /invalid bpf_context access off=(\d+) size=(\d+)/,
    message: (m) => `this probe's arguments have nothing at byte ${m[1]} (${m[2]} bytes)`,
    hint: "`tracedeck list -v PROBE` shows the arguments that this kernel has",
  },
  {
    pattern: /func '([^']+)' doesn't have (\d+)-th argument/,
    message: (m) => `${m[1]} has fewer than ${m[2]} arguments`,
    hint: "`tracedeck list -v PROBE` shows them",
  },
  {
    pattern: /Unreleased reference.*alloc_insn=/,
    message: (_, called) => `what ${called}() gives is not given back on some way through the action`,
    hint: (called) =>
      `on every way on which it is not null: if ($x) { …; ${releaseOf(called)}($x); }; exit() and return count as ways`,
  },
  {
    pattern: /bpf_(rcu_read_lock|preempt_disable|local_irq_save)-ed region/,
    message: (m) => `what bpf_${m[1]}() begins is not ended on some way through the action`,
    hint: "its counterpart must be called on every way, before exit() and return",
  },
  {
    pattern:
      /release kernel function (\w+) expects refcounted|(?:arg \d+|R\d+) .*(?:unacquired|must be referenced)/,
    message: (m, called) =>
      `${m[1] ?? called}() is given something that was not acquired, or is given back already`,
    hint: "only what another kernel function has acquired can be given back, and once",
  },
  {
    pattern:
      /pointer arithmetic on ptr_or_null_ prohibited|Possibly NULL pointer passed|or_null_.*null-check/,
    message: (_, called) =>
      called
        ? `${called}() must not be given a pointer that may be null`
        : "a pointer that may be null is followed",
    hint: "check it first: if ($x != 0) { … }",
  },
  {
    pattern: /calling kernel function (\w+) is not allowed/,
    message: (m) => `this kernel does not let this type of probe call ${m[1]}()`,
    hint: "kfunc_allowed() asks before the script runs",
  },
  {
    pattern:
      /must be (?:a rcu pointer|referenced or trusted|referenced)|(?:arg#\d+|R\d+) (?:pointer type|is .*expected|expected pointer|type=|reference type)/,
    message: (_, called) =>
      `${called || "a kernel function"}() is given a pointer that the kernel cannot vouch for`,
    hint: UNVOUCHED,
  },
  {
    pattern: /invalid mem access '(\w+)'/,
    message: (m) =>
      m[1].includes("null")
        ? "a pointer is followed that may be null"
        : "a value is followed as a pointer that the kernel does not know to be one",
    hint: "this is a fault of tracedeck's generated code: please report the script",
  },
  {
    pattern: /misaligned (stack )?access/,
    message: () => "memory is read at an address that is not aligned for its size",
    hint: "this is a fault of tracedeck's generated code: please report the script",
  },
];

const hintOf = (hint: Meaning["hint"] | undefined, called: string): string | undefined =>
  typeof hint === "function" ? hint(called) : hint;

const INSTRUCTION = /^(\d+): \([0-9a-f]{2}\)/;

/** Explains a refusal. Without a line that it can be put to, `fallback` is its place. */
export function explainVerifierError(
  log: string,
  program: Pick<ProgramPlan, "name" | "lines">,
  fallback: Span,
): Diagnostic {
  const lines = log
    .split("\n")
    .map((line) => line.trim())
    .filter(
      (line) =>
        line !== "" &&
        !/^(processed \d+|verification time|stack depth|max_states|total_states|peak_states|mark_read)/.test(
          line,
        ),
    );
  const complaints = [...lines].reverse().filter((line) => !INSTRUCTION.test(line) && !line.startsWith(";"));
  // What was not given back is named before where that was missed.
  const complaint = complaints.find((line) => line.startsWith("Unreleased reference")) ?? complaints[0] ?? "";
  const refused = [...lines].reverse().find((line) => INSTRUCTION.test(line));
  const at = Number(
    complaint.match(/(?:at insn |from insn |alloc_insn=)(\d+)/)?.[1] ??
      refused?.match(INSTRUCTION)?.[1] ??
      -1,
  );
  const called = lines.find((line) => line.startsWith(`${at}: (85)`))?.match(/call (\w+)#/)?.[1] ?? "";
  const span = program.lines.filter((line) => line.instruction <= at).at(-1)?.span ?? fallback;
  const meaning = MEANINGS.map((row) => ({ row, match: complaint.match(row.pattern) })).find(
    ({ match }) => match,
  );
  return {
    severity: "error",
    code: "verifier",
    span,
    message: meaning
      ? meaning.row.message(meaning.match!, called)
      : `the kernel's verifier refused this action: ${complaint}`,
    hint: hintOf(meaning?.row.hint, called) ?? "the whole log is shown with -v",
    notes: [
      { message: `the verifier said: ${complaint}${refused ? `, at ${refused}` : ""}` },
      { message: `in the program ${program.name}; -v shows the whole log` },
    ],
  };
}
