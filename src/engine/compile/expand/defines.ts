/**
 * `#define`: the table, token substitution as the C preprocessor does it, and conditionals.
 *
 * Headers are expanded token by token before they are parsed. A script's expressions are parsed first, and a name that
 * turns out to be a define is replaced by the expression that its body spells (expander.ts).
 */
import { type Token, tokenizeC } from "../../../syntax/lexer.ts";
import type { Span } from "../diagnostic.ts";
import { Cursor } from "../parse/cursor.ts";
import { parseExpression } from "../parse/expressions.ts";
import { constantValue } from "./constant.ts";

export interface Define {
  name: string;
  parameters?: string[];
  body: string;
  span: Span;
}

/** Tokens that one substitution may make: enough for any header, too few to hang on a hostile one. */
const MAX_TOKENS = 200_000;
const MAX_NESTING = 64;

export class Defines {
  readonly table = new Map<string, Define>();
  private readonly bodies = new Map<Define, Token[]>();
  private budget = MAX_TOKENS;

  set(define: Define): void {
    this.table.set(define.name, define);
  }

  delete(name: string): void {
    this.table.delete(name);
  }

  /** A body's tokens, without comments and end. */
  tokensOf(define: Define): Token[] {
    let tokens = this.bodies.get(define);
    if (!tokens) this.bodies.set(define, (tokens = codeTokens(define.body)));
    return tokens;
  }

  /** Replaces every define in `tokens`; a define is not replaced inside its own replacement. */
  expand(tokens: readonly Token[]): Token[] {
    this.budget = MAX_TOKENS + tokens.length;
    const out: Token[] = [];
    this.expandInto(tokens, out, new Set(), 0);
    return out;
  }

  private expandInto(tokens: readonly Token[], out: Token[], hidden: Set<string>, depth: number): void {
    for (let i = 0; i < tokens.length; i++) {
      if (--this.budget < 0) return;
      const token = tokens[i];
      const define = token.kind === "word" ? this.table.get(token.text) : undefined;
      if (!define || hidden.has(define.name) || depth > MAX_NESTING) {
        out.push(token);
        continue;
      }
      let body = this.tokensOf(define);
      if (define.parameters) {
        if (tokens[i + 1]?.text !== "(") {
          out.push(token);
          continue;
        }
        const call = readArguments(tokens, i + 1);
        body = this.substitute(define, call.arguments);
        i = call.end;
      }
      hidden.add(define.name);
      this.expandInto(body, out, hidden, depth + 1);
      hidden.delete(define.name);
    }
  }

  private substitute(define: Define, given: readonly Token[][]): Token[] {
    const parameters = define.parameters!;
    const variadic = parameters.at(-1)?.endsWith("...") ?? false;
    const byName = new Map<string, Token[]>();
    parameters.forEach((parameter, i) => {
      const last = variadic && i === parameters.length - 1;
      const tokens = last ? given.slice(i).flatMap((t, n) => (n ? [COMMA, ...t] : t)) : (given[i] ?? []);
      byName.set(parameter === "..." ? "__VA_ARGS__" : parameter.replace("...", ""), tokens);
    });
    if (define.body.includes("##")) {
      const pasted = define.body
        .replace(
          /[A-Za-z_]\w*/g,
          (word) =>
            byName
              .get(word)
              ?.map((t) => t.text)
              .join(" ") ?? word,
        )
        .replace(/\s*##\s*/g, "");
      return codeTokens(pasted);
    }
    return this.tokensOf(define).flatMap((token) =>
      token.kind === "word" ? (byName.get(token.text) ?? [token]) : [token],
    );
  }

  /** An `#if`'s condition. Unknown names are 0, and what can't be evaluated is false. */
  condition(text: string): boolean {
    const settled = text
      .replace(/\bdefined\s*(?:\(\s*([A-Za-z_]\w*)\s*\)|([A-Za-z_]\w*))/g, (_, a, b) =>
        this.table.has(a ?? b) ? "1" : "0",
      )
      .replace(/\b__has_\w+\s*\([^)]*\)/g, "0");
    const tokens = this.expand(codeTokens(settled));
    const end = tokens.at(-1)?.end ?? 0;
    const p = new Cursor([...tokens, { kind: "end", text: "", start: end, end, newline: false }]);
    const expression = parseExpression(p);
    if (p.diagnostics.hasErrors) return false;
    return (constantValue(expression, () => 0n) ?? 0n) !== 0n;
  }
}

const COMMA: Token = { kind: "operator", text: ",", start: 0, end: 0, newline: false };

export function codeTokens(text: string): Token[] {
  const tokens = tokenizeC(text).filter((token) => token.kind !== "comment");
  tokens.pop();
  return tokens;
}

/** The arguments of a call whose parenthesis opens at `open`, and the index of the one that closes it. */
function readArguments(tokens: readonly Token[], open: number): { arguments: Token[][]; end: number } {
  const result: Token[][] = [[]];
  let depth = 0;
  for (let i = open; i < tokens.length; i++) {
    const { text, kind } = tokens[i];
    if (kind === "operator" && (text === "(" || text === "[" || text === "{")) {
      if (depth++ === 0) continue;
    } else if (kind === "operator" && (text === ")" || text === "]" || text === "}")) {
      if (--depth === 0) return { arguments: result, end: i };
    } else if (kind === "operator" && text === "," && depth === 1) {
      result.push([]);
      continue;
    }
    result.at(-1)!.push(tokens[i]);
  }
  return { arguments: result, end: tokens.length };
}

/** Which branch of nested #if … #endif is on. */
export class Conditions {
  private readonly stack: { on: boolean; taken: boolean; parent: boolean }[] = [];
  private readonly defines: Defines;

  constructor(defines: Defines) {
    this.defines = defines;
  }

  get on(): boolean {
    return this.stack.at(-1)?.on ?? true;
  }

  get open(): boolean {
    return this.stack.length > 0;
  }

  /** False when the directive has no #if to belong to. */
  take(directive: "if" | "ifdef" | "ifndef" | "elif" | "else" | "endif", text: string): boolean {
    const parent = this.on;
    switch (directive) {
      case "if":
      case "ifdef":
      case "ifndef": {
        const on = parent && this.holds(directive, text);
        this.stack.push({ on, taken: on, parent });
        return true;
      }
      case "endif":
        return this.stack.pop() !== undefined;
      default: {
        const top = this.stack.at(-1);
        if (!top) return false;
        top.on = top.parent && !top.taken && (directive === "else" || this.holds("if", text));
        top.taken ||= top.on;
        return true;
      }
    }
  }

  private holds(directive: "if" | "ifdef" | "ifndef", text: string): boolean {
    if (directive === "if") return this.defines.condition(text);
    const name = /^[A-Za-z_]\w*/.exec(text)?.[0] ?? "";
    return this.defines.table.has(name) === (directive === "ifdef");
  }
}
