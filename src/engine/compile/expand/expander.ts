/**
 * Replaces macro calls and #defined names by what they stand for.
 *
 * Macros are hygienic. In a macro's body `$x` is a parameter or the macro's own: its own get a new name per expansion
 * (`$x·3`, which no script can write). Maps must be passed in. A name that is a parameter becomes the argument as the
 * caller meant it: arguments are expanded where they were written, before they are put in.
 */
import { tokenizeC } from "../../../syntax/lexer.ts";
import type { Block, Expression, Statement, TypeArgument, TypeName } from "../ast.ts";
import type { Diagnostics, Span } from "../diagnostic.ts";
import { Cursor } from "../parse/cursor.ts";
import { parseExpression } from "../parse/expressions.ts";
import { asStatement } from "../parse/statements.ts";
import { parseType } from "../parse/types.ts";
import type { Define, Defines } from "./defines.ts";
import { type MacroDefinition, type MacroTable, mismatch } from "./macros.ts";
import { Rewriter } from "./rewrite.ts";

const MAX_STACK = 64;
const MAX_EXPANSIONS = 5_000;
/** Nodes that all expansions together may produce. */
const MAX_NODES = 300_000;
const MAX_HEIGHT = 600;

/** What an expansion knows of the names in the body at hand. A #define has only values and sees the frame around it. */
interface Frame {
  macro?: MacroDefinition;
  /** Distinguishes the variables of this expansion from those of any other. */
  id: number;
  variables: Map<string, string>;
  maps: Map<string, string>;
  values: Map<string, Expression | TypeArgument>;
  /** As written, for a field's name in offsetof. */
  written: Map<string, Expression | TypeArgument>;
  own: Set<string>;
}

export interface ExpanderOptions {
  macros: MacroTable;
  defines: Defines;
  report: Diagnostics;
  /** Functions that are no macros: a call that fits no macro may still mean one. */
  isFunction(name: string): boolean;
}

export class Expander extends Rewriter {
  private readonly options: ExpanderOptions;
  private readonly stack: Frame[] = [];
  private readonly defining: string[] = [];
  private readonly sizes = new WeakMap<object, { nodes: number; height: number }>();
  private expansions = 0;
  private nodes = 0;
  private exhausted = false;

  constructor(options: ExpanderOptions) {
    super();
    this.options = options;
  }

  /** The macro whose body is at hand. */
  private get frame(): (Frame & { macro: MacroDefinition }) | undefined {
    for (let i = this.stack.length - 1; i >= 0; i--) {
      const frame = this.stack[i];
      if (frame.macro) return frame as Frame & { macro: MacroDefinition };
    }
    return undefined;
  }

  /** What a name was given as an argument. */
  private parameter(
    name: string,
    which: "values" | "written" = "values",
  ): Expression | TypeArgument | undefined {
    for (let i = this.stack.length - 1; i >= 0; i--) {
      const frame = this.stack[i];
      const value = frame[which].get(name);
      if (value || frame.macro) return value;
    }
    return undefined;
  }

  override variableName(name: string, span: Span): string {
    const { frame } = this;
    if (!frame) return name;
    const passed = frame.variables.get(name);
    if (passed !== undefined) return passed;
    if (!frame.own.has(name)) {
      this.options.report.error(
        "unhygienic-macro",
        span,
        `macro ${frame.macro.name} uses ${name}, which is neither its own nor passed in`,
        { hint: `make ${name} a parameter` },
      );
    }
    return `${name}·${frame.id}`;
  }

  override mapName(name: string, span: Span): string {
    const { frame } = this;
    if (!frame) return name;
    const passed = frame.maps.get(name);
    if (passed !== undefined) return passed;
    this.options.report.error(
      "unhygienic-macro",
      span,
      `macro ${frame.macro.name} uses ${name}, which is not passed in`,
      { hint: `make ${name} a parameter: maps are visible in a macro only when they are passed` },
    );
    return name;
  }

  override statement(s: Statement): Statement {
    if (s.kind === "let" && this.frame?.variables.has(s.name)) {
      const message = `${s.name} is a parameter of macro ${this.frame.macro.name} and can't be declared again`;
      this.options.report.error("redefinition", s.span, message);
    }
    const result = super.statement(s);
    // A call that became a block is a statement, and its value is dropped.
    if (s.kind === "expression" && result.kind === "expression" && result.expression !== s.expression) {
      const { kind } = result.expression;
      if (kind === "block" || kind === "if-expression") return asStatement(result.expression);
    }
    return result;
  }

  override expression(e: Expression): Expression {
    if (e.kind === "identifier") return this.identifier(e);
    if (e.kind === "call") return this.call(e);
    if (e.kind === "offsetof") {
      const { path } = e;
      const written = path.length === 1 ? this.parameter(path[0], "written") : undefined;
      const of = this.argument(e.of);
      return { ...e, of, path: written ? (fieldPath(written) ?? path) : path };
    }
    if (e.kind === "cast") this.checkCast(e);
    return super.expression(e);
  }

  private identifier(e: Expression & { kind: "identifier" }): Expression {
    const value = this.parameter(e.name);
    if (value) {
      if (value.kind !== "type") return this.charge(value, e);
      this.options.report.error("type-mismatch", e.span, `${e.name} stands for a type here, not for a value`);
      return { kind: "error", span: e.span };
    }
    const define = this.options.defines.table.get(e.name);
    if (define && !define.parameters) return this.defined(define, [], e);
    if (this.options.macros.has(e.name)) {
      const { macro } = this.options.macros.find(e.name, [], this.frame?.macro.standard ?? false);
      if (macro) return this.expand(macro, [], [], e);
    }
    return e;
  }

  private call(e: Expression & { kind: "call" }): Expression {
    const args = e.arguments.map((argument) => this.argument(argument));
    const define = this.options.defines.table.get(e.name);
    if (define?.parameters) return this.defined(define, args, e);
    const { macros } = this.options;
    if (!macros.has(e.name)) return { ...e, arguments: args };
    const { macro, candidates } = macros.find(e.name, args, this.frame?.macro.standard ?? false);
    if (macro) return this.expand(macro, args, e.arguments, e);
    if (candidates.length > 0 && !this.options.isFunction(e.name)) this.reportMismatch(e, args, candidates);
    return { ...e, arguments: args };
  }

  private reportMismatch(
    e: Expression & { kind: "call" },
    args: readonly (Expression | TypeArgument)[],
    candidates: readonly MacroDefinition[],
  ): void {
    const { report } = this.options;
    const sameCount = candidates.find((macro) => macro.parameters.length === args.length);
    const closest = sameCount ?? candidates[0];
    const notes = [{ message: `macro ${closest.name} is defined here`, span: closest.span }];
    if (!sameCount) {
      const expected = closest.parameters.length;
      const plural = expected === 1 ? "argument" : "arguments";
      const message = `macro ${e.name} takes ${expected} ${plural}, not ${args.length}`;
      report.error("macro-arguments", e.span, message, { notes });
      return;
    }
    for (const [i, parameter] of sameCount.parameters.entries()) {
      const reason = mismatch(parameter.kind, args[i]);
      if (reason && args[i].kind !== "error")
        report.error("macro-arguments", args[i].span, `macro ${e.name} ${reason}`, { notes });
    }
  }

  /** The macro's body with the arguments put in, placed at `site` where it is the script's own text. */
  private expand(
    macro: MacroDefinition,
    args: readonly (Expression | TypeArgument)[],
    written: readonly (Expression | TypeArgument)[],
    site: Expression,
  ): Expression {
    const { report } = this.options;
    const error: Expression = { kind: "error", span: site.span };
    if (this.exhausted) return error;
    const from = this.stack.findIndex((frame) => frame.macro === macro);
    if (from >= 0) {
      const chain = [...this.stack.slice(from).flatMap((f) => f.macro?.name ?? []), macro.name].join(" → ");
      report.error("recursive-macro", site.span, `macro ${macro.name} calls itself: ${chain}`);
      return error;
    }
    if (this.stack.length >= MAX_STACK || ++this.expansions > MAX_EXPANSIONS) {
      return this.exhaust(site.span);
    }
    const frame: Frame = {
      macro,
      id: this.expansions,
      variables: new Map(),
      maps: new Map(),
      values: new Map(),
      written: new Map(),
      own: ownVariables(macro.body, (name) => name === "find" || this.options.macros.has(name)),
    };
    macro.parameters.forEach(({ kind, name }, i) => {
      const argument = args[i];
      if (kind === "variable" && argument.kind === "variable") frame.variables.set(name, argument.name);
      else if (kind === "map" && argument.kind === "map") frame.maps.set(name, argument.name);
      else {
        frame.values.set(name, argument);
        frame.written.set(name, written[i] ?? argument);
      }
    });
    this.stack.push(frame);
    const expanded = this.block(macro.body);
    this.stack.pop();
    const body = macro.standard ? placedAt(expanded, macro.span.file, site.span) : expanded;
    if (body.statements.length === 0 && body.result) return this.charge(body.result, site);
    return this.charge({ kind: "block", body, span: site.span }, site);
  }

  /** A #define's body as an expression, its parameters replaced. */
  private defined(
    define: Define,
    args: readonly (Expression | TypeArgument)[],
    site: Expression,
  ): Expression {
    const { report } = this.options;
    if (this.defining.includes(define.name)) return site;
    if (this.defining.length >= MAX_STACK || ++this.expansions > MAX_EXPANSIONS)
      return this.exhaust(site.span);
    const parameters = define.parameters ?? [];
    if (parameters.length !== args.length) {
      const message = `${define.name} takes ${parameters.length} arguments, not ${args.length}`;
      const notes = [{ message: `${define.name} is defined here`, span: define.span }];
      report.error("macro-arguments", site.span, message, { notes });
      return { kind: "error", span: site.span };
    }
    const body = this.parseDefine(define, site.span);
    if (!body) return { kind: "error", span: site.span };
    const values = new Map(parameters.map((name, i) => [name, args[i]] as const));
    const none = new Map<string, never>();
    this.defining.push(define.name);
    this.stack.push({ id: 0, variables: none, maps: none, values, written: none, own: new Set() });
    const result = this.expression(body);
    this.stack.pop();
    this.defining.pop();
    return this.charge(result, site);
  }

  /** Parsed at every use, so that problems in it are placed where it is used. */
  private parseDefine(define: Define, site: Span): Expression | undefined {
    const p = bodyCursor(define, site);
    const expression = parseExpression(p);
    if (!p.diagnostics.hasErrors && p.peek().kind === "end") return expression;
    this.options.report.error("bad-define", site, `${define.name} does not stand for an expression`, {
      notes: [{ message: `${define.name} is defined here`, span: define.span }],
    });
    return undefined;
  }

  override type(type: TypeName): TypeName {
    const result = super.type(type);
    const bare = result.tag ? result.base.slice(result.tag.length + 1) : result.base;
    if (!bare) return result;
    const value = this.parameter(bare);
    if (value) return this.typeParameter(result, bare, value);
    const define = this.options.defines.table.get(bare);
    if (define && !define.parameters && !result.tag && !this.defining.includes(bare)) {
      const p = bodyCursor(define, type.span);
      const target = parseType(p);
      if (p.diagnostics.hasErrors || p.peek().kind !== "end") return result;
      this.defining.push(bare);
      const expanded = this.type(target);
      this.defining.pop();
      return { ...expanded, modifiers: [...expanded.modifiers, ...result.modifiers], span: result.span };
    }
    return result;
  }

  /** A type whose name is a macro's parameter. */
  private typeParameter(type: TypeName, name: string, value: Expression | TypeArgument): TypeName {
    const { span } = type;
    if (value.kind === "type") {
      const given = value.type;
      if (!type.tag) return { ...given, modifiers: [...given.modifiers, ...type.modifiers], span };
      if (!given.tag && !given.typeof && given.modifiers.length === 0) {
        return { ...type, base: `${type.tag} ${given.base}` };
      }
    } else if (!type.tag) {
      if (value.kind === "identifier" && !this.options.isFunction(value.name))
        return { ...type, base: value.name };
      return { base: "", typeof: value, modifiers: type.modifiers, span };
    } else if (value.kind === "identifier") {
      return { ...type, base: `${type.tag} ${value.name}` };
    }
    this.options.report.error(
      "macro-arguments",
      value.span,
      `'${type.tag} ${name}' needs the name of a ${type.tag} for ${name}`,
    );
    return type;
  }

  /** `(x) - 1` reads as a cast: right for a type, surprising for a parameter that stands for a value. */
  private checkCast(e: Expression & { kind: "cast" }): void {
    if (e.type.modifiers.length > 0 || e.type.tag || e.type.typeof) return;
    const value = this.parameter(e.type.base);
    if (!value || value.kind === "type" || value.kind === "identifier") return;
    const { base } = e.type;
    this.options.report.error(
      "type-mismatch",
      e.span,
      `(${base}) reads as a cast here, but ${base} stands for a value`,
      {
        hint: `drop the parentheses around ${base}`,
      },
    );
  }

  private exhaust(span: Span): Expression {
    if (!this.exhausted) {
      this.options.report.error("macro-limit", span, "macros expand to more than this program can be", {
        hint: "a macro that uses its parameter twice doubles it: bind it to a variable",
      });
    }
    this.exhausted = true;
    return { kind: "error", span };
  }

  /** Counts what an expansion puts into the tree: shared nodes count each time, since later passes visit them each time. */
  private charge(e: Expression, site: Expression): Expression {
    const { nodes, height } = this.measure(e);
    this.nodes += nodes;
    if (this.nodes > MAX_NODES || height > MAX_HEIGHT) return this.exhaust(site.span);
    return e;
  }

  private measure(node: object): { nodes: number; height: number } {
    const known = this.sizes.get(node);
    if (known) return known;
    let nodes = 1;
    let height = 0;
    for (const [key, child] of Object.entries(node)) {
      if (typeof child !== "object" || child === null || key.endsWith("pan")) continue;
      const inner = this.measure(child);
      nodes += inner.nodes;
      height = Math.max(height, inner.height);
    }
    const size = { nodes, height: height + ("kind" in node ? 1 : 0) };
    this.sizes.set(node, size);
    return size;
  }
}

/** What a standard macro is made of, placed where the script calls it: its own text is nobody's to mend. */
function placedAt<T>(node: T, file: number | undefined, span: Span): T {
  if (typeof node !== "object" || node === null) return node;
  if (Array.isArray(node)) return node.map((item) => placedAt(item, file, span)) as T;
  const entries = Object.entries(node).map(([key, value]) => {
    if (!/span$/i.test(key)) return [key, placedAt(value, file, span)];
    return [key, (value as Span | undefined)?.file === file ? span : value];
  });
  return Object.fromEntries(entries) as T;
}

const bodyCursor = (define: Define, site: Span): Cursor =>
  new Cursor(
    tokenizeC(define.body).filter((token) => token.kind !== "comment"),
    undefined,
    site,
  );

/** `member` or `a.b.c`, as names. */
function fieldPath(e: Expression | TypeArgument): string[] | undefined {
  if (e.kind === "identifier") return [e.name];
  if (e.kind === "type") return e.type.modifiers.length === 0 && !e.type.typeof ? [e.type.base] : undefined;
  if (e.kind !== "field") return undefined;
  const base = fieldPath(e.base);
  return base && [...base, e.name];
}

/** Variables that a macro's body makes itself: declared, assigned, looped over, or handed to another macro to set. */
function ownVariables(body: Block, sets: (callee: string) => boolean): Set<string> {
  const own = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return;
    if (Array.isArray(node)) {
      node.forEach(visit);
      return;
    }
    const n = node as Statement | Expression;
    if (n.kind === "let") own.add(n.name);
    else if (n.kind === "for-map" || n.kind === "for-range") own.add(n.variable);
    else if (n.kind === "assign" && n.target.kind === "variable") own.add(n.target.name);
    else if (n.kind === "call" && sets(n.name)) {
      for (const a of n.arguments) if (a.kind === "variable") own.add(a.name);
    }
    for (const [key, child] of Object.entries(n)) if (key !== "span") visit(child);
  };
  visit(body);
  return own;
}
