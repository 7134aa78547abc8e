/** What is below the histogram where there is room: every key in a line, so that the odd one out is seen at once. */
import type { HistogramSnapshot } from "../../engine/protocol.ts";
import type { ViewContext } from "../pane.ts";
import {
  cutLine,
  EMPTY_LINE,
  fitText,
  type Line,
  line,
  type Role,
  sanitize,
  shortNumber,
  span,
  sparkline,
  textWidth,
} from "../text/index.ts";
import { stackFrames, type Unit, unitOf } from "../values/index.ts";
import { estimateText } from "./estimate.ts";
import { maximum, quantile, totalOf } from "./quantile.ts";
import { type HistogramState, rowId, type Shown } from "./state.ts";

/** A gap, the heading and two keys. */
export const LEAST_OVERVIEW = 4;

const NUMBERS: {
  heading: string;
  text(histogram: HistogramSnapshot, unit: Unit, unicode: boolean): string;
}[] = [
  { heading: "COUNT", text: (histogram) => shortNumber(totalOf(histogram)) },
  {
    heading: "P50",
    text: (histogram, unit, unicode) => estimateText(quantile(histogram, 0.5), unit, unicode),
  },
  {
    heading: "P99",
    text: (histogram, unit, unicode) => estimateText(quantile(histogram, 0.99), unit, unicode),
  },
  { heading: "MAX", text: (histogram, unit, unicode) => estimateText(maximum(histogram), unit, unicode) },
];

const NUMBER_WIDTH = 8;
const LEAST_SPARK = 8;

export function overview(
  state: HistogramState,
  shown: Shown,
  height: number,
  width: number,
  context: ViewContext,
): Line[] {
  const rows = (state.snapshot?.rows ?? []).filter((row) => row.histogram);
  if (height < LEAST_OVERVIEW || rows.length < 2 || width < 40 || !state.map) return [];
  const unit = unitOf(state.map.name);
  const names = rows.map((row) =>
    sanitize(row.key.map((part) => stackFrames(part, 1)[0] ?? part).join(", ")),
  );
  const numbers = NUMBERS.length * (NUMBER_WIDTH + 1);
  const keyWidth = Math.min(Math.max(4, ...names.map(textWidth)), Math.max(8, width - numbers - 1));
  const sparkWidth = width - keyWidth - numbers - 1;
  const lows = [...new Set(rows.flatMap((row) => row.histogram!.buckets.map(({ low }) => low)))].sort(
    (a, b) => a - b,
  );
  const room = height - 2;
  const at = rows.findIndex((row) => rowId(row) === rowId(shown.row));
  const first = Math.max(0, Math.min(at - (room >> 1), rows.length - room));
  const heading = [
    fitText("KEY", keyWidth),
    ...NUMBERS.map((column) => fitText(column.heading, NUMBER_WIDTH, "right")),
    ...(sparkWidth >= LEAST_SPARK ? ["DISTRIBUTION"] : []),
  ].join(" ");
  const lines: Line[] = [EMPTY_LINE, line(heading, "heading")];
  for (let i = first; i < Math.min(rows.length, first + room); i++) {
    const histogram = rows[i].histogram!;
    const role: Role = i === at ? "accent" : "text";
    const cells = NUMBERS.map((column) =>
      fitText(column.text(histogram, unit, context.unicode), NUMBER_WIDTH, "right"),
    );
    const spans = [
      span(fitText(names[i], keyWidth), role),
      span(` ${cells.join(" ")}`, i === at ? "value" : "text"),
    ];
    if (sparkWidth >= LEAST_SPARK) {
      const counts = new Map(histogram.buckets.map((bucket) => [bucket.low, bucket.count]));
      const values = lows.map((low) => counts.get(low) ?? 0);
      spans.push(
        span(" "),
        span(sparkline(fitBuckets(values, sparkWidth), sparkWidth, context.unicode), "bar"),
      );
    }
    lines.push(spans);
  }
  return lines.map((it) => cutLine(it, width));
}

/** Neighbours joined until the buckets fit. */
function fitBuckets(values: number[], width: number): number[] {
  const each = Math.ceil(values.length / width);
  if (each <= 1) return values;
  const out: number[] = [];
  for (let i = 0; i < values.length; i += each) {
    out.push(values.slice(i, i + each).reduce((sum, value) => sum + value, 0));
  }
  return out;
}
