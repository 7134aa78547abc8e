/**
 * strftime(3) in the C locale and the machine's time zone, with bpftrace's %f (microseconds), %k (nanoseconds) and %l
 * (milliseconds).
 */

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

const pad = (value: number, width: number, fill = "0"): string => String(value).padStart(width, fill);
const hour12 = (time: Date): number => time.getHours() % 12 || 12;
const dayOfYear = (time: Date): number =>
  Math.round(
    (Date.UTC(time.getFullYear(), time.getMonth(), time.getDate()) - Date.UTC(time.getFullYear(), 0, 1)) /
      86_400_000,
  );

/** Year and week number of ISO 8601: a week belongs to the year that its Thursday is in. */
function isoWeek(time: Date): { year: number; week: number } {
  const thursday = new Date(time.getFullYear(), time.getMonth(), time.getDate());
  thursday.setDate(thursday.getDate() + 3 - ((thursday.getDay() + 6) % 7));
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

function zoneOffset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? "-" : "+"}${pad(Math.floor(absolute / 60), 2)}${pad(absolute % 60, 2)}`;
}

const zoneName = (time: Date): string =>
  new Intl.DateTimeFormat("en-US", { timeZoneName: "short" })
    .formatToParts(time)
    .find((part) => part.type === "timeZoneName")?.value ?? "";

type Conversion = (time: Date, nanoseconds: number) => string;

const CONVERSIONS: Record<string, Conversion> = {
  a: (t) => DAYS[t.getDay()].slice(0, 3),
  A: (t) => DAYS[t.getDay()],
  b: (t) => MONTHS[t.getMonth()].slice(0, 3),
  B: (t) => MONTHS[t.getMonth()],
  c: (t, ns) => convert("%a %b %e %H:%M:%S %Y", t, ns),
  C: (t) => pad(Math.floor(t.getFullYear() / 100), 2),
  d: (t) => pad(t.getDate(), 2),
  D: (t, ns) => convert("%m/%d/%y", t, ns),
  e: (t) => pad(t.getDate(), 2, " "),
  f: (_t, ns) => pad(Math.floor(ns / 1000), 6),
  F: (t, ns) => convert("%Y-%m-%d", t, ns),
  g: (t) => pad(isoWeek(t).year % 100, 2),
  G: (t) => String(isoWeek(t).year),
  h: (t) => MONTHS[t.getMonth()].slice(0, 3),
  H: (t) => pad(t.getHours(), 2),
  I: (t) => pad(hour12(t), 2),
  j: (t) => pad(dayOfYear(t) + 1, 3),
  k: (_t, ns) => pad(ns, 9),
  l: (_t, ns) => pad(Math.floor(ns / 1_000_000), 3),
  m: (t) => pad(t.getMonth() + 1, 2),
  M: (t) => pad(t.getMinutes(), 2),
  n: () => "\n",
  p: (t) => (t.getHours() < 12 ? "AM" : "PM"),
  P: (t) => (t.getHours() < 12 ? "am" : "pm"),
  r: (t, ns) => convert("%I:%M:%S %p", t, ns),
  R: (t, ns) => convert("%H:%M", t, ns),
  s: (t) => String(Math.floor(t.getTime() / 1000)),
  S: (t) => pad(t.getSeconds(), 2),
  t: () => "\t",
  T: (t, ns) => convert("%H:%M:%S", t, ns),
  u: (t) => String(t.getDay() || 7),
  U: (t) => pad(Math.floor((dayOfYear(t) + 7 - t.getDay()) / 7), 2),
  V: (t) => pad(isoWeek(t).week, 2),
  w: (t) => String(t.getDay()),
  W: (t) => pad(Math.floor((dayOfYear(t) + 7 - ((t.getDay() + 6) % 7)) / 7), 2),
  x: (t, ns) => convert("%m/%d/%y", t, ns),
  X: (t, ns) => convert("%H:%M:%S", t, ns),
  y: (t) => pad(t.getFullYear() % 100, 2),
  Y: (t) => String(t.getFullYear()),
  z: zoneOffset,
  Z: zoneName,
  "%": () => "%",
};

/** Unknown conversions stay as they are, as in glibc. */
const convert = (format: string, time: Date, nanoseconds: number): string =>
  format.replace(
    /%[EO]?([A-Za-z%])/g,
    (whole, letter: string) => CONVERSIONS[letter]?.(time, nanoseconds) ?? whole,
  );

/** Formats nanoseconds since the epoch. */
export function strftime(format: string, nanoseconds: bigint): string {
  const second = 1_000_000_000n;
  const rest = ((nanoseconds % second) + second) % second;
  return convert(format, new Date(Number((nanoseconds - rest) / 1_000_000n)), Number(rest));
}
