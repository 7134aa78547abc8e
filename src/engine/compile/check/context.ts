/** Where the checker is: in which script, in an action of which probes, in which scope, and who hears of problems. */
import type { Block, Expression, FunctionDefinition, Statement } from "../ast.ts";
import type { Diagnostics, Span } from "../diagnostic.ts";
import type { CompileOptions } from "../index.ts";
import type { Kernel } from "../kernel.ts";
import { textToBytes } from "../parse/bytes.ts";
import type { ProbeTypeRow } from "../tables/probeTypes.ts";
import type {
  Config,
  Local,
  Probe,
  TypedBlock,
  TypedExpression,
  TypedProgram,
  TypedStatement,
} from "../typed.ts";
import { type AddressSpace, INT64, type IntType, sizeOf, type Type, UINT64 } from "../types.ts";
import type { Definitions, TypeNameContext } from "./definitions.ts";
import type { Inference } from "./inference.ts";
import { type ProgramTypes, programTypes } from "./program.ts";
import { isUnknown, literalInt, UNKNOWN } from "./promote.ts";

/** Probes that one typed action serves. */
export interface ProbeGroup {
  row: ProbeTypeRow;
  probes: Probe[];
  /** Set when the group is one probe because the body compares `probe` or `func` with text. */
  named: boolean;
  /** Of all USDT probes of the action, as many arguments as one has at most. */
  mostArguments?: number;
}

interface Scope {
  parent: Scope | undefined;
  variables: Map<string, { declaration: object; local: Local; fixed: Type | undefined }>;
}

/** A call of one of the script's own functions. */
export interface Within {
  definition: FunctionDefinition;
  /** Of what it returns; undefined: nothing, or its type is not known. */
  result: { local: Local; fixed: Type | undefined } | undefined;
  id: number;
  outer: Within | undefined;
}

/** What all actions of a script share. */
export interface ScriptContext {
  kernel: Kernel;
  options: CompileOptions;
  config: Config;
  definitions: Definitions;
  inference: Inference;
  report: Diagnostics;
  /** Maps that the script's text assigns to somewhere, in code that counts here or not. */
  assigned: ReadonlySet<string>;
  /** What the script declares with fn. */
  functions: ReadonlyMap<string, FunctionDefinition>;
  /** The last round: types are settled, what is made is kept. */
  final: boolean;
  /** Options that getopt() asks for, by name. */
  settings: Map<string, TypedProgram["options"][number]>;
}

/** The mutually recursive parts of the checker, handed in so that files do not import in circles. */
export interface Passes {
  expression: (expression: Expression, cx: Context) => TypedExpression;
  block: (block: Block, cx: Context) => TypedBlock;
  statement: (statement: Statement, cx: Context) => TypedStatement[];
}

export class Context implements TypeNameContext {
  readonly script: ScriptContext;
  readonly group: ProbeGroup;
  readonly #passes: Passes;
  #scope: Scope = { parent: undefined, variables: new Map() };
  #program: { types: ProgramTypes | undefined } | undefined;
  loops = 0;
  /** Bodies that unroll has repeated in this action. */
  unrolled = 0;
  /** The function whose body is at hand, and those that it is called from. */
  within: Within | undefined;
  /** Bodies of functions that this action has been given. */
  called = 0;
  /** Inside sizeof and typeof: only types count, nothing is declared or assigned. */
  typesOnly = 0;

  constructor(script: ScriptContext, group: ProbeGroup, passes: Passes) {
    this.script = script;
    this.group = group;
    this.#passes = passes;
  }

  get report(): Diagnostics {
    return this.script.report;
  }
  get kernel(): Kernel {
    return this.script.kernel;
  }
  get config(): Config {
    return this.script.config;
  }
  get inference(): Inference {
    return this.script.inference;
  }
  get final(): boolean {
    return this.script.final;
  }
  get maxStrlen(): number {
    return this.script.config.maxStrlen;
  }

  /** Where this probe's pointers lead: into the traced program, or the kernel. */
  get space(): AddressSpace {
    const attach = this.group.probes[0]?.attach;
    return attach?.kind === "tracepoint" && attach.category === "syscalls" ? "user" : this.group.row.space;
  }

  /** Types of the traced program, where the probe is in one. */
  get program(): ProgramTypes | undefined {
    this.#program ??= { types: programTypes(this.group.probes, this) };
    return this.#program.types;
  }

  error(code: string, span: Span, message: string, hint?: string): void {
    this.report.error(code, span, message, hint ? { hint } : {});
  }

  /** Reports, and stands in for the value that could not be made. */
  fail(code: string, span: Span, message: string, hint?: string): TypedExpression {
    this.error(code, span, message, hint);
    return this.unknown(span);
  }

  unknown(span: Span): TypedExpression {
    return { op: "int", value: 0n, type: UNKNOWN, span };
  }

  int(value: bigint, span: Span, type: IntType = literalInt(value)): TypedExpression {
    return { op: "int", value, type, span };
  }

  bool(value: boolean, span: Span): TypedExpression {
    return { op: "int", value: value ? 1n : 0n, type: { kind: "bool" }, span };
  }

  string(value: string, span: Span): TypedExpression {
    return { op: "string", value, type: { kind: "string", size: textToBytes(value).length + 1 }, span };
  }

  expression(expression: Expression): TypedExpression {
    return this.#passes.expression(expression, this);
  }

  /** A block in a scope of its own. */
  block(block: Block): TypedBlock {
    return this.inScope(() => this.#passes.block(block, this));
  }

  /** In the scope at hand: a function's body, beside its parameters. */
  blockHere(block: Block): TypedBlock {
    return this.#passes.block(block, this);
  }

  statement(statement: Statement): TypedStatement[] {
    return this.#passes.statement(statement, this);
  }

  inScope<T>(run: () => T): T {
    const outer = this.#scope;
    this.#scope = { parent: outer, variables: new Map() };
    try {
      return run();
    } finally {
      this.#scope = outer;
    }
  }

  /** In a function's body, which sees nothing of where it is called. */
  inFunction<T>(within: Within, run: () => T): T {
    const [scope, loops, outer] = [this.#scope, this.loops, this.within];
    this.#scope = { parent: undefined, variables: new Map() };
    this.loops = 0;
    this.within = within;
    try {
      return run();
    } finally {
      [this.#scope, this.loops, this.within] = [scope, loops, outer];
    }
  }

  inLoop<T>(run: () => T): T {
    this.loops++;
    try {
      return run();
    } finally {
      this.loops--;
    }
  }

  /** A new variable of the current scope. `fixed`: its type is declared and never grows. */
  declare(name: string, declaration: object, span: Span, fixed?: Type): Local {
    if (fixed) this.inference.setLocal(this.group, declaration, fixed);
    const type = this.inference.local(this.group, declaration);
    const local: Local = { name, type, addressed: false, span };
    this.#scope.variables.set(name, { declaration, local, fixed });
    return local;
  }

  lookup(name: string): { declaration: object; local: Local; fixed: Type | undefined } | undefined {
    for (let scope: Scope | undefined = this.#scope; scope; scope = scope.parent) {
      const found = scope.variables.get(name);
      if (found) return found;
    }
    return undefined;
  }

  inCurrentScope(name: string): boolean {
    return this.#scope.variables.has(name);
  }

  variableNames(): string[] {
    const names: string[] = [];
    for (let scope: Scope | undefined = this.#scope; scope; scope = scope.parent)
      names.push(...scope.variables.keys());
    return names;
  }

  /** For type names: the value of a constant expression. */
  constant(expression: Expression): bigint | undefined {
    const value = this.expression(expression);
    return value.op === "int" && !isUnknown(value.type) ? value.value : undefined;
  }

  typeOf(expression: Expression): Type | undefined {
    if (expression.kind === "map" && !expression.key) {
      const facts = this.inference.map(expression.name, expression.span);
      if (facts.keyed) return isUnknown(facts.key) ? undefined : facts.key;
      if (facts.keyed === undefined && !this.final) return undefined;
    }
    this.typesOnly++;
    const value = this.inScope(() => this.expression(expression));
    this.typesOnly--;
    // A char array takes its own bytes, not those of the string that it is read into.
    const isText = value.op === "call" && value.name === "str.array";
    const type: Type = isText ? { kind: "string", size: sizeOf(value.arguments[0].type) } : value.type;
    return isUnknown(type) ? undefined : type;
  }
}

/** 64 bits wide, of the same sign. */
export const widest = (signed: boolean): IntType => (signed ? INT64 : UINT64);
