/**
 * Script text → plan, pass by pass: parse (with its lexer) → expand → check → lower → optimise → emit. Every pass
 * collects its problems; a pass is only reached without errors before it.
 */

import type { Script } from "./ast.ts";
import { checkScript } from "./check/index.ts";
import { someOf } from "./check/nearest.ts";
import { type Diagnostic, Diagnostics } from "./diagnostic.ts";
import { disassemble } from "./emit/bpf/listing.ts";
import { emitPlan, STACK_BYTES } from "./emit/plan.ts";
import { expandScript } from "./expand/index.ts";
import type { Compile, CompileOptions, CompileResult } from "./index.ts";
import { printIr } from "./ir/print.ts";
import type { ProgramIr } from "./ir/types.ts";
import type { Kernel } from "./kernel.ts";
import { type Lowered, lower } from "./lower/program.ts";
import { NotSupported } from "./lower/unsupported.ts";
import { optimise } from "./optimise/index.ts";
import { parseScript } from "./parse/index.ts";
import type { Plan } from "./plan.ts";
import { printAst } from "./print-ast.ts";
import { BUILTINS } from "./tables/builtins.ts";
import { functionNamed } from "./tables/functions.ts";
import type { TypedProgram } from "./typed.ts";

/** What the passes make, one after another. */
interface State {
  source: string;
  kernel: Kernel;
  options: CompileOptions;
  diagnostics: Diagnostics;
  files: { name: string; text: string }[];
  script?: Script;
  typed?: TypedProgram;
  lowered?: Lowered;
  optimised?: ProgramIr[];
  plan?: Plan;
}

const builtinNames = new Set(BUILTINS.map((row) => row.name));

const PASSES: readonly { name: string; run: (state: State) => void }[] = [
  {
    name: "parse",
    run(state) {
      const { script, diagnostics } = parseScript(state.source);
      state.script = script;
      state.diagnostics.list.push(...diagnostics);
    },
  },
  {
    name: "expand",
    run(state) {
      const { kernel, options } = state;
      const { script, diagnostics, files } = expandScript(state.script!, state.source, {
        fileName: options.fileName,
        kernel,
        includePaths: options.includePaths,
        includes: options.includes,
        isFunction: (name) => functionNamed(name) !== undefined || builtinNames.has(name),
      });
      state.script = script;
      state.files = files;
      state.diagnostics.list.push(...diagnostics);
    },
  },
  {
    name: "check",
    run(state) {
      state.typed = checkScript(state.script!, state.kernel, state.options, state.diagnostics);
    },
  },
  { name: "filter", run: filter },
  {
    name: "lower",
    run(state) {
      state.lowered = lowered(state, state.typed!.config.onStackLimit);
    },
  },
  {
    name: "optimise",
    run(state) {
      state.optimised = optimised(state.lowered!);
    },
  },
  { name: "emit", run: emit },
];

const UNFILTERED = new Set(["begin", "end", "self"]);

/** Leaves out what --probe-filter does not find, once all of the script is known to be right. */
function filter({ typed, options: { probeFilter }, diagnostics, script }: State): void {
  if (!typed || !probeFilter) return;
  const names = typed.actions.flatMap(({ probes }) => probes.map(({ name }) => name));
  typed.actions = typed.actions
    .map((action) => ({
      ...action,
      probes: action.probes.filter(
        ({ attach, label, name }) => UNFILTERED.has(attach.kind) || probeFilter.test(label ?? name),
      ),
    }))
    .filter(({ probes }) => probes.length > 0);
  if (typed.actions.length === 0)
    diagnostics.error("no-probes", script!.span, `no probe of this script matches ${probeFilter}`, {
      hint: `it has ${someOf(names)}`,
    });
}

function lowered({ typed, options, kernel, diagnostics }: State, onStackLimit: number): Lowered {
  const { warnHelperErrors = false, pid, command, guarded } = options;
  const ofProcess = pid !== undefined || command !== undefined;
  const config = { ...typed!.config, onStackLimit };
  const attempt = (bigScratch: boolean) =>
    lower(
      { ...typed!, config },
      kernel,
      { warnHelperErrors, pid, ofProcess, bigScratch, guarded },
      diagnostics,
    );
  const usual = attempt(false);
  return usual.layout.scratchTooBig ? attempt(true) : usual;
}

/** Programs that share their code are worked on once. */
function optimised({ programs }: Lowered): ProgramIr[] {
  const known = new Map<ProgramIr, ProgramIr>();
  return programs.map(({ ir }) => {
    const made = known.get(ir) ?? optimise(ir);
    known.set(ir, made);
    return made;
  });
}

/** Scalars always live on the stack; with this limit nothing else does. */
const LEAST_ON_STACK = 8;

/** What does not fit the stack is lowered once more with everything that can live elsewhere off the stack. */
function emit(state: State): void {
  const { typed, kernel, diagnostics } = state;
  const attempt = () => emitPlan(typed!, state.lowered!, state.optimised!, kernel);
  let emitted = attempt();
  if (emitted.deepest.bytes > STACK_BYTES && typed!.config.onStackLimit > LEAST_ON_STACK) {
    state.lowered = lowered(state, LEAST_ON_STACK);
    state.optimised = optimised(state.lowered);
    emitted = attempt();
  }
  state.plan = emitted.plan;
  const { bytes, span } = emitted.deepest;
  if (bytes <= STACK_BYTES) return;
  diagnostics.error(
    "stack-too-big",
    span,
    `this action needs ${bytes} bytes of stack; BPF programs have ${STACK_BYTES}`,
    { hint: "use fewer variables at a time, or fewer loops inside of loops" },
  );
}

export const compile: Compile = (source, kernel, options = {}): CompileResult => {
  const diagnostics = new Diagnostics();
  const files = [{ name: options.fileName ?? "stdin", text: source }];
  const state: State = { source, kernel, options, diagnostics, files };
  for (const pass of PASSES) {
    runPass(pass, state);
    // The checker looks at what the parser could save: an editor wants all problems at once.
    if (diagnostics.hasErrors && pass.name !== "parse" && pass.name !== "expand") break;
    if (diagnostics.list.some(({ code }) => code === "tracepoint-unread")) break;
  }
  const { plan, lowered, optimised, script, typed } = state;
  return {
    diagnostics: diagnostics.list,
    files: state.files,
    ...(plan && !diagnostics.hasErrors ? { plan } : {}),
    stages: {
      ...(script ? { ast: () => printAst(script) } : {}),
      ...(typed ? { typed: () => printTyped(typed) } : {}),
      ...(optimised ? { ir: () => printIr(optimised, (map) => lowered!.layout.maps[map].name) } : {}),
      ...(plan ? { bpf: () => disassemble(plan, state.files) } : {}),
    },
  };
};

function runPass(pass: (typeof PASSES)[number], state: State): void {
  try {
    pass.run(state);
  } catch (error) {
    state.diagnostics.list.push(asDiagnostic(pass.name, error, state));
  }
}

/** Something that no pass was prepared for must not take the editor or the engine down. */
function asDiagnostic(pass: string, error: unknown, state: State): Diagnostic {
  if (error instanceof NotSupported) {
    return {
      severity: "error",
      code: "not-supported",
      span: error.span ?? state.script?.span ?? { start: 0, end: 0 },
      message: error.message,
    };
  }
  const tooDeep = error instanceof RangeError && /call stack/i.test(error.message);
  const text = error instanceof Error ? error.message : String(error);
  return {
    severity: "error",
    code: tooDeep ? "too-deep" : "internal-error",
    span: state.script?.span ?? { start: 0, end: state.source.length },
    message: tooDeep
      ? "the script is nested too deeply to compile"
      : `the compiler failed on this script while it was to ${pass} it: ${text}`,
    ...(tooDeep ? {} : { hint: "please report this script: it is a bug in tracedeck" }),
    ...(error instanceof Error && error.stack && !tooDeep
      ? { notes: [{ message: error.stack.split("\n").slice(1, 4).join("\n") }] }
      : {}),
  };
}

function printTyped(typed: TypedProgram): string {
  const seen = new Set<object>();
  const plain = (key: string, value: unknown): unknown => {
    if (key === "span") return undefined;
    if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    if (typeof value === "function") return undefined;
    if (value instanceof Map) return undefined;
    if (key === "map" && typeof value === "object" && value && "name" in value) return value.name;
    if (key === "local" && typeof value === "object" && value && "name" in value) {
      if (seen.has(value)) return value.name;
      seen.add(value);
    }
    return value;
  };
  return JSON.stringify(typed, plain, 2);
}
