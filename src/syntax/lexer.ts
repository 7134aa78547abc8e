/**
 * Script text → tokens, in one linear pass that never fails: what it can't read becomes an `unknown` token.
 *
 * The language is several languages in one file, so the lexer keeps track of where it is:
 *
 *     #include <x>          one `directive` token per logical line
 *     struct x { … }        code, until the brace closes
 *     config = { … }        code, until the brace closes
 *     let @m = hash(5);     code, until the semicolon
 *     kprobe:f*,            one `probe` token per attach point, read raw: paths, wildcards and quotes mean nothing here
 *     uprobe:/bin/a:b
 *     /pid == 1/            code, until a slash that a brace follows
 *     { … }                 code, until the brace closes
 *
 * Broken text: a line that starts with a probe ends whatever braces are still open, so that one missing brace does not
 * swallow the rest of the file. The parser uses the same tokens that colour the editor.
 */

export type TokenKind =
  | "shebang"
  | "comment"
  /** A whole preprocessor line, continuation lines included. */
  | "directive"
  | "word"
  /** `$name` */
  | "variable"
  /** `@name` or `@` */
  | "map"
  /** `$1`, `$#` */
  | "positional"
  | "number"
  | "string"
  /** A C character literal, which the language does not have. */
  | "character"
  | "operator"
  /** One attach point, as written. */
  | "probe"
  | "unknown"
  | "end";

export interface Token {
  kind: TokenKind;
  text: string;
  /** Half-open range of UTF-16 offsets. */
  start: number;
  end: number;
  /** A line break stands before it. */
  newline: boolean;
  /** Starts a top-level item: everything that is still open ends here. */
  top?: true;
  /** A string or comment that nothing closes. */
  unterminated?: true;
}

/** Providers whose parts hold paths: a slash there does not open a predicate. */
const PATH_PROVIDER = /^(?:[A-Za-z_]\w*=)?(?:uprobe|uretprobe|u|ur|usdt|iter|it|[^:]*[*?[$][^:]*)$/i;

const PROVIDERS =
  "kprobe|kretprobe|uprobe|uretprobe|tracepoint|rawtracepoint|usdt|profile|interval|software|hardware|" +
  "watchpoint|asyncwatchpoint|fentry|fexit|kfunc|kretfunc|iter|self|bench|test";
/** A line that can only be the start of a new top-level item. */
const ITEM_START = new RegExp(
  `(?:(?:${PROVIDERS}):\\S|(?:BEGIN|END|begin|end)\\s*[{,]|macro\\s+\\w+\\s*[({]|config\\s*=\\s*\\{|let\\s+@)`,
  "y",
);
const IMPORT_START = /import\s*"/y;

const SPACE = /[ \t\r\n\v\f]+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /[0-9][0-9A-Za-z_]*/y;
const VARIABLE = /\$[A-Za-z_][A-Za-z0-9_]*/y;
const POSITIONAL = /\$(?:#|[0-9]+)/y;
const MAP = /@(?:[A-Za-z_][A-Za-z0-9_]*)?/y;
const OPERATOR =
  /<<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||\+=|-=|\*=|\/=|%=|&=|\|=|\^=|\.\.|[-+*/%&|^~!<>=?:;,.(){}[\]]/y;
/** Characters that mean nothing: a run of non-ASCII ones is one token, so that a pasted quote is one error. */
const UNKNOWN = /[^\x00-\x7f]+|[\s\S]/y;

/** Reads a whole script. The last token has kind "end". */
export function tokenize(source: string): Token[] {
  return new Lexer(source).script();
}

/** Reads a C header or a macro's body: code and directives only. */
export function tokenizeC(source: string): Token[] {
  return new Lexer(source).code();
}

type Context =
  | "top"
  /** After a probe: `,`, a predicate or the body follows. */
  | "probes"
  | "predicate"
  /** An action's body. */
  | "body"
  /** Ends where its brace closes. */
  | "item"
  /** Ends with a semicolon. */
  | "declaration"
  /** Ends where its parenthesis closes. */
  | "call";

class Lexer {
  private readonly source: string;
  private readonly tokens: Token[] = [];
  private at = 0;
  private newline = false;
  private context: Context = "top";
  private braces = 0;
  private parens = 0;
  private keyword = "";
  private predicateHasIf = false;
  private predicateStart: Token | undefined;
  /** The last token that is no comment. */
  private last: Token | undefined;

  constructor(source: string) {
    this.source = source;
  }

  script(): Token[] {
    for (;;) {
      this.skipSpace();
      if (this.at >= this.source.length) break;
      if (this.comment()) continue;
      if (this.context !== "top" && this.context !== "probes" && this.startsItem()) this.context = "top";
      if (this.context === "top") this.top();
      else if (this.context === "probes") this.probes();
      else this.codeToken();
    }
    return this.finish();
  }

  code(): Token[] {
    for (;;) {
      this.skipSpace();
      if (this.at >= this.source.length) break;
      if (!this.comment()) this.readCode();
    }
    return this.finish();
  }

  private finish(): Token[] {
    this.push("end", this.at);
    return this.tokens;
  }

  private skipSpace(): void {
    const start = this.at;
    SPACE.lastIndex = start;
    if (SPACE.test(this.source)) {
      this.at = SPACE.lastIndex;
      this.newline ||= this.source.slice(start, this.at).includes("\n");
    }
  }

  private push(kind: TokenKind, end: number): Token {
    const token: Token = {
      kind,
      text: this.source.slice(this.at, end),
      start: this.at,
      end,
      newline: this.newline,
    };
    this.tokens.push(token);
    if (kind !== "comment") this.last = token;
    this.at = end;
    this.newline = false;
    return token;
  }

  private match(pattern: RegExp): number {
    pattern.lastIndex = this.at;
    return pattern.test(this.source) ? pattern.lastIndex : -1;
  }

  private comment(): boolean {
    if (this.source[this.at] !== "/") return false;
    const newline = this.newline;
    if (this.source[this.at + 1] === "/") {
      const line = this.source.indexOf("\n", this.at);
      this.push("comment", line < 0 ? this.source.length : line);
    } else if (this.source[this.at + 1] === "*") {
      const close = this.source.indexOf("*/", this.at + 2);
      const token = this.push("comment", close < 0 ? this.source.length : close + 2);
      if (close < 0) token.unterminated = true;
    } else {
      return false;
    }
    this.newline = newline;
    return true;
  }

  /** At the first column, and at something that can't continue what is open. */
  private startsItem(): boolean {
    if (this.at > 0 && this.source[this.at - 1] !== "\n") return false;
    return this.match(ITEM_START) >= 0 || (this.braces === 0 && this.match(IMPORT_START) >= 0);
  }

  private top(): void {
    this.braces = 0;
    this.parens = 0;
    const first = this.tokens.length;
    this.topToken();
    const token = this.tokens[first];
    if (token && token.text !== ";") token.top = true;
  }

  private topToken(): void {
    const c = this.source[this.at];
    if (c === "#") {
      this.directive();
      return;
    }
    if (";,})".includes(c)) {
      this.push("operator", this.at + 1);
      return;
    }
    if (c === "{") {
      this.context = "body";
      this.braces = 1;
      this.push("operator", this.at + 1);
      return;
    }
    if (c === "/") {
      this.startPredicate();
      return;
    }
    if (c === "@" || this.match(VARIABLE) >= 0) {
      this.context = "declaration";
      this.keyword = "";
      this.readCode();
      return;
    }
    const end = this.match(WORD);
    if (end >= 0) {
      const word = this.source.slice(this.at, end);
      const context = this.itemContext(word, end);
      if (context) {
        this.context = context;
        this.keyword = word;
        this.push("word", end);
        return;
      }
    }
    this.probe();
  }

  /** What a word at the top of the script opens, if it is not a probe. */
  private itemContext(word: string, end: number): Context | undefined {
    const rest = /[^ \t\r\n]/g;
    rest.lastIndex = end;
    const following = rest.exec(this.source)?.[0] ?? "";
    switch (word) {
      case "config":
        return following === "=" || following === "{" ? "item" : undefined;
      case "macro":
      case "fn":
      case "struct":
      case "union":
      case "enum":
        return /[:,/=]/.test(following) ? undefined : "item";
      case "import":
      case "let":
      case "typedef":
        return /[:,/=]/.test(following) ? undefined : "declaration";
      case "__attribute__":
        return "call";
      default:
        return undefined;
    }
  }

  private startPredicate(): void {
    this.context = "predicate";
    this.braces = 0;
    this.predicateHasIf = false;
    this.predicateStart = this.push("operator", this.at + 1);
  }

  private probes(): void {
    const c = this.source[this.at];
    const afterComma = this.last?.text === ",";
    if (c === ",") {
      this.push("operator", this.at + 1);
    } else if (c === "{") {
      this.context = "body";
      this.braces = 1;
      this.push("operator", this.at + 1);
    } else if (c === "/") {
      this.startPredicate();
    } else if (afterComma && !"#;})".includes(c)) {
      this.probe();
    } else {
      this.context = "top";
    }
  }

  /** An attach point: everything up to white space, a comma, a brace, or the slash of a predicate. */
  private probe(): void {
    const { source } = this;
    let end = this.at;
    let colon = -1;
    let paths = false;
    while (end < source.length) {
      const c = source[end];
      if (c === '"') {
        end = this.endOfQuoted(end);
        continue;
      }
      if (c === ":" && colon < 0) {
        colon = end;
        paths = PATH_PROVIDER.test(source.slice(this.at, end));
      }
      if (c === "{" || c === "}" || c === "," || /[ \t\r\n\v\f]/.test(c)) break;
      if (c === "/" && end > this.at && !paths) break;
      end++;
    }
    if (end === this.at) {
      this.push("unknown", this.at + 1);
      return;
    }
    this.context = "probes";
    this.push("probe", end);
  }

  private directive(): void {
    let end = this.at;
    for (;;) {
      end = this.source.indexOf("\n", end);
      if (end < 0) end = this.source.length;
      else if (this.source[end - 1] === "\\" || this.source.slice(end - 2, end) === "\\\r") {
        end++;
        continue;
      }
      break;
    }
    while (end > this.at && /\s/.test(this.source[end - 1])) end--;
    const shebang = this.source[this.at + 1] === "!";
    this.push(shebang ? "shebang" : "directive", end);
  }

  /** One token of code, and what it does to the context. */
  private codeToken(): void {
    const before = this.last;
    const token = this.readCode();
    if (token.kind === "word" && (token.text === "if" || token.text === "else")) this.predicateHasIf = true;
    if (token.kind !== "operator") return;
    switch (token.text) {
      case "{":
        if (this.context === "predicate" && this.braces === 0 && this.closesPredicate(before)) {
          this.context = "body";
        }
        this.braces++;
        break;
      case "}":
        this.braces = Math.max(0, this.braces - 1);
        if (this.braces === 0 && (this.context === "body" || this.context === "item")) this.context = "top";
        break;
      case "(":
        this.parens++;
        break;
      case ")":
        this.parens = Math.max(0, this.parens - 1);
        if (this.parens === 0 && this.braces === 0) {
          if (this.context === "call" || (this.context === "declaration" && this.keyword === "let")) {
            this.context = "top";
          }
        }
        break;
      case ";":
        if (this.braces === 0 && (this.context === "declaration" || this.context === "item")) {
          this.context = "top";
        }
        break;
    }
  }

  /** Whether a brace after this token opens the body: after the closing slash, or after a value when it is missing. */
  private closesPredicate(before: Token | undefined): boolean {
    if (!before) return true;
    if (before === this.predicateStart) return false;
    if (before.text === "/") return true;
    if (this.predicateHasIf) return false;
    return before.kind !== "operator" || [")", "]", "++", "--"].includes(before.text);
  }

  /** Where a quoted text ends: after its closing quote, or at the end of the line. */
  private endOfQuoted(start: number): number {
    const { source } = this;
    const quote = source[start];
    let end = start + 1;
    while (end < source.length && source[end] !== "\n") {
      if (source[end] === quote) return end + 1;
      end += source[end] === "\\" && source[end + 1] !== "\n" ? 2 : 1;
    }
    return Math.min(end, source.length);
  }

  private escaped(start: number, at: number): boolean {
    let slashes = 0;
    while (at - 1 - slashes > start && this.source[at - 1 - slashes] === "\\") slashes++;
    return slashes % 2 === 1;
  }

  private readCode(): Token {
    const c = this.source[this.at];
    if (
      c === "#" &&
      (this.newline || this.tokens.length === 0) &&
      /[!a-z ]/.test(this.source[this.at + 1] ?? "")
    ) {
      this.directive();
      return this.tokens.at(-1)!;
    }
    if (c === '"' || c === "'") {
      const start = this.at;
      const token = this.push(c === '"' ? "string" : "character", this.endOfQuoted(start));
      if (token.text.length < 2 || token.text.at(-1) !== c || this.escaped(start, token.end - 1)) {
        token.unterminated = true;
      }
      return token;
    }
    for (const [kind, pattern] of CODE) {
      const end = this.match(pattern);
      if (end >= 0) return this.push(kind, end);
    }
    return this.push("unknown", this.match(UNKNOWN));
  }
}

const CODE: readonly (readonly [TokenKind, RegExp])[] = [
  ["word", WORD],
  ["operator", OPERATOR],
  ["variable", VARIABLE],
  ["map", MAP],
  ["number", NUMBER],
  ["positional", POSITIONAL],
];
