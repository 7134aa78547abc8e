/**
 * What the parser makes of a script: the text's own shape, nothing resolved. Every node has a span. A broken part is an
 * `error` node, so that the rest can still be checked and completed.
 */
import type { Span } from "./diagnostic.ts";

export interface Script {
  definitions: CDefinition[];
  config: ConfigBlock[];
  imports: Import[];
  mapDeclarations: MapDeclaration[];
  macros: Macro[];
  actions: ActionBlock[];
  functions: FunctionDefinition[];
  span: Span;
}

/** `#include`, `#define`, struct/union/enum/typedef at the top of the script. */
export type CDefinition =
  | { kind: "include"; path: string; system: boolean; span: Span }
  | { kind: "define"; name: string; parameters?: string[]; body: string; span: Span }
  | {
      kind: "struct";
      name: string;
      union: boolean;
      fields: CField[] /** __attribute__((packed)) */;
      packed: boolean;
      span: Span;
    }
  | { kind: "enum"; name: string; values: { name: string; value?: Expression; span: Span }[]; span: Span }
  | { kind: "typedef"; name: string; type: TypeName; span: Span }
  /** `#undef`, and the conditionals around definitions. Expansion resolves them: later passes see none. */
  | { kind: "undefine"; name: string; span: Span }
  | {
      kind: "condition";
      directive: "if" | "ifdef" | "ifndef" | "elif" | "else" | "endif";
      text: string;
      span: Span;
    };

/** A field; an anonymous or inline struct/union carries its definition. */
export interface CField {
  name: string;
  type: TypeName;
  inline?: { union: boolean; fields: CField[]; packed: boolean };
  bits?: number;
  span: Span;
}

/** A type as written: base name, then `*` and `[n]` left to right. */
export interface TypeName {
  /** "uint64", "struct task_struct", "unsigned int", "string", … */
  base: string;
  /** "struct" | "union" | "enum" when written. */
  tag?: "struct" | "union" | "enum";
  /** typeof(expression or type) in place of a base name. */
  typeof?: Expression | TypeName;
  modifiers: ({ kind: "pointer" } | { kind: "array"; length?: Expression })[];
  span: Span;
}

export interface ConfigBlock {
  entries: { name: string; value: string | bigint | boolean; span: Span; valueSpan: Span }[];
  span: Span;
}

export interface Import {
  path: string;
  span: Span;
}

/** `let @a = lruhash(100);` */
export interface MapDeclaration {
  name: string;
  mapType: string;
  arguments: Expression[];
  span: Span;
}

export interface Macro {
  name: string;
  parameters: { kind: "variable" | "map" | "expression"; name: string; span: Span }[];
  body: Block;
  span: Span;
}

/** `fn name($a: type): type { … }` */
export interface FunctionDefinition {
  name: string;
  parameters: { name: string; type: TypeName; span: Span }[];
  returns: TypeName;
  body: Block;
  span: Span;
}

export interface ActionBlock {
  probes: ProbeSpec[];
  predicate?: Expression;
  body: Block;
  span: Span;
}

/** `name=` is optional and kept; `text` is what was written, with positional parameters not yet substituted. */
export interface ProbeSpec {
  label?: string;
  /** As written up to the first colon: "tracepoint", "t", "BEGIN". */
  provider: string;
  /** The colon-separated rest. Quotes removed. */
  parts: string[];
  text: string;
  span: Span;
}

/** Statements, and the value of a block expression (a last expression without semicolon). */
export interface Block {
  statements: Statement[];
  result?: Expression;
  span: Span;
}

export type Statement =
  | { kind: "expression"; expression: Expression; span: Span }
  /** Target `$x`, `@m`, `@m[k]`, `*$p`, `$s.f`; operator "=" or "+=" and its kind. */
  | { kind: "assign"; target: Expression; operator: string; value: Expression; span: Span }
  | { kind: "let"; name: string; type?: TypeName; value?: Expression; span: Span }
  /** `_ = expression` */
  | { kind: "discard"; expression: Expression; span: Span }
  | {
      kind: "if";
      condition: Expression;
      then: Block;
      else?: Block /** if comptime */;
      comptime?: boolean;
      span: Span;
    }
  | { kind: "unroll"; count: Expression; body: Block; span: Span }
  | { kind: "while"; condition: Expression; body: Block; span: Span }
  | { kind: "for-range"; variable: string; start: Expression; end: Expression; body: Block; span: Span }
  | { kind: "for-map"; variable: string; map: Expression; body: Block; span: Span }
  | { kind: "block"; body: Block; span: Span }
  | { kind: "break" | "continue"; span: Span }
  | { kind: "return"; value?: Expression; span: Span }
  | { kind: "error"; span: Span };

export type Expression =
  /** `text` as written: suffixes decide nothing, durations are folded into `value`. */
  | { kind: "integer"; value: bigint; text: string; span: Span }
  | { kind: "string"; value: string; span: Span }
  | { kind: "boolean"; value: boolean; span: Span }
  /** `pid`, an enum constant, a macro without arguments, … */
  | { kind: "identifier"; name: string; span: Span }
  | { kind: "variable"; name: string; span: Span }
  /** `@`, `@name`, with or without a key. Several keys are one tuple (keySugar). */
  | { kind: "map"; name: string; key?: Expression; span: Span }
  /** `$1` (n = 1) or `$#` (n = -1). */
  | { kind: "positional"; index: number; span: Span }
  | { kind: "call"; name: string; nameSpan: Span; arguments: (Expression | TypeArgument)[]; span: Span }
  | { kind: "unary"; operator: "-" | "!" | "~" | "*" | "&" | "+"; operand: Expression; span: Span }
  | { kind: "increment"; operator: "++" | "--"; prefix: boolean; target: Expression; span: Span }
  | { kind: "binary"; operator: string; left: Expression; right: Expression; span: Span; operatorSpan: Span }
  | { kind: "ternary"; condition: Expression; then: Expression; else: Expression; span: Span }
  | { kind: "cast"; type: TypeName; operand: Expression; span: Span }
  /** `.name`, `->name` (arrow), `.0` (a tuple's element). */
  | { kind: "field"; base: Expression; name: string; arrow: boolean; nameSpan: Span; span: Span }
  | { kind: "index"; base: Expression; index: Expression; span: Span }
  | { kind: "tuple"; elements: Expression[]; span: Span }
  | { kind: "record"; fields: { name: string; value: Expression }[]; span: Span }
  | { kind: "sizeof"; of: Expression | TypeArgument; span: Span }
  | { kind: "offsetof"; of: Expression | TypeArgument; path: string[]; span: Span }
  | { kind: "block"; body: Block; span: Span }
  | {
      kind: "if-expression";
      condition: Expression;
      then: Block;
      else?: Block;
      comptime?: boolean;
      span: Span;
    }
  | { kind: "error"; span: Span };

/** A type where an expression may stand: sizeof(struct x), typeof(int32*). */
export interface TypeArgument {
  kind: "type";
  type: TypeName;
  span: Span;
}
