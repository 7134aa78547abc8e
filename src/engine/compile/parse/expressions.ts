/**
 * Expressions, by precedence climbing over C's table:
 *
 *     ?:                         right
 *     ||  &&  |  ^  &            left, each its own level
 *     == !=   < <= > >=   << >>   + -   * / %
 *     ! ~ - + * & ++ -- (type)   prefix
 *     . -> [] ++ --              postfix
 *
 * Two places need a look ahead. A parenthesis opens a cast, a record, a tuple or a group (`atCast` in types.ts has the
 * rule). A slash that a brace follows closes a predicate and never divides.
 */
import type { Expression, TypeArgument } from "../ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseNumber, parseString } from "./literals.ts";
import { parseBlock, parseConditional } from "./statements.ts";
import { atCast, isValueName, parseType, parseTypeOrExpression } from "./types.ts";

const PRECEDENCE: Record<string, number> = {
  "||": 1,
  "&&": 2,
  "|": 3,
  "^": 4,
  "&": 5,
  "==": 6,
  "!=": 6,
  "<": 7,
  "<=": 7,
  ">": 7,
  ">=": 7,
  "<<": 8,
  ">>": 8,
  "+": 9,
  "-": 9,
  "*": 10,
  "/": 10,
  "%": 10,
};

export function parseExpression(p: Cursor): Expression {
  return p.nested(
    () => parseTernary(p),
    () => errorNode(p),
  );
}

export function errorNode(p: Cursor): Expression {
  const { start } = p.peek();
  return { kind: "error", span: p.span(start, start) };
}

function parseTernary(p: Cursor): Expression {
  const condition = parseBinary(p, 0);
  if (p.panicking || !p.accept("?")) return condition;
  let then = condition;
  if (!p.at(":")) then = parseExpression(p);
  if (!p.expect(":", "in the conditional expression, between what holds if true and if false")) return then;
  const otherwise = parseExpression(p);
  const span = p.span(condition.span.start);
  return p.node({ kind: "ternary", condition, then, else: otherwise, span }, condition, then, otherwise);
}

function parseBinary(p: Cursor, minimum: number): Expression {
  let left = parseUnary(p);
  while (!p.panicking) {
    const token = p.peek();
    const precedence = token.kind === "operator" ? PRECEDENCE[token.text] : undefined;
    if (precedence === undefined || precedence < minimum) break;
    if (token.text === "/" && p.at("{", 1)) break;
    p.next();
    const right = parseBinary(p, precedence + 1);
    left = p.node(
      {
        kind: "binary",
        operator: token.text,
        left,
        right,
        span: p.span(left.span.start),
        operatorSpan: p.tokenSpan(token),
      },
      left,
      right,
    );
  }
  return left;
}

type UnaryOperator = "-" | "!" | "~" | "*" | "&" | "+";
const PREFIX = new Set(["-", "!", "~", "*", "&", "+", "++", "--"]);

export function parseUnary(p: Cursor): Expression {
  const token = p.peek();
  if (token.kind !== "operator" || !PREFIX.has(token.text)) return parsePostfix(p, parsePrimary(p));
  return p.nested(
    () => {
      p.next();
      const operand = parseUnary(p);
      const span = p.span(token.start);
      if (token.text === "++" || token.text === "--") {
        if (!checkIncrement(p, token.text, operand)) return operand;
        return p.node(
          { kind: "increment", operator: token.text, prefix: true, target: operand, span },
          operand,
        );
      }
      if (token.text === "&" && !p.panicking && !isAddressable(operand)) {
        p.error("syntax", operand.span, "'&' takes the address of a variable or a map, nothing else");
      }
      return p.node({ kind: "unary", operator: token.text as UnaryOperator, operand, span }, operand);
    },
    () => errorNode(p),
  );
}

const isAddressable = (e: Expression): boolean =>
  e.kind === "variable" || e.kind === "map" || e.kind === "error";

function checkIncrement(p: Cursor, operator: string, target: Expression): boolean {
  if (isAddressable(target)) return true;
  p.error("syntax", target.span, `'${operator}' needs a variable or a map to change`);
  return false;
}

function parsePostfix(p: Cursor, operand: Expression): Expression {
  let base = operand;
  while (!p.panicking) {
    const token = p.peek();
    if (token.kind !== "operator") break;
    const { start } = base.span;
    if (token.text === "." || token.text === "->") {
      p.next();
      const name = p.peek();
      if ((name.kind !== "word" && name.kind !== "number") || name.top) {
        p.unexpected(`expected a field's name after '${token.text}'`);
        const nameSpan = p.span(token.end, token.end);
        return { kind: "field", base, name: "", arrow: token.text === "->", nameSpan, span: p.span(start) };
      }
      p.next();
      if (name.kind === "number" && !/^[0-9]+$/.test(name.text)) {
        p.error("syntax", p.tokenSpan(name), `'${name.text}' is no index of a tuple's element`);
      }
      base = p.node(
        {
          kind: "field",
          base,
          name: name.text,
          arrow: token.text === "->",
          nameSpan: p.tokenSpan(name),
          span: p.span(start),
        },
        base,
      );
    } else if (token.text === "[") {
      p.next();
      const index = parseExpression(p);
      p.expect("]", "after the index");
      base = p.node({ kind: "index", base, index, span: p.span(start) }, base, index);
    } else if (token.text === "++" || token.text === "--") {
      p.next();
      if (!checkIncrement(p, token.text, base)) return base;
      base = p.node(
        { kind: "increment", operator: token.text, prefix: false, target: base, span: p.span(start) },
        base,
      );
    } else break;
  }
  return base;
}

function parsePrimary(p: Cursor): Expression {
  const token = p.peek();
  const span = p.tokenSpan(token);
  switch (token.kind) {
    case "number": {
      p.next();
      const number = parseNumber(token.text);
      if ("error" in number) {
        p.error("bad-number", span, number.error, number.hint);
        return { kind: "error", span };
      }
      return { kind: "integer", value: number.value, text: token.text, span };
    }
    case "string":
      return { kind: "string", value: parseStringToken(p), span };
    case "variable":
      p.next();
      return { kind: "variable", name: token.text, span };
    case "positional":
      return parsePositional(p);
    case "map":
      return parseMap(p);
    case "word":
      if (!token.top) return parseWord(p);
      break;
    case "operator":
      if (token.text === "(") return parseParenthesis(p);
      if (token.text === "{") return parseBlockExpression(p);
      break;
  }
  const found = token.kind === "end" ? "the script ends here" : `found ${describe(token.text)}`;
  p.unexpected(`expected an expression, but ${found}`);
  return errorNode(p);
}

/** A token's text for a message: short, and nothing that could upset a terminal. */
export function describe(text: string): string {
  if (/^["'].*["']$/.test(text) && text.length <= 20 && !/[\p{C}]/u.test(text)) return text;
  const visible = [...text.slice(0, 100)]
    .map((c) => (/[\p{C}\p{Z}]/u.test(c) && c !== " " ? codePoint(c) : c))
    .slice(0, 20);
  return `'${visible.join("")}${text.length > 20 ? "…" : ""}'`;
}

const codePoint = (c: string) => `U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;

/** The string token at the cursor. */
export function parseStringToken(p: Cursor): string {
  const token = p.next();
  if (token.unterminated) {
    p.error(
      "unterminated-string",
      p.tokenSpan(token),
      "the string is not closed",
      'add a " before the line ends',
    );
    p.panicking = true;
    p.swallowed = true;
  }
  const { value, errors } = parseString(token.unterminated ? `${token.text}"` : token.text);
  for (const e of errors) {
    const end = Math.min(token.start + e.end, token.end);
    p.error(
      "bad-escape",
      p.span(token.start + e.start, end),
      e.message,
      'known: \\n \\t \\r \\\\ \\" \\NNN \\xNN',
    );
  }
  return value;
}

function parsePositional(p: Cursor): Expression {
  const token = p.next();
  const span = p.tokenSpan(token);
  if (token.text === "$#") return { kind: "positional", index: -1, span };
  const index = Number(token.text.slice(1));
  if (index < 1 || !Number.isSafeInteger(index)) {
    p.error("syntax", span, `${describe(token.text)} is no positional parameter: they count from $1`);
    return { kind: "error", span };
  }
  return { kind: "positional", index, span };
}

/** `@name`, `@name[key]`, `@name[a, b]`: several keys are one tuple. */
function parseMap(p: Cursor): Expression {
  const token = p.next();
  if (!p.at("[")) return { kind: "map", name: token.text, span: p.tokenSpan(token) };
  p.next();
  const open = p.previous()!;
  const keys = [parseExpression(p)];
  while (!p.panicking && p.accept(",")) {
    if (p.at("]")) break;
    keys.push(parseExpression(p));
  }
  p.expect("]", "after the map's key");
  const key =
    keys.length === 1
      ? keys[0]
      : p.node({ kind: "tuple", elements: keys, span: p.span(open.end, keys.at(-1)!.span.end) }, ...keys);
  return p.node({ kind: "map", name: token.text, key, span: p.span(token.start) }, key);
}

/** Words that can't stand for a value. */
const RESERVED = new Set([
  "else",
  "for",
  "while",
  "unroll",
  "let",
  "return",
  "break",
  "continue",
  "import",
  "struct",
  "union",
  "enum",
]);

function parseWord(p: Cursor): Expression {
  const token = p.peek();
  const { start } = token;
  switch (token.text) {
    case "true":
    case "false":
      p.next();
      return { kind: "boolean", value: token.text === "true", span: p.span(start) };
    case "if": {
      const { condition, then, otherwise, comptime } = parseConditional(p);
      const span = p.span(start);
      return p.adopt(
        { kind: "if-expression", condition, then, else: otherwise, ...(comptime && { comptime }), span },
        condition,
        then,
        otherwise,
      );
    }
    case "comptime": {
      p.next();
      const operand = parseUnary(p);
      return p.node(
        {
          kind: "call",
          name: "comptime",
          nameSpan: p.tokenSpan(token),
          arguments: [operand],
          span: p.span(start),
        },
        operand,
      );
    }
    case "sizeof":
    case "offsetof":
    case "typeinfo":
      if (p.at("(", 1)) return parseTypeFunction(p, token.text);
      break;
  }
  if (RESERVED.has(token.text)) {
    const type = /^(?:struct|union|enum)$/.test(token.text);
    p.unexpected(
      `expected an expression, but found ${describe(token.text)}`,
      type ? "to pass a type, wrap it: typeof(struct name)" : undefined,
    );
    return errorNode(p);
  }
  p.next();
  // `name!(…)` is an older way to call a macro.
  const bang = p.at("!") && p.at("(", 1) && p.peek().start === token.end && p.peek(1).start === p.peek().end;
  if (bang) p.next();
  if (!p.at("(")) return { kind: "identifier", name: token.text, span: p.span(start) };
  p.next();
  const args: (Expression | TypeArgument)[] = [];
  while (!p.at(")") && !p.panicking) {
    args.push(p.atWord("typeof") ? parseTypeOrExpression(p) : parseExpression(p));
    if (p.panicking || !p.accept(",")) break;
  }
  if (!p.accept(")")) p.unexpected(`expected ')' after the arguments of ${describe(token.text)}`);
  const values = args.filter((a): a is Expression => a.kind !== "type");
  return p.node(
    { kind: "call", name: token.text, nameSpan: p.tokenSpan(token), arguments: args, span: p.span(start) },
    ...values,
  );
}

/** `sizeof(T)`, `offsetof(T, a.b)`, `typeinfo(T)`. */
function parseTypeFunction(p: Cursor, name: "sizeof" | "offsetof" | "typeinfo"): Expression {
  const word = p.next();
  p.next();
  const of = parseTypeOrExpression(p);
  const path: string[] = [];
  if (name === "offsetof" && p.expect(",", "and a field's name, as in offsetof(struct task_struct, pid)")) {
    do {
      const field = p.peek();
      if (field.kind !== "word") {
        p.unexpected("expected a field's name");
        break;
      }
      path.push(p.next().text);
    } while (p.accept("."));
  }
  p.expect(")", `to close ${name}`);
  const span = p.span(word.start);
  const child = of.kind === "type" ? undefined : of;
  if (name === "sizeof") return p.node({ kind: "sizeof", of, span }, child);
  if (name === "offsetof") return p.node({ kind: "offsetof", of, path, span }, child);
  return p.node({ kind: "call", name, nameSpan: p.tokenSpan(word), arguments: [of], span }, child);
}

function parseBlockExpression(p: Cursor): Expression {
  const body = parseBlock(p, true);
  return p.adopt({ kind: "block", body, span: body.span }, body);
}

/** A cast, a record, a tuple, or just parentheses. */
function parseParenthesis(p: Cursor): Expression {
  const { start } = p.peek();
  if (atCast(p)) {
    p.next();
    const type = parseType(p);
    p.expect(")", "to close the cast");
    return p.nested(
      () => {
        const operand = parseUnary(p);
        return p.node({ kind: "cast", type, operand, span: p.span(start) }, operand);
      },
      () => errorNode(p),
    );
  }
  p.next();
  if (p.accept(")")) return { kind: "tuple", elements: [], span: p.span(start) };
  if (p.atWord() && p.at("=", 1) && !isValueName(p.peek().text)) return parseRecord(p, start);
  const first = parseExpression(p);
  if (!p.at(",")) {
    p.expect(")", "to close the parenthesis");
    return first;
  }
  const elements = [first];
  while (!p.panicking && p.accept(",")) {
    if (p.at(")")) break;
    elements.push(parseExpression(p));
  }
  p.expect(")", "to close the tuple");
  return p.node({ kind: "tuple", elements, span: p.span(start) }, ...elements);
}

/** `(name=value, …)` */
function parseRecord(p: Cursor, start: number): Expression {
  const fields: { name: string; value: Expression }[] = [];
  do {
    const name = p.peek();
    if (name.kind !== "word") {
      p.unexpected("expected name=value: every field of a record has a name");
      break;
    }
    p.next();
    if (!p.expect("=", "and the field's value")) break;
    if (fields.some((field) => field.name === name.text)) {
      p.error("syntax", p.tokenSpan(name), `the record already has a field ${describe(name.text)}`);
    }
    fields.push({ name: name.text, value: parseExpression(p) });
  } while (!p.panicking && p.accept(","));
  p.expect(")", "to close the record");
  return p.node({ kind: "record", fields, span: p.span(start) }, ...fields.map((field) => field.value));
}
