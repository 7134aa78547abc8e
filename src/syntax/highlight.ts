/** Syntax colours: a script's text as runs of one style each. Pure and free of imports beyond the lexer. */
import { type Token, tokenize } from "./lexer.ts";

export type SyntaxStyle =
  | "comment"
  | "keyword"
  /** A probe's provider: `tracepoint`, `begin`. */
  | "provider"
  /** The rest of a probe. */
  | "probe"
  | "string"
  /** `\n` and `%d` inside a string. */
  | "escape"
  | "number"
  | "variable"
  | "map"
  | "parameter"
  | "function"
  | "builtin"
  | "type"
  | "directive"
  | "operator"
  | "plain"
  | "error";

/** Half-open range of UTF-16 offsets. Runs are in order and don't overlap; what lies between is white space. */
export interface SyntaxRun {
  start: number;
  end: number;
  style: SyntaxStyle;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

const KEYWORDS = words(
  "if else for while unroll let return break continue import config macro fn true false " +
    "sizeof offsetof typeof typeinfo comptime struct union enum typedef",
);
const TYPES = words(
  "int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool void string buffer inet char short int long unsigned signed " +
    "size_t ssize_t u8 u16 u32 u64 s8 s16 s32 s64 int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t " +
    "const volatile",
);
const BUILTINS = words(
  "args ctx pid tid uid gid nsecs elapsed cpu ncpus comm curtask rand probe probetype func retval username cgroup " +
    "usermode jiffies numaid kstack ustack dw_ustack cpid ppid pcomm",
);

/** The runs of a whole script, in any state. */
export function highlight(source: string): SyntaxRun[] {
  const tokens = tokenize(source);
  const runs: SyntaxRun[] = [];
  for (let i = 0; i < tokens.length; i++) runsOf(tokens, i, runs);
  return runs;
}

/** The runs of each line of `source`, offsets counted from the line's start: what an editor draws. */
export function highlightLines(source: string): SyntaxRun[][] {
  const lines: SyntaxRun[][] = [[]];
  const starts = [0];
  for (let at = source.indexOf("\n"); at >= 0; at = source.indexOf("\n", at + 1)) {
    starts.push(at + 1);
    lines.push([]);
  }
  let line = 0;
  for (const run of highlight(source)) {
    while (line + 1 < starts.length && starts[line + 1] <= run.start) line++;
    for (let at = line, start = run.start; start < run.end; at++) {
      const lineEnd = at + 1 < starts.length ? starts[at + 1] - 1 : source.length;
      const end = Math.min(run.end, lineEnd);
      if (end > start) lines[at].push({ start: start - starts[at], end: end - starts[at], style: run.style });
      start = Math.max(end, lineEnd + 1);
    }
  }
  return lines;
}

function runsOf(tokens: readonly Token[], i: number, runs: SyntaxRun[]): void {
  const token = tokens[i];
  const push = (style: SyntaxStyle, start = token.start, end = token.end) => {
    if (end > start) runs.push({ start, end, style });
  };
  if (token.kind === "end") return;
  if (token.kind === "probe") probeRuns(token, push);
  else if (token.kind === "string" && !token.unterminated) stringRuns(token, push);
  else push(styleOf(tokens, i));
}

function styleOf(tokens: readonly Token[], i: number): SyntaxStyle {
  const { kind } = tokens[i];
  switch (kind) {
    case "word":
      return wordStyle(tokens, i);
    case "shebang":
      return "comment";
    case "positional":
      return "parameter";
    case "character":
    case "unknown":
    case "string":
      return "error";
    case "end":
      return "plain";
    default:
      return kind;
  }
}

function wordStyle(tokens: readonly Token[], i: number): SyntaxStyle {
  const { text } = tokens[i];
  const before = tokens[i - 1]?.text;
  if (before === "." || before === "->") return "plain";
  if (before === "struct" || before === "union" || before === "enum") return "type";
  if (KEYWORDS.has(text)) return "keyword";
  if (TYPES.has(text)) return "type";
  if (before === "macro" || before === "fn" || tokens[i + 1]?.text === "(") return "function";
  if (BUILTINS.has(text) || /^s?arg[0-9]+$/.test(text)) return "builtin";
  return "plain";
}

type Push = (style: SyntaxStyle, start?: number, end?: number) => void;

function probeRuns(token: Token, push: Push): void {
  const colon = token.text.indexOf(":");
  const provider = colon < 0 ? token.text.length : colon;
  push("provider", token.start, token.start + provider);
  let from = provider;
  for (const match of token.text.matchAll(/\$[0-9]+/g)) {
    if (match.index < from) continue;
    push("probe", token.start + from, token.start + match.index);
    push("parameter", token.start + match.index, token.start + match.index + match[0].length);
    from = match.index + match[0].length;
  }
  push("probe", token.start + from, token.end);
}

const ESCAPE =
  /\\(?:[0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|.)|%(?:[-+ #0]*[0-9]*(?:\.[0-9]+)?(?:hh|h|ll|l|j|z|t)?[a-zA-Z]|%)/g;

function stringRuns(token: Token, push: Push): void {
  let from = 0;
  for (const match of token.text.matchAll(ESCAPE)) {
    push("string", token.start + from, token.start + match.index);
    push("escape", token.start + match.index, token.start + match.index + match[0].length);
    from = match.index + match[0].length;
  }
  push("string", token.start + from, token.end);
}
