/** Diagnostics, by the line they belong to, and the lines that are drawn below it. */
import type { ScriptDiagnostic } from "../../engine/protocol.ts";
import { type Line, type Role, sanitize, span, textWidth } from "../text/index.ts";
import { cellOfColumn } from "./cells.ts";
import type { Edit, Lines } from "./text.ts";

const byLine = new WeakMap<readonly ScriptDiagnostic[], Map<number, ScriptDiagnostic[]>>();

/** Problems of a line (from 0); what lies behind the text belongs to its last line. */
export function problemsOf(
  problems: readonly ScriptDiagnostic[],
  line: number,
  lineCount: number,
): readonly ScriptDiagnostic[] {
  if (problems.length === 0) return problems;
  let map = byLine.get(problems);
  if (!map) {
    map = new Map();
    for (const problem of [...problems].sort((a, b) => a.column - b.column))
      map.set(problem.line, [...(map.get(problem.line) ?? []), problem]);
    byLine.set(problems, map);
  }
  const own = map.get(line + 1) ?? [];
  if (line + 1 < lineCount) return own;
  return [...own, ...problems.filter((problem) => problem.line > lineCount)];
}

/** Until the next check answers, problems stay at the text they were found in. */
export function shiftProblems(
  problems: readonly ScriptDiagnostic[],
  edit: Edit,
): readonly ScriptDiagnostic[] {
  const removed = edit.to.line - edit.from.line;
  const added = edit.text.split("\n").length - 1;
  const delta = added - removed;
  if (delta === 0) return problems;
  return problems.flatMap((problem) => {
    const line = problem.line - 1;
    const after = line > edit.to.line || (line === edit.to.line && problem.column - 1 >= edit.to.column);
    if (after) return { ...problem, line: problem.line + delta, endLine: problem.endLine + delta };
    return line > edit.from.line && line <= edit.to.line ? [] : problem;
  });
}

function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    let rest = word;
    if (line !== "" && textWidth(line) + 1 + textWidth(rest) <= width) {
      line += ` ${rest}`;
      continue;
    }
    if (line !== "") lines.push(line);
    while (textWidth(rest) > width) {
      let cut = 1;
      while (cut < rest.length && textWidth(rest.slice(0, cut + 1)) <= width) cut++;
      lines.push(rest.slice(0, cut));
      rest = rest.slice(cut);
    }
    line = rest;
  }
  if (line !== "") lines.push(line);
  return lines;
}

const LEAST_TEXT = 24;

/** A caret under the place, the message beside it or below, then hint and notes; all within `width` cells. */
export function problemLines(
  problem: ScriptDiagnostic,
  lines: Lines,
  scrolledLeft: number,
  width: number,
): Line[] {
  const role: Role = problem.severity === "error" ? "error" : "warning";
  const source = lines[problem.line - 1] ?? "";
  const start = cellOfColumn(source, problem.column - 1);
  const end =
    problem.endLine === problem.line
      ? cellOfColumn(source, problem.endColumn - 1)
      : cellOfColumn(source, source.length);
  const x = Math.max(0, Math.min(start - scrolledLeft, width - 1));
  const carets = "^".repeat(Math.max(1, Math.min(end - start, width - x)));
  const message = sanitize(problem.message);
  const beside = width - x - carets.length - 1;
  const fits = textWidth(message) <= beside || beside >= LEAST_TEXT * 2;
  const out: Line[] = [];
  const indent = fits ? x + carets.length + 1 : Math.min(2, Math.max(0, width - LEAST_TEXT));
  const room = Math.max(8, width - indent);
  const pad = span(" ".repeat(indent));
  const texts: { text: string; role: Role }[] = wrapWords(message, room).map((text) => ({ text, role }));
  if (fits) {
    out.push([span(" ".repeat(x)), span(`${carets} ${texts.shift()?.text ?? ""}`, role)]);
  } else {
    out.push([span(" ".repeat(x)), span(carets, role)]);
  }
  for (const part of [problem.hint, ...(problem.notes ?? [])]) {
    if (part) for (const text of wrapWords(sanitize(part), room)) texts.push({ text, role: "dim" });
  }
  return [...out, ...texts.map(({ text, role }) => [pad, span(text, role)])];
}
