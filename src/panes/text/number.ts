/** Numbers in few columns: what panes show in place of long ones. */

const SI = ["", "k", "M", "G", "T", "P", "E"];
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
const TIME: [string, number][] = [
  ["ns", 1000],
  ["µs", 1000],
  ["ms", 1000],
  ["s", 60],
  ["min", 60],
  ["h", 24],
  ["d", Number.POSITIVE_INFINITY],
];

/** Three significant digits at most, and never "1000k": 950 → "950", 1234 → "1.2k", 999999 → "1.0M". */
function scaled(value: number, base: number, units: string[], gap: string): string {
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "-∞" : "?";
  let size = Math.abs(value);
  let unit = 0;
  while (unit < units.length - 1 && size >= (unit === 0 ? base : base - 0.5)) {
    size /= base;
    unit++;
  }
  const sign = value < 0 ? "-" : "";
  const whole = unit === 0 ? Number.isInteger(size) || size >= 100 : size >= 9.95;
  return `${sign}${size.toFixed(whole ? 0 : 1)}${units[unit] === "" ? "" : gap + units[unit]}`;
}

/** 1234 → "1.2k", 3400000 → "3.4M", 12 → "12", 0.5 → "0.5". */
export function shortNumber(value: number): string {
  return scaled(value, 1000, SI, "");
}

/** 1536 → "1.5KiB". */
export function shortBytes(value: number): string {
  return scaled(value, 1024, BINARY, "");
}

/** Nanoseconds: 1500 → "1.5µs", 90e9 → "1.5min". */
export function shortDuration(nanoseconds: number, unicode = true): string {
  let size = Math.abs(nanoseconds);
  let unit = 0;
  while (unit < TIME.length - 1 && size >= TIME[unit][1] - (unit === 0 ? 0 : 0.5)) {
    size /= TIME[unit][1];
    unit++;
  }
  const digits = unit === 0 || size >= 9.95 ? 0 : 1;
  const name = TIME[unit][0];
  return `${nanoseconds < 0 ? "-" : ""}${size.toFixed(digits)}${unicode ? name : name.replace("µ", "u")}`;
}

/** "1,234,567". */
export function groupedNumber(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** Per second: "1.2k/s"; "" for zero, so that still rows look still. */
export function shortRate(perSecond: number): string {
  return Math.abs(perSecond) < 0.05 ? "" : `${shortNumber(perSecond)}/s`;
}

/** 0.04 → "0.04%", 2.345 → "2.3%", 123 → "123%". */
export function percent(value: number): string {
  const digits = value === 0 || value >= 99.95 ? 0 : value < 0.95 ? 2 : 1;
  return `${value.toFixed(digits)}%`;
}

/** Milliseconds since the epoch → "14:03:59" in local time. */
export function clockTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
