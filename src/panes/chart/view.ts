/** The chart pane's lines: what the numbers are, the line with its axis, and the time below it. */
import type { Size, ViewContext } from "../pane.ts";
import { cutLine, fitText, type Line, line, type Span, span, textWidth } from "../text/index.ts";
import { shortValue, unitOf } from "../values/index.ts";
import { drawLine } from "./line.ts";
import { inWindow, type Point, resample } from "./series.ts";
import { type ChartState, metricOf, WINDOWS } from "./state.ts";

export function title(state: ChartState, context: ViewContext): string {
  const { map } = state;
  if (!map) return "chart";
  const parts = [
    map.name,
    metricOf(state) === "rate" ? "per second" : "value",
    `${WINDOWS[state.window]} min`,
  ];
  if (state.log) parts.push("log");
  return parts.join(context.unicode ? " · " : " - ");
}

export function view(state: ChartState, size: Size, context: ViewContext): Line[] {
  if (!state.map) return [line("no map", "dim")];
  const points = inWindow(state.points, WINDOWS[state.window] * 60_000);
  if (points.length === 0) return [line("waiting for the first reading", "dim")];
  const chart = new Chart(state, points, size, context);
  const lines: Line[] = [];
  const withTime = size.height >= 5;
  const withFacts = size.height >= 3;
  if (withFacts) lines.push(chart.facts());
  const rows = size.height - lines.length - (withTime ? 1 : 0);
  lines.push(...chart.plot(rows));
  if (withTime) lines.push(chart.timeAxis());
  return lines.map((it) => cutLine(it, size.width)).slice(0, Math.max(0, size.height));
}

class Chart {
  private readonly state: ChartState;
  private readonly points: readonly Point[];
  private readonly size: Size;
  private readonly context: ViewContext;
  private readonly pick: (point: Point) => number;
  private readonly low: number;
  private readonly high: number;
  private readonly labelWidth: number;

  constructor(state: ChartState, points: readonly Point[], size: Size, context: ViewContext) {
    this.state = state;
    this.points = points;
    this.size = size;
    this.context = context;
    this.pick = metricOf(state) === "rate" ? (point) => point.rate : (point) => point.value;
    const values = points.map(this.pick);
    const least = Math.min(...values);
    const most = Math.max(...values);
    this.high = niceAbove(Math.max(most, 0));
    this.low = -niceAbove(Math.max(-least, 0));
    if (this.high === this.low) this.high = 1;
    this.labelWidth =
      size.width < 24 ? 0 : Math.max(5, ...[this.high, this.low].map((it) => textWidth(this.label(it))));
  }

  private label(value: number): string {
    const { map } = this.state;
    const text = shortValue(value, unitOf(map!.name), this.context.unicode);
    return text;
  }

  private valueText(value: number): string {
    const rounded = Math.abs(value) >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
    return this.label(rounded) + (metricOf(this.state) === "rate" ? "/s" : "");
  }

  facts(): Line {
    const values = this.points.map(this.pick);
    const mean = values.reduce((sum, it) => sum + it, 0) / values.length;
    const facts: [string, number][] = [
      ["now", values[values.length - 1]],
      ["max", Math.max(...values)],
      ["avg", mean],
      ["min", Math.min(...values)],
    ];
    const spans: Span[] = [];
    let width = 0;
    for (const [name, value] of facts) {
      const text = this.valueText(value);
      const wide = (spans.length > 0 ? 2 : 0) + textWidth(name) + 1 + textWidth(text);
      if (width + wide > this.size.width) break;
      if (spans.length > 0) spans.push(span("  "));
      spans.push(span(`${name} `, "dim"), span(text, "value"));
      width += wide;
    }
    return spans;
  }

  /** Where a value lies between the ends of the axis, 0 to 1. */
  private fraction(value: number): number {
    const { low, high } = this;
    if (!this.state.log) return (value - low) / (high - low);
    const bend = (it: number) => Math.sign(it) * Math.log1p(Math.abs(it));
    return (bend(value) - bend(low)) / (bend(high) - bend(low));
  }

  private unbend(fraction: number): number {
    const { low, high } = this;
    if (!this.state.log) return low + fraction * (high - low);
    const bend = (it: number) => Math.sign(it) * Math.log1p(Math.abs(it));
    const at = bend(low) + fraction * (bend(high) - bend(low));
    return Math.sign(at) * Math.expm1(Math.abs(at));
  }

  private get plotWidth(): number {
    return Math.max(1, this.size.width - (this.labelWidth > 0 ? this.labelWidth + 1 : 0));
  }

  plot(rows: number): Line[] {
    if (rows <= 0) return [];
    const { unicode } = this.context;
    const window = WINDOWS[this.state.window] * 60_000;
    const { values, from } = resample(this.points, this.pick, window, this.plotWidth * 2);
    const drawn = drawLine(
      values.map((value) => this.fraction(value)),
      from,
      this.plotWidth,
      rows,
      unicode,
    );
    const labels = new Map([[0, this.label(this.high)]]);
    if (rows >= 2) labels.set(rows - 1, this.label(this.low));
    if (rows >= 5) {
      const middle = (rows - 1) >> 1;
      labels.set(middle, this.label(round(this.unbend(1 - middle / (rows - 1)))));
    }
    return drawn.map((text, row) => {
      const dots = span(text, "bar");
      if (this.labelWidth === 0) return [dots];
      const label = labels.get(row);
      const tick = label === undefined ? (unicode ? "│" : "|") : unicode ? "┤" : "+";
      return [span(fitText(label ?? "", this.labelWidth, "right") + tick, "axis"), dots];
    });
  }

  timeAxis(): Line {
    const { unicode } = this.context;
    const minutes = WINDOWS[this.state.window];
    const dash = unicode ? "─" : "-";
    const width = this.plotWidth;
    const start = timeLabel(minutes);
    const middle = timeLabel(minutes / 2);
    let axis = dash.repeat(width);
    const put = (text: string, at: number) => {
      axis = axis.slice(0, at) + text + axis.slice(at + text.length);
    };
    if (width >= 12) {
      put(start, 0);
      put("now", width - 3);
    }
    if (width >= 30) put(middle, (width >> 1) - (middle.length >> 1));
    const corner = this.labelWidth === 0 ? "" : " ".repeat(this.labelWidth) + (unicode ? "└" : "+");
    return [span(corner + axis, "axis")];
  }
}

function timeLabel(minutes: number): string {
  if (minutes < 1) return `-${minutes * 60}s`;
  return Number.isInteger(minutes) ? `-${minutes}m` : `-${Math.floor(minutes)}m${(minutes % 1) * 60}s`;
}

const STEPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The next round number, so that the axis does not move with every reading. */
function niceAbove(value: number): number {
  if (!(value > 0)) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = STEPS.find((it) => it * power >= value * (1 - 1e-9)) ?? 10;
  return round(step * power);
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
