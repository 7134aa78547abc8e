/** The histogram pane's lines. */
import type { HistogramSnapshot } from "../../engine/protocol.ts";
import type { Size, ViewContext } from "../pane.ts";
import {
  bar,
  cutLine,
  fitText,
  groupedNumber,
  type Line,
  line,
  percent,
  type Span,
  sanitize,
  shortNumber,
  shortRate,
  sliceText,
  span,
  textWidth,
} from "../text/index.ts";
import { stackFrames, type Unit, unitOf } from "../values/index.ts";
import { estimateText } from "./estimate.ts";
import { LEAST_OVERVIEW, overview } from "./overview.ts";
import { maximum, quantile, totalOf } from "./quantile.ts";
import { type HistogramState, type Shown, shownRow } from "./state.ts";

export function title(state: HistogramState, context: ViewContext): string {
  const { map, snapshot } = state;
  if (!map) return "histogram";
  const dot = context.unicode ? " · " : " - ";
  const shown = shownRow(state);
  if (map.keys.length === 0) return map.name;
  if (!shown || !snapshot) return `${map.name}[${map.keys.join(", ")}]`;
  const key = shown.row.key.map((part) => stackFrames(part, 1)[0] ?? part).join(", ");
  return `${map.name}[${sanitize(key)}]${dot}${shown.index + 1} of ${groupedNumber(snapshot.total)}`;
}

export function view(state: HistogramState, size: Size, context: ViewContext): Line[] {
  const { map } = state;
  if (!map) return [line("no histogram", "dim")];
  const shown = shownRow(state);
  if (!shown) return [line(state.snapshot ? "nothing counted yet" : "waiting for the first reading", "dim")];
  const lines: Line[] = [];
  if (size.height >= 4) lines.push(summary(shown, size.width, unitOf(map.name), context));
  if (state.snapshot?.full && size.height >= 6) {
    lines.push(cutLine([span("the map is full: new keys are lost", "warning")], size.width));
  }
  lines.push(...buckets(state, shown, { ...size, height: size.height - lines.length }, context));
  const left = size.height - lines.length;
  if (left >= LEAST_OVERVIEW) lines.push(...overview(state, shown, left, size.width, context));
  return lines.slice(0, Math.max(0, size.height));
}

/** Counts and percentiles, the least important dropped until the line fits. */
function summary({ row, histogram }: Shown, width: number, unit: Unit, context: ViewContext): Line {
  const { unicode } = context;
  const estimate = (fraction: number) => estimateText(quantile(histogram, fraction), unit, unicode);
  const facts: { label: string; text: string; priority: number; role: Span["role"] }[] = [
    { label: "p50", text: estimate(0.5), priority: 0, role: "value" },
    { label: "p90", text: estimate(0.9), priority: 4, role: "value" },
    { label: "p99", text: estimate(0.99), priority: 1, role: "value" },
    {
      label: "max",
      text: `${maximum(histogram)?.bound === "estimate" ? (unicode ? "≤" : "<=") : ""}${estimateText(maximum(histogram), unit, unicode)}`,
      priority: 2,
      role: "value",
    },
    { label: "n", text: groupedNumber(totalOf(histogram)), priority: 3, role: "text" },
  ];
  const rate = shortRate(row.rate);
  if (rate !== "") facts.push({ label: "", text: rate, priority: 5, role: "changed" });
  const widthOf = () => facts.reduce((sum, { label, text }) => sum + textWidth(`${label} ${text}`) + 2, -2);
  while (facts.length > 1 && widthOf() > width) {
    const last = facts.reduce((a, b) => (b.priority > a.priority ? b : a));
    facts.splice(facts.indexOf(last), 1);
  }
  const spans: Span[] = [];
  for (const { label, text, role } of facts) {
    if (spans.length > 0) spans.push(span("  "));
    if (label !== "") spans.push(span(`${label} `, "dim"));
    spans.push(span(text, role));
  }
  return cutLine(spans, width);
}

interface Columns {
  label: number;
  bar: number;
  count: number;
  gain: number;
  share: boolean;
  short: boolean;
}

const SHARE_WIDTH = 6;

function columnsOf(shown: Shown, width: number): Columns {
  const { buckets } = shown.histogram;
  const label = Math.max(...buckets.map((bucket) => textWidth(bucket.label)));
  const counts = (text: (n: number) => string) =>
    Math.max(5, ...buckets.map((bucket) => textWidth(text(bucket.count))));
  const gains = Math.max(5, ...(shown.gains ?? []).map((gain) => textWidth(gainText(gain))));
  const short = width < 48;
  const count = counts(short ? shortNumber : groupedNumber);
  const columns: Columns = { label, bar: 0, count, gain: gains, share: width >= 64, short };
  const left = () =>
    width -
    columns.label -
    1 -
    (columns.count > 0 ? columns.count + 1 : 0) -
    (columns.gain > 0 ? columns.gain + 1 : 0) -
    (columns.share ? SHARE_WIDTH + 1 : 0);
  if (left() < 10) columns.gain = 0;
  if (left() < 4) columns.count = 0;
  columns.bar = Math.max(0, left());
  return columns;
}

function gainText(gain: number): string {
  return gain > 0 ? `+${shortNumber(gain)}` : "";
}

function buckets(state: HistogramState, shown: Shown, size: Size, context: ViewContext): Line[] {
  const { histogram } = shown;
  const all = histogram.buckets;
  if (all.length === 0) return [line("nothing counted yet", "dim")];
  const columns = columnsOf(shown, size.width);
  const most = Math.max(...all.map((bucket) => bucket.count), 1);
  const total = totalOf(histogram);
  const draw = (index: number) => bucketLine(shown, index, columns, most, total, size.width, context);
  if (all.length <= size.height) return all.map((_, i) => draw(i));
  const height = Math.max(1, size.height - (size.height >= 4 ? 1 : 0));
  const first = Math.max(0, Math.min(busiest(histogram, height) + state.scroll, all.length - height));
  const lines = all.slice(first, first + height).map((_, i) => draw(first + i));
  if (height === size.height) return lines;
  const note = hiddenNote(histogram, first, height, context);
  return [...lines, cutLine([span(note, "dim")], size.width)];
}

/** The window that holds the most. */
function busiest(histogram: HistogramSnapshot, height: number): number {
  const counts = histogram.buckets.map((bucket) => bucket.count);
  let sum = counts.slice(0, height).reduce((a, b) => a + b, 0);
  let best = 0;
  let most = sum;
  for (let first = 1; first + height <= counts.length; first++) {
    sum += counts[first + height - 1] - counts[first - 1];
    if (sum > most) {
      most = sum;
      best = first;
    }
  }
  return best;
}

function hiddenNote(
  histogram: HistogramSnapshot,
  first: number,
  height: number,
  context: ViewContext,
): string {
  const count = (from: number, to: number) =>
    groupedNumber(histogram.buckets.slice(from, to).reduce((sum, bucket) => sum + bucket.count, 0));
  const [up, down] = context.unicode ? ["↑", "↓"] : ["^", "v"];
  const below = histogram.buckets.length - first - height;
  const parts: string[] = [];
  if (first > 0) parts.push(`${up} ${first} more: ${count(0, first)}`);
  if (below > 0) parts.push(`${down} ${below} more: ${count(first + height, histogram.buckets.length)}`);
  return parts.join("   ");
}

function bucketLine(
  shown: Shown,
  index: number,
  columns: Columns,
  most: number,
  total: number,
  width: number,
  context: ViewContext,
): Line {
  const bucket = shown.histogram.buckets[index];
  const gain = shown.gains?.[index] ?? 0;
  const drawn = bar(bucket.count / most, columns.bar, context.unicode);
  const drawnWidth = textWidth(drawn);
  const old =
    gain > 0
      ? Math.min(drawnWidth - 1, Math.floor(((bucket.count - gain) / most) * columns.bar))
      : drawnWidth;
  const spans: Span[] = [
    span(fitText(bucket.label, columns.label, "right"), "text"),
    span(" "),
    span(sliceText(drawn, 0, old), "bar"),
    span(sliceText(drawn, old, drawnWidth), "changed"),
    span(" ".repeat(columns.bar - drawnWidth)),
  ].filter((part) => part.text !== "");
  if (columns.count > 0) {
    const text = columns.short ? shortNumber(bucket.count) : groupedNumber(bucket.count);
    spans.push(span(` ${fitText(text, columns.count, "right")}`, bucket.count > 0 ? "value" : "dim"));
  }
  if (columns.share) {
    const text = total > 0 && bucket.count > 0 ? percent((bucket.count / total) * 100) : "";
    spans.push(span(` ${fitText(text, SHARE_WIDTH, "right")}`, "dim"));
  }
  if (columns.gain > 0) spans.push(span(` ${fitText(gainText(gain), columns.gain)}`, "changed"));
  return cutLine(spans, width);
}
