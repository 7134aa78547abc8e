/**
 * Blocks and statements, and recovery between them.
 *
 * A block may be an expression: its last expression without semicolon is its value. Where a block is only executed
 * (a probe's body, a loop, an if that is a statement), that last expression is a statement like any other.
 */
import type { Block, Expression, Statement } from "../ast.ts";
import { type Cursor, startsStatement } from "./cursor.ts";
import { describe, errorNode, parseExpression, parseStringToken, parseUnary } from "./expressions.ts";
import { parseType } from "./types.ts";

/** A block at the cursor, with its value if it is used as an expression. */
export function parseBlock(p: Cursor, value: boolean): Block {
  return p.measured(() =>
    p.nested(
      () => readBlock(p, value),
      () => ({ statements: [], span: p.span(p.peek().start, p.peek().start) }),
    ),
  );
}

function readBlock(p: Cursor, value: boolean): Block {
  const open = p.peek();
  const block: Block = { statements: [], span: p.tokenSpan(open) };
  if (!p.accept("{")) {
    return readWithoutBraces(p);
  }
  while (!p.at("}") && !p.atBoundary()) {
    if (p.accept(";")) continue;
    const start = p.position;
    const statement = readStatement(p, block, value);
    if (statement) block.statements.push(statement);
    if (p.panicking) p.synchronise(start);
    if (p.position === start) p.skipBalanced();
    if (p.position === start) break;
  }
  if (!p.accept("}")) {
    if (!p.swallowed) {
      const notes = [{ message: "the block starts here", span: p.tokenSpan(open) }];
      p.error("syntax", p.place(p.peek()), "expected '}' to close the block", undefined, notes);
    }
  }
  block.span = p.span(open.start);
  return block;
}

/** `if (x) print(1);`: reported, and read as if the braces were there. */
function readWithoutBraces(p: Cursor): Block {
  const { start } = p.peek();
  const block: Block = { statements: [], span: p.span(start, start) };
  if (p.panicking) {
    while (!p.at("{") && !p.at("}") && !p.at(";") && !p.atBoundary()) p.skipBalanced();
    if (!p.at("{")) return block;
    p.panicking = false;
    return readBlock(p, false);
  }
  p.unexpected("expected '{'", "a body always stands between { and }");
  if (p.atBoundary() || p.at("}") || p.at(";")) return block;
  p.panicking = false;
  const statement = readStatement(p, block, false);
  if (statement) block.statements.push(statement);
  block.span = p.span(start);
  return block;
}

/** One statement; undefined when it became the block's value or belongs elsewhere. */
function readStatement(p: Cursor, block: Block, value: boolean): Statement | undefined {
  const token = p.peek();
  const { start } = token;
  if (token.kind === "directive") {
    p.error(
      "syntax",
      p.tokenSpan(token),
      "C definitions stand at the top of the script, before everything else",
    );
    p.next();
    return undefined;
  }
  if (token.kind === "word") {
    if (Object.hasOwn(STATEMENTS, token.text)) return STATEMENTS[token.text](p, block, value);
    if (token.text === "_" && p.at("=", 1)) {
      p.next();
      p.next();
      const expression = parseExpression(p);
      endStatement(p);
      return { kind: "discard", expression, span: p.span(start, expression.span.end) };
    }
  }
  if (p.at("{")) {
    const body = parseBlock(p, true);
    if (value && body.result && p.at("}")) {
      block.result = p.adopt({ kind: "block", body, span: body.span }, body);
      return undefined;
    }
    return { kind: "block", body: asStatements(body), span: body.span };
  }
  return expressionStatement(p, block, value);
}

function expressionStatement(p: Cursor, block: Block, value: boolean): Statement | undefined {
  const expression = parseExpression(p);
  const { start } = expression.span;
  if (p.panicking) return { kind: "error", span: p.span(start) };
  const operator = p.peek();
  if (operator.kind === "operator" && /^(?:[-+*/%&|^]|<<|>>)?=$/.test(operator.text)) {
    p.next();
    checkTarget(p, expression);
    const assigned = parseExpression(p);
    const span = p.span(start);
    endStatement(p);
    return { kind: "assign", target: expression, operator: operator.text, value: assigned, span };
  }
  if (p.at(":") && expression.kind === "variable") {
    p.unexpected(
      "a variable's type is only written where it is declared",
      `write let ${expression.name}: type = value;`,
    );
    return { kind: "error", span: p.span(start) };
  }
  if (p.at("}") && value) {
    block.result = expression;
    return undefined;
  }
  endStatement(p);
  return { kind: "expression", expression, span: expression.span };
}

function checkTarget(p: Cursor, target: Expression): void {
  if (["variable", "map", "error"].includes(target.kind)) return;
  if (target.kind === "field" || target.kind === "index" || target.kind === "unary") {
    p.error(
      "bad-assignment",
      target.span,
      "only variables and maps can be assigned to",
      "tuples, records and the traced program's memory can be read, not changed",
    );
    return;
  }
  p.error("bad-assignment", target.span, "only variables and maps can be assigned to");
}

/** A semicolon, or the block's end. */
function endStatement(p: Cursor): void {
  if (p.panicking || p.accept(";") || p.at("}")) return;
  const token = p.peek();
  if (p.atBoundary()) return;
  p.unexpected("expected ';' or '}' after the statement", missingOperator(p));
  // A statement can follow right here: go on as if the semicolon were there.
  if (token.newline || startsStatement(token) || (token.kind === "word" && p.at("(", 1))) p.panicking = false;
}

function missingOperator(p: Cursor): string | undefined {
  const token = p.peek();
  if (token.kind === "word" && (token.text === "and" || token.text === "or" || token.text === "not")) {
    return `'${{ and: "&&", or: "||", not: "!" }[token.text]}' is the operator`;
  }
  return undefined;
}

/** The block as statements only: its value, and those of the ifs and blocks at its end, are computed and dropped. */
export function asStatements(block: Block): Block {
  if (!block.result) return block;
  const { result, ...rest } = block;
  return { ...rest, statements: [...block.statements, asStatement(result)] };
}

/** An expression whose value nobody wants. */
export function asStatement(expression: Expression): Statement {
  const { span } = expression;
  if (expression.kind === "block") return { kind: "block", body: asStatements(expression.body), span };
  if (expression.kind === "if-expression") {
    const { condition, then, else: otherwise, comptime } = expression;
    const statement: Statement = { kind: "if", condition, then: asStatements(then), span };
    if (otherwise) statement.else = asStatements(otherwise);
    if (comptime) statement.comptime = true;
    return statement;
  }
  return { kind: "expression", expression, span };
}

export interface Conditional {
  condition: Expression;
  then: Block;
  otherwise?: Block;
  comptime: boolean;
}

/** `if [comptime] condition { … } [else { … } | else if …]`, the if at the cursor. */
export function parseConditional(p: Cursor): Conditional {
  return p.nested(
    () => {
      p.next();
      let comptime = p.acceptWord("comptime");
      let condition = parseCondition(p);
      // `if (comptime x)` means the same.
      if (condition.kind === "call" && condition.name === "comptime" && condition.arguments.length === 1) {
        const [inner] = condition.arguments;
        if (inner.kind !== "type") {
          condition = inner;
          comptime = true;
        }
      }
      const then = parseBlock(p, true);
      const result: Conditional = { condition, then, comptime };
      if (!p.panicking && p.acceptWord("else")) {
        if (p.atWord("if")) {
          const { start } = p.peek();
          const inner = parseConditional(p);
          const span = p.span(start);
          const nested: Expression = {
            kind: "if-expression",
            condition: inner.condition,
            then: inner.then,
            else: inner.otherwise,
            ...(inner.comptime && { comptime: true }),
            span,
          };
          result.otherwise = { statements: [], result: nested, span };
        } else {
          result.otherwise = parseBlock(p, true);
        }
      }
      return result;
    },
    () => ({ condition: errorNode(p), then: { statements: [], span: errorNode(p).span }, comptime: false }),
  );
}

/** With parentheses or without: `if ($x == 1) {`, `if !pid {`. */
function parseCondition(p: Cursor): Expression {
  const start = p.position;
  if (p.accept("(")) {
    const condition = parseExpression(p);
    if (p.at("=") && !p.panicking) {
      p.unexpected("expected ')' after the condition", "to compare, write ==");
      return condition;
    }
    if (!p.at(",") && !p.expect(")", "after the condition")) return condition;
    if (p.at("{") || p.panicking || !continuesExpression(p)) return condition;
    p.reset(start);
  }
  return parseExpression(p);
}

const continuesExpression = (p: Cursor): boolean =>
  p.peek().kind === "operator" && !["{", "}", ";", ")"].includes(p.peek().text);

type StatementParser = (p: Cursor, block: Block, value: boolean) => Statement | undefined;

const jump =
  (kind: "break" | "continue"): StatementParser =>
  (p) => {
    const span = p.tokenSpan(p.next());
    endStatement(p);
    return { kind, span };
  };

/** What the first word of a statement says about the rest. */
const STATEMENTS: Record<string, StatementParser> = {
  if: (p, block, value) => {
    const { start } = p.peek();
    const { condition, then, otherwise, comptime } = parseConditional(p);
    const span = p.span(start);
    const expression: Expression = { kind: "if-expression", condition, then, else: otherwise, span };
    if (comptime) expression.comptime = true;
    if (value && p.at("}") && hasValue(expression)) {
      block.result = p.adopt(expression, condition, then, otherwise);
      return undefined;
    }
    p.accept(";");
    return asStatement(expression);
  },
  for: parseFor,
  while: (p) => {
    const { start } = p.next();
    const condition = parseCondition(p);
    return { kind: "while", condition, body: asStatements(parseBlock(p, false)), span: p.span(start) };
  },
  unroll: (p) => {
    const { start } = p.next();
    const count = parseCondition(p);
    return { kind: "unroll", count, body: asStatements(parseBlock(p, false)), span: p.span(start) };
  },
  let: parseLet,
  return: (p) => {
    const { start } = p.next();
    if (p.at(";") || p.at("}") || p.atBoundary()) {
      p.accept(";");
      return { kind: "return", span: p.span(start) };
    }
    const value = parseExpression(p);
    const span = p.span(start);
    endStatement(p);
    return { kind: "return", value, span };
  },
  break: jump("break"),
  continue: jump("continue"),
  import: (p) => {
    const { start } = p.next();
    if (p.peek().kind !== "string") {
      p.unexpected('expected a path in quotes after import, as in import "helpers.bt";');
      return { kind: "error", span: p.span(start) };
    }
    const path = parseStringToken(p);
    p.innerImports.push({ path, span: p.span(start) });
    endStatement(p);
    return undefined;
  },
};

/** Whether both branches of an if end in a value. */
function hasValue(expression: Expression): boolean {
  if (expression.kind !== "if-expression") return true;
  const { then, else: otherwise } = expression;
  return (
    then.result !== undefined &&
    otherwise?.result !== undefined &&
    hasValue(then.result) &&
    hasValue(otherwise.result)
  );
}

function parseLet(p: Cursor): Statement {
  const { start } = p.next();
  const name = p.peek();
  if (name.kind !== "variable") {
    p.unexpected(
      `expected a variable after let, but found ${describe(name.text)}`,
      name.kind === "map"
        ? "maps are declared outside of the probes, as in let @m = lruhash(100);"
        : undefined,
    );
    return { kind: "error", span: p.span(start) };
  }
  p.next();
  const statement: Statement = { kind: "let", name: name.text, span: p.span(start) };
  if (p.accept(":")) statement.type = parseType(p);
  if (!p.panicking && p.accept("=")) statement.value = parseExpression(p);
  statement.span = p.span(start);
  endStatement(p);
  return statement;
}

/** `for ($x : @map) { … }`, `for $i : 0..10 { … }` */
function parseFor(p: Cursor): Statement {
  const { start } = p.next();
  const parenthesis = p.accept("(");
  const name = p.peek();
  if (name.kind !== "variable") {
    p.unexpected(
      `expected the loop's variable, but found ${describe(name.text)}`,
      "write for ($kv : @map) { … } or for ($i : 0..10) { … }",
    );
    skipLoop(p);
    return { kind: "error", span: p.span(start) };
  }
  p.next();
  if (!p.expect(":", "after the loop's variable", "write for ($kv : @map) { … } or for ($i : 0..10) { … }")) {
    skipLoop(p);
    return { kind: "error", span: p.span(start) };
  }
  const first = parseUnary(p);
  let end: Expression | undefined;
  if (!p.panicking && p.accept("..")) end = parseUnary(p);
  if (parenthesis && !p.panicking && !p.at(")")) {
    p.unexpected(
      "expected ')' after the loop's range",
      "put parentheses around a bound that is computed: (1 + 1)..10",
    );
  }
  if (!end && !p.panicking && first.kind !== "map" && first.kind !== "error") {
    p.error("syntax", first.span, "a loop runs over a map or a range", "as in for ($i : 0..10)");
  }
  if (p.panicking) {
    while (!p.at("{") && !p.at("}") && !p.at(";") && !p.atBoundary()) p.skipBalanced();
    if (!p.at("{")) return { kind: "error", span: p.span(start) };
    p.panicking = false;
  } else if (parenthesis) {
    p.accept(")");
  }
  const body = asStatements(parseBlock(p, false));
  const span = p.span(start);
  if (end) return { kind: "for-range", variable: name.text, start: first, end, body, span };
  return { kind: "for-map", variable: name.text, map: first, body, span };
}

/** Past a loop whose head is broken, its body included: statements in it would only produce further errors. */
function skipLoop(p: Cursor): void {
  while (!p.at("{") && !p.at("}") && !p.atBoundary()) p.next();
  if (p.at("{")) p.skipBalanced();
  p.panicking = false;
}
