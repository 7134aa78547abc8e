/** Types as written: `uint64`, `struct sock*`, `unsigned int[4]`, `typeof($x)`; and whether something is a type at all. */
import type { Expression, TypeArgument, TypeName } from "../ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseExpression } from "./expressions.ts";

/** Words that together spell one C integer type. */
const INTEGER_WORDS = new Set([
  "unsigned",
  "signed",
  "long",
  "short",
  "int",
  "char",
  "__signed__",
  "_Bool",
  "double",
  "float",
]);
const QUALIFIERS = new Set(["const", "volatile", "restrict", "__restrict", "_Atomic"]);
const TAGS = new Set(["struct", "union", "enum"]);

/**
 * Bare names that are values, so that `(pid) * 2` multiplies where `(size_t) * 2` casts what the pointer points to. Any
 * other name in parentheses is a type when something that can start an expression follows.
 */
const VALUES =
  /^(?:args|ctx|kstack|(?:dw_)?ustack|nsecs|elapsed|pid|tid|uid|gid|cpid|ppid|pcomm|comm|cpu|ncpus|cgroup|curtask|rand|func|probe|probetype|retval|username|usermode|jiffies|numaid|s?arg[0-9]+|__builtin_\w+|true|false)$/;

/** Builtins that nothing may redefine. */
export const isBuiltinName = (name: string): boolean =>
  /^(?:args|ctx|kstack|(?:dw_)?ustack|nsecs|pid|tid|s?arg[0-9]+|__builtin_\w+)$/.test(name);

export const isValueName = (name: string): boolean => VALUES.test(name);

/** Index past the type that starts `from` tokens ahead; `bare`: a single unknown name, that only the place makes a type. */
function scanType(p: Cursor, from: number): { end: number; bare: boolean } | undefined {
  let at = from;
  const skipQualifiers = () => {
    while (p.peek(at).kind === "word" && QUALIFIERS.has(p.peek(at).text)) at++;
  };
  skipQualifiers();
  const first = p.peek(at);
  if (first.kind !== "word") return undefined;
  let bare = false;
  if (TAGS.has(first.text)) {
    at++;
    if (p.peek(at).kind !== "word") return undefined;
    at++;
  } else if (INTEGER_WORDS.has(first.text)) {
    while (p.peek(at).kind === "word" && INTEGER_WORDS.has(p.peek(at).text)) at++;
  } else {
    at++;
    bare = true;
  }
  for (;;) {
    skipQualifiers();
    if (p.at("*", at)) {
      at++;
    } else if (p.at("[", at)) {
      let open = 0;
      do {
        if (p.peek(at).kind === "end") return undefined;
        if (p.at("[", at)) open++;
        else if (p.at("]", at)) open--;
        at++;
      } while (open > 0);
    } else {
      return { end: at, bare };
    }
    bare = false;
  }
}

/** Whether `( type ) expression` stands here, the opening parenthesis at the cursor. */
export function atCast(p: Cursor): boolean {
  if (p.atWord("typeof", 1)) {
    let at = 2;
    let open = 0;
    do {
      if (p.peek(at).kind === "end") return false;
      if (p.at("(", at)) open++;
      else if (p.at(")", at)) open--;
      at++;
    } while (open > 0);
    while (p.at("*", at)) at++;
    return p.at(")", at) && startsExpression(p, at + 1);
  }
  const name = p.peek(1);
  if (name.kind !== "word" || isValueName(name.text) || p.valueDefines.has(name.text)) return false;
  const type = scanType(p, 1);
  return type !== undefined && p.at(")", type.end) && startsExpression(p, type.end + 1);
}

function startsExpression(p: Cursor, ahead: number): boolean {
  const token = p.peek(ahead);
  switch (token.kind) {
    case "number":
    case "variable":
    case "positional":
    case "map":
    case "string":
    case "word":
      return !token.top;
    case "operator":
      return ["(", "-", "!", "~", "*", "&"].includes(token.text);
    default:
      return false;
  }
}

/** A type, at the cursor. Reports when there is none. */
export function parseType(p: Cursor): TypeName {
  const start = p.peek().start;
  skipQualifiers(p);
  const type: TypeName = { base: "", modifiers: [], span: p.span(start, start) };
  if (p.atWord("typeof")) {
    p.next();
    p.expect("(", "after typeof");
    const of = parseTypeOrExpression(p);
    type.typeof = of.kind === "type" ? of.type : of;
    p.expect(")", "to close typeof");
  } else {
    parseBase(p, type);
  }
  parseModifiers(p, type);
  type.span = p.span(start);
  return type;
}

/** `struct name`, `unsigned long`, `name`: what stands before the modifiers. */
export function parseBase(p: Cursor, type: TypeName): void {
  skipQualifiers(p);
  const first = p.peek();
  if (first.kind !== "word" || first.top) {
    p.unexpected("expected a type", "for example uint64, int32*, struct task_struct*");
    return;
  }
  p.next();
  if (TAGS.has(first.text)) {
    const name = p.peek();
    if (name.kind !== "word") {
      p.unexpected(`expected a name after '${first.text}'`);
      return;
    }
    p.next();
    type.tag = first.text as "struct" | "union" | "enum";
    type.base = `${first.text} ${name.text}`;
  } else if (INTEGER_WORDS.has(first.text)) {
    const words = [first.text];
    for (;;) {
      skipQualifiers(p);
      if (p.peek().kind !== "word" || !INTEGER_WORDS.has(p.peek().text)) break;
      words.push(p.next().text);
    }
    type.base = words.join(" ");
  } else {
    type.base = first.text;
  }
}

function parseModifiers(p: Cursor, type: TypeName): void {
  while (!p.panicking) {
    skipQualifiers(p);
    if (p.accept("*")) type.modifiers.push({ kind: "pointer" });
    else if (p.at("[")) type.modifiers.push(parseArrayLength(p));
    else break;
  }
}

/** `[n]` or `[]`. */
export function parseArrayLength(p: Cursor): { kind: "array"; length?: Expression } {
  p.next();
  const modifier: { kind: "array"; length?: Expression } = { kind: "array" };
  if (!p.at("]")) modifier.length = parseExpression(p);
  p.expect("]", "after the array's length");
  return modifier;
}

export function skipQualifiers(p: Cursor): void {
  while (p.peek().kind === "word" && QUALIFIERS.has(p.peek().text)) p.next();
}

/**
 * What sizeof, offsetof, typeof and typeinfo take: a type, or an expression that is evaluated for its type. A bare name is
 * a type there, unless it is a builtin; in a macro it may be a parameter.
 */
export function parseTypeOrExpression(p: Cursor): Expression | TypeArgument {
  const start = p.peek().start;
  const asType = (): TypeArgument => {
    const type = parseType(p);
    return { kind: "type", type, span: p.span(start) };
  };
  if (p.atWord("typeof")) return asType();
  const name = p.peek();
  if (name.kind === "word" && !isValueName(name.text)) {
    const scanned = scanType(p, 0);
    if (scanned && (p.at(")", scanned.end) || p.at(",", scanned.end))) return asType();
  }
  return parseExpression(p);
}
