/**
 * The parser's place in the tokens, its budget, and how it reports and recovers.
 *
 * Parsing never throws. A function that can't go on reports once and returns an error node; `panicking` then keeps
 * the callers quiet until a statement or an item boundary is found (`synchronise`). Nesting is bounded twice: by the
 * parser's own recursion, and by the height of the trees it builds, because `1+1+1+…` is parsed by a loop but every
 * later pass walks it recursively.
 */
import type { Token } from "../../../syntax/lexer.ts";
import type { Expression, Import } from "../ast.ts";
import { type Diagnostic, Diagnostics, type Span } from "../diagnostic.ts";

export const MAX_DEPTH = 200;
export const MAX_HEIGHT = 400;
const MAX_ERRORS = 100;

export class Cursor {
  readonly diagnostics = new Diagnostics();
  /** Names of #defines that stand for values: never types in `(NAME) * x`. */
  readonly valueDefines = new Set<string>();
  readonly file: number | undefined;
  /** Imports written inside a block; they belong to the script. */
  readonly innerImports: Import[] = [];
  /** A string or comment that nothing closes took the rest of its line: brackets missing after it are no news. */
  swallowed = false;
  panicking = false;
  private readonly tokens: Token[];
  private index = 0;
  private depth = 0;
  private readonly heights = new WeakMap<object, number>();
  private tallest = 0;
  /** Index of an opening bracket → index past its group. */
  private groups: Map<number, number> | undefined;

  private readonly fixed: Span | undefined;

  /** `tokens` without comments, closed by an "end" token. With `fixed`, everything is placed there: at an #include. */
  constructor(tokens: Token[], file?: number, fixed?: Span) {
    this.tokens = tokens;
    this.file = file || undefined;
    this.fixed = fixed;
  }

  get position(): number {
    return this.index;
  }

  reset(position: number): void {
    this.index = position;
  }

  peek(ahead = 0): Token {
    return this.tokens[Math.min(this.index + ahead, this.tokens.length - 1)];
  }

  previous(): Token | undefined {
    return this.tokens[this.index - 1];
  }

  next(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.index++;
    return token;
  }

  /** The operator `text` is next. */
  at(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "operator" && token.text === text;
  }

  atWord(text?: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "word" && (text === undefined || token.text === text);
  }

  /** Nothing that is open can go on here: the end, or the start of a top-level item. */
  atBoundary(): boolean {
    const token = this.peek();
    return token.kind === "end" || token.kind === "probe" || token.top === true;
  }

  accept(text: string): boolean {
    if (!this.at(text)) return false;
    this.index++;
    return true;
  }

  acceptWord(text: string): boolean {
    if (!this.atWord(text)) return false;
    this.index++;
    return true;
  }

  /** `what` completes "expected …". */
  expect(text: string, what: string, hint?: string): boolean {
    if (this.accept(text)) return true;
    this.unexpected(`expected '${text}' ${what}`, hint);
    return false;
  }

  span(start: number, end?: number): Span {
    if (this.fixed) return this.fixed;
    const span: Span = { start, end: Math.max(end ?? this.previous()?.end ?? start, start) };
    if (this.file) span.file = this.file;
    return span;
  }

  tokenSpan(token: Token): Span {
    return this.span(token.start, token.end);
  }

  /** Reports, unless something was already reported and not yet recovered from. */
  error(code: string, span: Span, message: string, hint?: string, notes?: Diagnostic["notes"]): void {
    if (this.panicking) return;
    const { list } = this.diagnostics;
    if (list.length > MAX_ERRORS) return;
    if (list.length === MAX_ERRORS) {
      this.diagnostics.error("too-many-errors", span, "too many errors: the rest is not shown");
      return;
    }
    const last = list.at(-1);
    if (last?.code === code && last.span.start === span.start && last.message === message) return;
    this.diagnostics.error(code, span, message, { ...(hint && { hint }), ...(notes && { notes }) });
  }

  /** A syntax error at the next token: the callers unwind to the next boundary. */
  unexpected(message: string, hint?: string): void {
    const token = this.peek();
    this.error("syntax", this.place(token), message, hint ?? slip(token));
    this.panicking = true;
  }

  /** Where to point for something missing before `token`: behind the previous token when that ends a line. */
  place(token: Token): Span {
    const previous = this.previous();
    if (previous && (token.newline || token.kind === "end")) return this.span(previous.end, previous.end + 1);
    return this.span(token.start, Math.max(token.end, token.start + 1));
  }

  /** Runs `parse` one level deeper; past the limit it reports, skips what is nested there and returns `otherwise()`. */
  nested<T>(parse: () => T, otherwise: () => T): T {
    if (this.depth >= MAX_DEPTH) {
      this.unexpected(`nested deeper than ${MAX_DEPTH} levels`, "split it up with variables or macros");
      this.skipBalanced();
      return otherwise();
    }
    this.depth++;
    try {
      return parse();
    } finally {
      this.depth--;
    }
  }

  /** Registers a node built over `children`; a tree that grows too tall becomes an error node. */
  node<T extends Expression>(node: T, ...children: (Expression | undefined)[]): Expression {
    let height = 1;
    for (const child of children) {
      if (child) height = Math.max(height, (this.heights.get(child) ?? 1) + 1);
    }
    if (height > MAX_HEIGHT) {
      this.error(
        "syntax",
        node.span,
        `an expression of more than ${MAX_HEIGHT} steps`,
        "split it up with variables",
      );
      return { kind: "error", span: node.span };
    }
    this.heights.set(node, height);
    this.tallest = Math.max(this.tallest, height);
    return node;
  }

  /** Measures the trees that `parse` builds, so that the block around them counts as one step more. */
  measured<T extends object>(parse: () => T): T {
    const outer = this.tallest;
    this.tallest = 0;
    const result = parse();
    this.heights.set(result, this.tallest + 1);
    this.tallest = Math.max(outer, this.tallest + 1);
    return result;
  }

  /** A block's height, for an expression that holds it. */
  adopt(node: Expression, ...blocks: (object | undefined)[]): Expression {
    const children = blocks.filter((block) => block !== undefined) as Expression[];
    return this.node(node, ...children);
  }

  /** Skips one token, or a whole bracketed group. */
  skipBalanced(): void {
    if (this.atBoundary()) return;
    this.groups ??= groupEnds(this.tokens);
    this.index = this.groups.get(this.index) ?? this.index + 1;
  }

  /**
   * After an error: skips to the end of the statement. Consumes a semicolon; stops before a closing brace, a new item,
   * or a line that starts with a statement, if that is past `start`, where the broken statement began.
   */
  synchronise(start: number): void {
    this.panicking = false;
    while (!this.atBoundary() && !this.at("}")) {
      if (this.accept(";")) return;
      if (this.index > start && this.peek().newline && startsStatement(this.peek())) return;
      const block = this.at("{");
      this.skipBalanced();
      if (block && (this.peek().newline || this.at("}"))) return;
    }
  }

  /** After an error at the top of the script: skips to the next item. */
  synchroniseItem(): void {
    this.panicking = false;
    while (!this.atBoundary()) this.index++;
  }
}

/** A group that nothing closes ends at the next boundary. */
function groupEnds(tokens: readonly Token[]): Map<number, number> {
  const ends = new Map<number, number>();
  const open: number[] = [];
  tokens.forEach(({ kind, text, top }, index) => {
    if (kind === "end" || kind === "probe" || top) {
      for (const start of open) ends.set(start, index);
      open.length = 0;
    }
    if (kind !== "operator") return;
    if (text === "(" || text === "[" || text === "{") open.push(index);
    else if (text === ")" || text === "]" || text === "}") {
      const start = open.pop();
      if (start !== undefined) ends.set(start, index + 1);
    }
  });
  return ends;
}

const STATEMENT_WORDS = new Set([
  "if",
  "for",
  "while",
  "unroll",
  "let",
  "return",
  "break",
  "continue",
  "import",
]);

export function startsStatement(token: Token): boolean {
  if (token.kind === "variable" || token.kind === "map") return true;
  return (
    token.kind === "word" && (STATEMENT_WORDS.has(token.text) || /^(printf?|delete|clear)$/.test(token.text))
  );
}

/** The hint for a token that people bring along from other languages. */
function slip(token: Token): string | undefined {
  if (token.kind === "character") {
    return token.text.length <= 3
      ? "there are no character literals: use a string in double quotes, or the character's number"
      : "strings take double quotes";
  }
  if (token.kind === "unknown") {
    if (/[\u2018\u2019\u201c\u201d]/.test(token.text)) return 'these are typographic quotes: use "';
    if (token.text === "$") return "a variable is $name, a positional parameter $1";
  }
  if (token.kind === "operator" && token.text === "=") return "did you mean '=='?";
  return undefined;
}
