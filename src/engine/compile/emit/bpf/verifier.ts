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
  message: (match: RegExpMatchArray) => string;
  hint: string;
}

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
  {
    pattern: /Unreleased reference/,
    message: () => "a record is begun and not sent on some way through the action",
    hint: "this is a fault of tracedeck's generated code: please report the script",
  },
];

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
  const complaint =
    [...lines].reverse().find((line) => !INSTRUCTION.test(line) && !line.startsWith(";")) ?? "";
  const refused = [...lines].reverse().find((line) => INSTRUCTION.test(line));
  const at = Number(complaint.match(/(?:at|from) insn (\d+)/)?.[1] ?? refused?.match(INSTRUCTION)?.[1] ?? -1);
  const span = program.lines.filter((line) => line.instruction <= at).at(-1)?.span ?? fallback;
  const meaning = MEANINGS.map((row) => ({ row, match: complaint.match(row.pattern) })).find(
    ({ match }) => match,
  );
  return {
    severity: "error",
    code: "verifier",
    span,
    message: meaning
      ? meaning.row.message(meaning.match!)
      : `the kernel's verifier refused this action: ${complaint}`,
    hint: meaning?.row.hint ?? "the whole log is shown with -v",
    notes: [
      { message: `the verifier said: ${complaint}${refused ? `, at ${refused}` : ""}` },
      { message: `in the program ${program.name}; -v shows the whole log` },
    ],
  };
}
