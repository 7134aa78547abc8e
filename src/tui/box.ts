/** The frame around a pane, with its number and title, and its content in exactly its size. */
import {
  fitLine,
  type Line,
  type Role,
  sanitize,
  span,
  textWidth,
  truncateText,
} from "../panes/text/index.ts";

const LINES = { h: "─", v: "│", tl: "┌", tr: "┐", bl: "└", br: "┘" };
const HEAVY = { h: "━", v: "┃", tl: "┏", tr: "┓", bl: "┗", br: "┛" };
const ASCII = { h: "-", v: "|", tl: "+", tr: "+", bl: "+", br: "+" };
const ASCII_FOCUSED = { h: "=", v: "|", tl: "#", tr: "#", bl: "#", br: "#" };

export interface BoxOptions {
  width: number;
  height: number;
  number?: number;
  title: string;
  focused: boolean;
  unicode: boolean;
}

/** `height` lines of `width` cells. The frame of the focused pane differs in shape too, not in colour alone. */
export function box(
  content: readonly Line[],
  { width, height, number, title, focused, unicode }: BoxOptions,
): Line[] {
  const set = unicode ? (focused ? HEAVY : LINES) : focused ? ASCII_FOCUSED : ASCII;
  const border: Role = focused ? "borderFocused" : "border";
  const inner = width - 2;
  const mark = number === undefined ? "" : `${number} `;
  const shown = truncateText(sanitize(title), Math.max(0, inner - 4 - mark.length), unicode ? "…" : "~");
  const label = inner >= 6 ? ` ${mark}${shown} ` : "";
  const rest = inner - textWidth(label) - (label === "" ? 0 : 1);
  const lines: Line[] = [
    label === ""
      ? [span(set.tl + set.h.repeat(Math.max(0, inner)) + set.tr, border)]
      : [
          span(set.tl + set.h, border),
          span(label, focused ? "titleFocused" : "title"),
          span(set.h.repeat(Math.max(0, rest)) + set.tr, border),
        ],
  ];
  const side = span(set.v, border);
  const ellipsis = unicode ? "…" : "~";
  for (let y = 0; y < height - 2; y++) {
    lines.push([side, ...fitLine(content[y] ?? [], inner, undefined, ellipsis), side]);
  }
  lines.push([span(set.bl + set.h.repeat(Math.max(0, inner)) + set.br, border)]);
  return width < 2 ? lines.map((it) => fitLine(it, width)) : lines;
}
