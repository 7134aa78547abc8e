/** The editor's lines: numbers, coloured text, and each problem below its line. */
import type { SyntaxRun } from "../../syntax/highlight.ts";
import type { Position, Size, ViewContext } from "../pane.ts";
import { fieldLine } from "../prompt/field.ts";
import { EMPTY_LINE, fitLine, type Line, lineWidth, type Span, sliceLine, span } from "../text/index.ts";
import { SYNTAX_ROLES } from "../text/syntax.ts";
import { cellOfColumn, type StyledRange, styledLine } from "./cells.ts";
import { runsOf } from "./colours.ts";
import { problemLines, problemsOf } from "./problems.ts";
import {
  type EditorState,
  gutterWidth,
  isModified,
  problemRows,
  selection,
  textHeight,
  textWidthOf,
} from "./state.ts";

const PROMPTS = { goto: "go to line: ", find: "find: " };

export function title(state: EditorState, context: ViewContext): string {
  const errors = state.problems.filter((problem) => problem.severity === "error").length;
  const warnings = state.problems.length - errors;
  const parts = [`${state.name ?? "script"}${isModified(state) ? "*" : ""}`];
  parts.push(`${state.cursor.line + 1}:${state.cursor.column + 1}`);
  if (errors > 0) parts.push(errors === 1 ? "1 error" : `${errors} errors`);
  if (warnings > 0) parts.push(warnings === 1 ? "1 warning" : `${warnings} warnings`);
  return parts.join(context.unicode ? " · " : " - ");
}

export function view(state: EditorState, size: Size, context: ViewContext): Line[] {
  const height = textHeight(state, size);
  const width = textWidthOf(state, size);
  const gutter = gutterWidth(state, size);
  const runs = runsOf(state.lines, state.top, Math.min(state.lines.length, state.top + height));
  const lines: Line[] = [];
  for (let at = state.top; at < state.lines.length && lines.length < height; at++) {
    const problems = problemsOf(state.problems, at, state.lines.length);
    const number = gutterSpan(state, at, gutter, problems);
    lines.push([...number, ...textLine(state, at, runs(at), width, context)]);
    for (const problem of problems) {
      for (const row of problemLines(problem, state.lines, state.left, width)) {
        if (lines.length < height)
          lines.push([...(gutter > 0 ? [span(" ".repeat(gutter), "gutter")] : []), ...row]);
      }
    }
  }
  if (state.prompt) {
    while (lines.length < height) lines.push(EMPTY_LINE);
    lines.push(fieldLine(PROMPTS[state.prompt.for], state.prompt.field, size.width).line);
  }
  return lines.slice(0, Math.max(0, size.height));
}

function gutterSpan(
  state: EditorState,
  at: number,
  width: number,
  problems: readonly { severity: "error" | "warning" }[],
): Line {
  if (width === 0) return EMPTY_LINE;
  const text = `${String(at + 1).padStart(width - 1)} `;
  if (problems.length > 0) {
    return [span(text, problems.some((problem) => problem.severity === "error") ? "error" : "warning")];
  }
  return [span(text, at === state.cursor.line ? "strong" : "gutter")];
}

function textLine(
  state: EditorState,
  at: number,
  runs: readonly SyntaxRun[],
  width: number,
  context: ViewContext,
): Line {
  const text = state.lines[at];
  const ranges: StyledRange[] = runs.map(({ start, end, style }) => ({
    start,
    end,
    role: SYNTAX_ROLES[style],
  }));
  const range = selection(state);
  if (range && at >= range.from.line && at <= range.to.line) {
    ranges.push({
      start: at === range.from.line ? range.from.column : 0,
      end: at === range.to.line ? range.to.column : text.length,
      role: "marked",
    });
  }
  const whole = styledLine(text, ranges);
  const total = lineWidth(whole);
  if (total <= width && state.left === 0) {
    return range && at >= range.from.line && at < range.to.line
      ? [...whole, span(" ", "marked")].slice(0, total < width ? undefined : -1)
      : whole;
  }
  return withMarks(sliceLine(whole, state.left, state.left + width), total, state.left, width, context);
}

/** Signs at the ends of a line that goes on. */
function withMarks(shown: Line, total: number, left: number, width: number, context: ViewContext): Line {
  const [before, after] = context.unicode ? ["‹", "›"] : ["<", ">"];
  const out: Span[] = [];
  if (left > 0 && total > 0) out.push(span(before, "dim"), ...sliceLine(fitLine(shown, width), 1, width));
  else out.push(...shown);
  if (total > left + width) return [...sliceLine(out, 0, width - 1), span(after, "dim")];
  return out;
}

export function cursor(state: EditorState, size: Size): Position | undefined {
  if (state.prompt) {
    return {
      x: fieldLine(PROMPTS[state.prompt.for], state.prompt.field, size.width).cursor,
      y: size.height - 1,
    };
  }
  const { line, column } = state.cursor;
  const width = textWidthOf(state, size);
  if (line < state.top) return undefined;
  let y = line - state.top;
  for (let at = state.top; at < line; at++) y += problemRows(state, at, width);
  const x = cellOfColumn(state.lines[line], column) - state.left;
  if (x < 0 || x >= width || y >= textHeight(state, size)) return undefined;
  return { x: gutterWidth(state, size) + x, y };
}
