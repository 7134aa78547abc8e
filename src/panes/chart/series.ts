/** A value over time in bounded memory: one point for each quarter of a second of the last quarter of an hour. */

export interface Point {
  /** Milliseconds since the epoch, of the last reading in the slot. */
  time: number;
  value: number;
  /** Mean over the readings in the slot. */
  rate: number;
  readings: number;
}

export const RESOLUTION = 250;
export const LONGEST = 15 * 60_000;
const MOST_POINTS = LONGEST / RESOLUTION + 1;

const slotOf = (time: number) => Math.floor(time / RESOLUTION);

export function addPoint(
  points: readonly Point[],
  time: number,
  value: number,
  rate: number,
): readonly Point[] {
  if (!Number.isFinite(value) || !Number.isFinite(rate)) return points;
  const last = points[points.length - 1];
  if (last && time < last.time) return points;
  if (last && slotOf(time) === slotOf(last.time)) {
    const readings = last.readings + 1;
    const mean = last.rate + (rate - last.rate) / readings;
    return [...points.slice(0, -1), { time, value, rate: mean, readings }];
  }
  const oldest = time - LONGEST;
  let first = Math.max(0, points.length - MOST_POINTS + 1);
  while (first < points.length && points[first].time < oldest) first++;
  return [...points.slice(first), { time, value, rate, readings: 1 }];
}

/** The points of the last `window` milliseconds, and the one before them where the line comes from. */
export function inWindow(points: readonly Point[], window: number): readonly Point[] {
  const end = points[points.length - 1]?.time ?? 0;
  let first = points.length;
  while (first > 0 && points[first - 1].time >= end - window) first--;
  return points.slice(first);
}

/**
 * One value per dot: the largest reading where a dot has several, the line between two readings where it has none.
 * `from`: the first dot that has a value.
 */
export function resample(
  points: readonly Point[],
  pick: (point: Point) => number,
  window: number,
  dots: number,
): { values: number[]; from: number } {
  if (points.length === 0 || dots <= 0) return { values: [], from: 0 };
  const end = points[points.length - 1].time;
  const dotOf = (time: number) => {
    const dot = Math.round(((time - (end - window)) / window) * (dots - 1));
    return Math.max(0, Math.min(dots - 1, dot));
  };
  const from = dotOf(points[0].time);
  const values: number[] = [];
  let before = from;
  for (const point of points) {
    const at = dotOf(point.time);
    const value = pick(point);
    const last = values[values.length - 1];
    if (values.length > 0 && at === before) {
      values[values.length - 1] = Math.abs(value) > Math.abs(last) ? value : last;
      continue;
    }
    for (let dot = before + 1; dot < at; dot++) {
      values.push(last + ((value - last) * (dot - before)) / (at - before));
    }
    values.push(value);
    before = at;
  }
  return { values, from };
}
