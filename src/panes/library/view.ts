/** The library's lines: the list, and beside it what the chosen script says of itself, with its source. */

import { highlightLines } from "../../syntax/highlight.ts";
import type { LibraryScript, Position, Size, ViewContext } from "../pane.ts";
import { fieldLine } from "../prompt/field.ts";
import {
  cutLine,
  EMPTY_LINE,
  fitLine,
  type Line,
  line,
  type Role,
  recolor,
  type Span,
  sanitize,
  span,
  textWidth,
} from "../text/index.ts";
import { SYNTAX_ROLES } from "../text/syntax.ts";
import { bodyHeight, chosen, type Form, type LibraryState, listed, listRows } from "./state.ts";

const SEARCH = "search: ";

export function title(state: LibraryState, context: ViewContext): string {
  const dot = context.unicode ? " · " : " - ";
  const count = listed(state).length;
  const parts = ["library"];
  if (state.form) parts.push(state.form.script.title);
  else if (state.query !== "") parts.push(`${count} of ${state.scripts.length}`);
  else if (count > 0) parts.push(`${count} scripts`);
  return parts.join(dot);
}

/** From this width on list and description stand side by side. */
const BESIDE = 64;

export function isWide(size: Size): boolean {
  return size.width >= BESIDE;
}

export function listWidth(size: Size): number {
  return isWide(size) ? Math.max(28, Math.min(40, Math.floor(size.width * 0.4))) : size.width;
}

export function view(state: LibraryState, size: Size, context: ViewContext): Line[] {
  const height = bodyHeight(state);
  const lines = state.form ? formLines(state.form, size, context) : bodyLines(state, size, height, context);
  const shown = lines.slice(0, height).map((it) => cutLine(it, size.width));
  if (!state.prompt) return shown;
  while (shown.length < height) shown.push(EMPTY_LINE);
  return [...shown, fieldLine(SEARCH, state.prompt, size.width).line].slice(-Math.max(1, size.height));
}

function bodyLines(state: LibraryState, size: Size, height: number, context: ViewContext): Line[] {
  if (state.scripts.length === 0) return [line("no scripts: the scripts-library folder is missing", "dim")];
  const script = chosen(state);
  if (!script) return [line(`nothing fits "${sanitize(state.query)}"`, "dim")];
  if (!isWide(size)) {
    return state.reading
      ? description(script, size.width).slice(state.scroll, state.scroll + height)
      : listLines(state, size.width, height, context);
  }
  const width = listWidth(size);
  const left = listLines(state, width, height, context);
  const right = description(script, size.width - width - 3).slice(state.scroll, state.scroll + height);
  const bar = span(context.unicode ? " │ " : " | ", "border");
  return Array.from({ length: height }, (_, i) => [
    ...fitLine(left[i] ?? EMPTY_LINE, width),
    bar,
    ...(right[i] ?? EMPTY_LINE),
  ]);
}

function listLines(state: LibraryState, width: number, height: number, context: ViewContext): Line[] {
  return listRows(state)
    .slice(state.top, state.top + height)
    .map((row) => {
      if ("subject" in row) return [span(sanitize(row.subject), "heading")];
      const spans: Span[] = [span("  "), span(sanitize(row.script.title), "text")];
      if (state.query !== "") spans.push(span(`  ${sanitize(row.script.subject)}`, "dim"));
      if (row.index !== state.cursor) return spans;
      const pointer = context.unicode ? "▸ " : "> ";
      const marked = [span(pointer), ...spans.slice(1)];
      return recolor(fitLine(marked, width), context.focused ? "selected" : "marked");
    });
}

export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of sanitize(text).split(" ")) {
    if (current !== "" && textWidth(current) + 1 + textWidth(word) > width) {
      lines.push(current);
      current = word;
    } else current = current === "" ? word : `${current} ${word}`;
  }
  return current === "" ? lines : [...lines, current];
}

/** What a script says of itself, then its source without the header that was just shown. */
export function description(script: LibraryScript, width: number): Line[] {
  const lines: Line[] = [[span(sanitize(script.title), "strong"), span(`  ${script.name}`, "dim")]];
  const add = (text: string, role: Role, indent = "") => {
    for (const part of wrapText(text, Math.max(10, width - indent.length)))
      lines.push([span(indent), span(part, role)]);
  };
  add(script.question, "accent");
  if (script.options.length > 0) {
    lines.push(EMPTY_LINE);
    for (const option of script.options) {
      const name = `--${option.name}=${option.default === "" ? "…" : option.default}`;
      const own = wrapText(option.description, Math.max(10, width - name.length - 2));
      lines.push([
        span(name, option.default === "" ? "warning" : "value"),
        span(`  ${own[0] ?? ""}`, "text"),
      ]);
      for (const more of own.slice(1)) lines.push([span(" ".repeat(name.length + 2)), span(more, "text")]);
    }
  }
  lines.push(EMPTY_LINE);
  add(script.reading, "text");
  lines.push(EMPTY_LINE);
  lines.push(...sourceLines(script.source));
  return lines;
}

const known = new Map<string, Line[]>();

function sourceLines(source: string): Line[] {
  let lines = known.get(source);
  if (lines) return lines;
  const body = source.replace(/^#!.*\n(?:\/\/.*\n)*\n?/, "").replace(/\n$/, "");
  const runs = highlightLines(body);
  lines = body.split("\n").map((text, i) => {
    const spans: Span[] = [];
    let at = 0;
    const push = (end: number, role?: Role) => {
      const part = text.slice(at, end).replace(/\t/g, "    ");
      if (part !== "") spans.push(span(sanitize(part), role));
      at = end;
    };
    for (const run of runs[i] ?? []) {
      push(run.start);
      push(run.end, SYNTAX_ROLES[run.style]);
    }
    push(text.length);
    return spans;
  });
  if (known.size > 100) known.clear();
  known.set(source, lines);
  return lines;
}

function optionLabel(form: Form, index: number): string {
  const names = form.script.options.map(({ name }) => name);
  const width = Math.max(...names.map(textWidth));
  return `${index === form.at ? "> " : "  "}--${names[index].padEnd(width)} = `;
}

const FORM_TOP = 2;

function formLines(form: Form, size: Size, context: ViewContext): Line[] {
  const { script } = form;
  const lines: Line[] = [[span(sanitize(script.title), "strong"), span("  options", "dim")], EMPTY_LINE];
  for (const [i, field] of form.fields.entries()) {
    lines.push(fieldLine(optionLabel(form, i), field, size.width).line);
  }
  lines.push(EMPTY_LINE);
  const option = script.options[form.at];
  if (option) {
    for (const text of wrapText(option.description, Math.max(10, size.width - 2)))
      lines.push(line(text, "text"));
    const value = option.default === "" ? "has to be given" : `default: ${option.default}`;
    lines.push(line(value, option.default === "" ? "warning" : "dim"));
  }
  const [up, dash] = context.unicode ? ["↑↓", "·"] : ["Up/Down", "-"];
  lines.push(EMPTY_LINE, line(`Enter runs ${dash} ${up} next option ${dash} Esc back`, "dim"));
  return lines;
}

export function cursor(state: LibraryState, size: Size): Position | undefined {
  if (state.form) {
    const { form } = state;
    const field = form.fields[form.at];
    if (!field) return undefined;
    const y = FORM_TOP + form.at;
    return y < size.height
      ? { x: fieldLine(optionLabel(form, form.at), field, size.width).cursor, y }
      : undefined;
  }
  if (!state.prompt) return undefined;
  return { x: fieldLine(SEARCH, state.prompt, size.width).cursor, y: Math.max(0, size.height - 1) };
}
