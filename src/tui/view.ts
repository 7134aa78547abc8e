/** State → picture: blocks of finished lines, one for each Ink node, and where the cursor stands. */
import { chordLabel, keyOf, typesText } from "../panes/key.ts";
import type { Position, ViewContext } from "../panes/pane.ts";
import { fieldLine } from "../panes/prompt/field.ts";
import {
  fitLine,
  fitText,
  type Line,
  lineWidth,
  percent,
  type Role,
  recolor,
  type Span,
  sanitize,
  shortNumber,
  span,
  spreadLine,
  textWidth,
} from "../panes/text/index.ts";
import { box } from "./box.ts";
import { completions } from "./commands.ts";
import { filterHelp, helpRows } from "./help.ts";
import { DECK_KEYS } from "./keys.ts";
import { isTooSmall, type Rect } from "./layout.ts";
import { noticeLines } from "./notice.ts";
import { type DeckState, focusedSlot, type Overlay, type Slot } from "./state.ts";
import { tabsLine } from "./tabs.ts";
import { asciiLine, type Theme } from "./theme.ts";
import { layoutOf } from "./update.ts";

export interface Block extends Rect {
  id: string;
  lines: readonly Line[];
  /** What the lines depend on: of the same list they need not be drawn again. */
  made: readonly unknown[];
}

export interface Picture {
  blocks: Block[];
  cursor: Position | undefined;
}

/** What the terminal can show. */
export interface Display {
  theme: Theme;
  unicode: boolean;
  color: boolean;
}

/**
 * Blocks that depend on nothing new are taken from the picture `before`. (No WeakMap remembers them: what it holds lives
 * until V8 collects all garbage, and would fill the heap in between.)
 */
export function picture(state: DeckState, display: Display, before?: Picture): Picture {
  const { columns, rows, overlay } = state;
  const { unicode } = display;
  const blocks: Block[] = [];
  const add = (id: string, rect: Rect, made: readonly unknown[], draw: () => readonly Line[]) => {
    const old = before?.blocks.find((it) => it.id === id);
    if (old && sameItems(old.made, made)) {
      blocks.push({ ...old, ...rect });
      return;
    }
    const lines = unicode ? draw() : draw().map(asciiLine);
    blocks.push({ id, ...rect, lines, made });
  };
  if (isTooSmall(columns, rows)) {
    const rect = { x: 0, y: 0, width: columns, height: 1 };
    add("small", rect, [columns], () => [[span(fitText("too small", columns))]]);
    return { blocks, cursor: undefined };
  }
  const { header, footer, tabs, panes } = layoutOf(state);
  add("header", header, [state, display], () => [headerLine(state, display)]);
  let cursor: Position | undefined;

  if (overlay?.type === "help") {
    const rect = { x: 0, y: 1, width: columns, height: rows - 2 };
    const help = helpBox(state, overlay, display, rect);
    add("help", rect, [state, display], () => help.lines);
    cursor = help.cursor;
  } else {
    if (tabs) add("tabs", tabs, [state, display], () => [tabsLine(state, panes, unicode)]);
    for (const { id, rect } of panes) {
      const index = state.slots.findIndex((slot) => slot.id === id);
      const slot = state.slots[index];
      const focused = slot.id === state.focus && overlay === undefined;
      const frozen = state.held !== undefined;
      const made = [slot, index, rect.width, rect.height, focused, frozen, display];
      add(id, rect, made, () =>
        paneLines(slot, index + 1, rect, { focused, frozen, unicode, color: display.color }),
      );
    }
    const notice = noticeLines(state).map((it) => fitLine(it, columns));
    if (notice.length > 0) {
      const rect = { x: 0, y: rows - 1 - notice.length, width: columns, height: notice.length };
      add("notice", rect, [state, display], () => notice);
    }
    const slot = focusedSlot(state);
    const at = panes.find(({ id }) => id === slot?.id)?.rect;
    const inside = slot?.size && at ? slot.pane.cursor?.(slot.state, slot.size) : undefined;
    if (inside && at) cursor = { x: at.x + 1 + inside.x, y: at.y + 1 + inside.y };
  }
  const bindings = footerBindings(state);
  if (overlay?.type === "command") {
    const { line, cursor: x } = commandLine(state, overlay);
    add("footer", footer, [state, display], () => [line]);
    cursor = { x, y: footer.y };
  } else {
    const made = [columns, overlay, state.message, bindings.typing, ...bindings.rows, display];
    add("footer", footer, made, () => [footerLine(state, display)]);
  }
  return { blocks, cursor };
}

const sameItems = (some: readonly unknown[], others: readonly unknown[]): boolean =>
  some.length === others.length && some.every((item, i) => item === others[i]);

function paneLines(slot: Slot, number: number, rect: Rect, context: ViewContext): readonly Line[] {
  const size = { width: Math.max(0, rect.width - 2), height: Math.max(0, rect.height - 2) };
  return box(slot.pane.view(slot.state, size, context), {
    ...rect,
    number,
    title: slot.pane.title(slot.state, context),
    focused: context.focused,
    unicode: context.unicode,
  });
}

/** A part of the header; the larger `rank`, the sooner it goes when there is no room. */
interface Part {
  text: string;
  role: Role;
  rank: number;
}

/** Seconds of silence that mean something, and how many of its usual ones. */
const SILENT = 5;
const PACES = 3;

/** Seconds for which a running script's engine said nothing; 0: it may just be reading big maps. */
function silentFor({ run, silence, pace, interval }: DeckState): number {
  const usual = (PACES * Math.max(pace, interval)) / 1000;
  return run.state === "running" && silence > Math.max(SILENT, usual) ? silence : 0;
}

function runParts(state: DeckState, unicode: boolean): Part[] {
  const { run, held, engine, slots } = state;
  const parts: Part[] = [];
  const silence = silentFor(state);
  if (silence > 0) parts.push({ text: `NO ANSWER for ${silence} s`, role: "error", rank: 0 });
  if (engine.status === "starting") parts.push({ text: "starting", role: "statusBar", rank: 3 });
  if (engine.status === "gone") parts.push({ text: "NO ENGINE", role: "error", rank: 0 });
  if (held) parts.push({ text: "FROZEN", role: "warning", rank: 0 });
  const marks: Partial<Record<typeof run.state, [string, Role]>> = {
    running: [unicode ? "● running" : "running", "good"],
    failed: ["failed", "error"],
    compiling: ["compiling", "warning"],
    attaching: ["attaching", "warning"],
    stopping: ["stopping", "warning"],
    ended: ["ended", "statusBar"],
  };
  const mark = marks[run.state];
  if (mark) parts.push({ text: mark[0], role: mark[1], rank: 0 });
  if (run.name) parts.push({ text: sanitize(run.name), role: "statusBar", rank: 4 });
  if (run.state === "running" && run.probes) {
    parts.push({ text: `${run.probes} probe${run.probes === 1 ? "" : "s"}`, role: "statusBar", rank: 6 });
  }
  if (slots.length === 0) parts.push({ text: "no panes", role: "error", rank: 0 });
  return parts;
}

export function intervalLabel(milliseconds: number): string {
  return milliseconds < 1000 ? `${milliseconds}ms` : `${milliseconds / 1000}s`;
}

function costParts({ interval, cost, losses, maxOverhead, engine }: DeckState): Part[] {
  const parts: Part[] = [{ text: intervalLabel(interval), role: "statusBar", rank: 2 }];
  if (cost) {
    parts.push({ text: `${shortNumber(cost.eventsPerSecond)} ev/s`, role: "statusBar", rank: 2 });
    parts.push({
      text: `cost ${percent(cost.cpuPercent)} CPU`,
      role: cost.cpuPercent >= 5 ? "warning" : "statusBar",
      rank: 1,
    });
  }
  if (maxOverhead > 0) {
    const of = engine.status === "ready" && engine.cpus > 1 ? ` of ${engine.cpus} CPUs` : "";
    parts.push({ text: `guard ${percent(maxOverhead)}${of}`, role: "statusBar", rank: 3 });
  }
  if (losses) {
    const lost = losses.eventsLost + losses.missed + losses.stacksLost + losses.packetsLost;
    parts.push({
      text: `lost ${shortNumber(lost)}`,
      role: lost > 0 ? "error" : "statusBar",
      rank: lost > 0 ? 0 : 3,
    });
    const full = losses.mapsFull.map(({ map }) => sanitize(map)).join(" ");
    if (full) parts.push({ text: `full ${full}`, role: "error", rank: 0 });
    if (losses.processEventsLost > 0) {
      const lost = shortNumber(losses.processEventsLost);
      parts.push({ text: `process events lost ${lost}`, role: "warning", rank: 3 });
    }
    if (losses.stringsTruncated > 0) {
      parts.push({ text: `cut ${shortNumber(losses.stringsTruncated)}`, role: "warning", rank: 3 });
    }
  }
  return parts;
}

function headerLine(state: DeckState, { unicode }: Display): Line {
  const { engine, columns } = state;
  const left: Part[] = [{ text: "tracedeck", role: "strong", rank: 5 }];
  if (engine.status === "ready") {
    left.push({ text: sanitize(engine.host), role: "statusBar", rank: 7 });
    left.push({ text: sanitize(engine.kernel), role: "statusBar", rank: 8 });
  }
  left.push(...runParts(state, unicode));
  let right = costParts(state);
  let kept = left;
  const join = (parts: Part[]): Line => [
    span(" ", "statusBar"),
    ...parts.flatMap(({ text, role }, index): Span[] => [
      ...(index > 0 ? [span("  ", "statusBar")] : []),
      span(text, role),
    ]),
    span(" ", "statusBar"),
  ];
  const width = (parts: Part[]) => parts.reduce((sum, { text }) => sum + textWidth(text) + 2, 0);
  while (width(kept) + width(right) > columns) {
    const worst = Math.max(0, ...[...kept, ...right].map(({ rank }) => rank));
    if (worst === 0) break;
    kept = kept.filter(({ rank }) => rank < worst);
    right = right.filter(({ rank }) => rank < worst);
  }
  return fitLine(spreadLine(join(kept), join(right), columns, "statusBar"), columns, "statusBar");
}

/** The bindings that apply now and have a name in the footer, and whether the focused pane is typed into. */
function footerBindings(state: DeckState) {
  const slot = focusedSlot(state);
  const ofPane = (slot?.pane.keys ?? []).filter((row) => row.footer && (row.when?.(slot!.state) ?? true));
  const ofDeck = DECK_KEYS.filter((row) => row.footer && (row.when?.(state) ?? true));
  return { rows: [...ofPane, ...ofDeck], typing: slot?.pane.typing?.(slot.state) ?? false };
}

/** The keys that apply now; while a pane is typed into, only those that type nothing. */
export function footerKeys(state: DeckState, unicode: boolean): { keys: string; label: string }[] {
  const { rows, typing } = footerBindings(state);
  const out: { keys: string; label: string }[] = [];
  const taken = new Set<string>();
  for (const { keys, footer } of rows) {
    const chord = keys.find((it) => !taken.has(it) && !(typing && typesText(keyOf(it))));
    if (!chord || !footer) continue;
    for (const it of keys) taken.add(it);
    out.push({ keys: chordLabel(chord, unicode), label: footer });
  }
  return out;
}

const LEVEL_ROLES = { info: "accent", warning: "warning", error: "error" } as const;

/** What is typed after ":", and how it may go on. */
function commandLine(
  state: DeckState,
  { field }: Overlay & { type: "command" },
): { line: Line; cursor: number } {
  const { columns } = state;
  const options = field.text === "" ? [] : completions(state, field.text).slice(0, 8);
  const { line, cursor } = fieldLine(":", field, columns);
  const hint = options.length > 0 ? [span(`  ${options.join("  ")} `, "dim")] : [];
  const room = columns - lineWidth(line) - 1;
  return { line: fitLine([...line, ...(room > 10 ? [span(" "), ...hint] : [])], columns), cursor };
}

function footerLine(state: DeckState, { unicode }: Display): Line {
  const { columns, overlay, message } = state;
  const keys: Span[] = [];
  const list =
    overlay?.type === "help"
      ? [
          { keys: "Enter", label: "run" },
          { keys: "Esc", label: "back" },
        ]
      : footerKeys(state, unicode);
  const told: Span[] = message
    ? [span(` ${sanitize(message.text)} `, LEVEL_ROLES[message.level]), span(" ")]
    : [];
  let width = lineWidth(told);
  // The way to help stays in sight when the rest does not fit.
  const last = list.find(({ label }) => label === "help");
  const lastWidth = last ? last.keys.length + last.label.length + 3 : 0;
  for (const item of list) {
    const need = item.keys.length + item.label.length + 3;
    if (width + need + (item === last ? 0 : lastWidth) > columns) continue;
    keys.push(span(` ${item.keys}`, "statusKey"), span(` ${item.label} `, "dim"));
    width += need;
  }
  return fitLine([...told, ...keys], columns);
}

function helpBox(
  state: DeckState,
  overlay: Overlay & { type: "help" },
  { unicode }: Display,
  { width, height }: Rect,
): { lines: Line[]; cursor: Position } {
  const rows = filterHelp(helpRows(state, unicode), overlay.filter.text);
  const inner = width - 2;
  const room = height - 4;
  const first = Math.max(0, Math.min(overlay.selected - Math.floor(room / 2), rows.length - room));
  const keysWidth = Math.min(30, Math.floor(inner * 0.35));
  const commandWidth = inner >= 90 ? 22 : 0;
  const helpWidth = inner - keysWidth - commandWidth - 11;
  const search = fieldLine(" / ", overlay.filter, inner);
  const lines: Line[] = [fitLine(search.line, inner), []];
  rows.slice(first, first + room).forEach((row, index) => {
    const parts: Line = [
      span(` ${fitText(row.section, 9)} `, "dim"),
      span(fitText(row.keys, keysWidth - 1), row.applies ? "statusKey" : "dim"),
      span(" "),
      span(fitText(row.help, helpWidth), row.applies ? "text" : "dim"),
      span(commandWidth > 0 ? fitText(row.command.trim(), commandWidth, "right") : "", "dim"),
    ];
    const fitted = fitLine(parts, inner);
    lines.push(first + index === overlay.selected ? recolor(fitted, "selected") : fitted);
  });
  if (rows.length === 0) lines.push([span("   no key or command matches", "dim")]);
  return {
    lines: box(lines, {
      width,
      height,
      title: `help: ${rows.length} keys and commands`,
      focused: true,
      unicode,
    }),
    cursor: { x: 1 + search.cursor, y: 2 },
  };
}
