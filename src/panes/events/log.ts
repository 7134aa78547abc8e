/**
 * The bounded log behind the event pane. Every entry is one line of the screen: an output of several lines (a stack, a
 * printed map) becomes several entries, so that scrolling, searching and filtering count what people see.
 */
import type { ContainerInfo, OutputLine } from "../../engine/protocol.ts";
import { matches } from "../prompt/pattern.ts";
import { type Role, type Span, sanitize, sanitizeSpans, textWidth } from "../text/index.ts";
import { type Sequence, Tail } from "./tail.ts";

export const LOG_LIMIT = 10_000;

export interface Entry {
  /** Counts up over the whole session: an entry keeps its number while older ones are dropped. */
  number: number;
  time: number;
  text: string;
  kind: OutputLine["kind"] | "skipped";
  /** A further line of the same output. */
  continued: boolean;
  /** Whose process or cgroup it tells of. */
  container?: ContainerInfo;
}

export interface Log {
  entries: Tail<Entry>;
  next: number;
  /** Outputs that came, and those among them that the engine only counted. */
  received: number;
  skipped: number;
  /** Width of the longest name of a container, and of any owner, that came; 0: none has. */
  widths: Record<ContainerInfo["kind"], number>;
}

export const EMPTY_LOG: Log = {
  entries: new Tail(),
  next: 0,
  received: 0,
  skipped: 0,
  widths: { container: 0, unit: 0 },
};

export function append(log: Log, lines: readonly OutputLine[], skipped: number, limit = LOG_LIMIT): Log {
  const fresh: Entry[] = [];
  let next = log.next;
  if (skipped > 0) {
    const last = log.entries.at(-1);
    const time = lines[0]?.time ?? last?.time ?? 0;
    fresh.push({ number: next++, time, text: String(skipped), kind: "skipped", continued: false });
  }
  const widths = { ...log.widths };
  for (const { time, text, kind, container } of lines.slice(-limit)) {
    if (container) {
      const width = textWidth(sanitize(container.name));
      widths[container.kind] = Math.max(widths[container.kind], width);
    }
    const owner = container && { container };
    const newline = text.indexOf("\n");
    if (newline < 0 || newline === text.length - 1) {
      const line = newline < 0 ? text : text.slice(0, -1);
      fresh.push({ number: next++, time, text: line, kind, continued: false, ...owner });
      continue;
    }
    let continued = false;
    for (const part of text.replace(/\n$/, "").split("\n")) {
      fresh.push({ number: next++, time, text: part, kind, continued, ...(!continued && owner) });
      continued = true;
    }
  }
  return {
    entries: log.entries.add(fresh.slice(-limit), limit),
    next,
    received: log.received + lines.length + skipped,
    skipped: log.skipped + skipped,
    widths,
  };
}

/** The entries that a filter leaves; notes of what was skipped stay, they belong to no line. */
export function filterEntries(entries: Sequence<Entry>, filter: string): Sequence<Entry> {
  if (filter === "") return entries;
  return entries.filter(
    ({ kind, text, container }) =>
      kind !== "skipped" && (matches(text, filter) || (container && matches(container.name, filter))),
  );
}

const ROLES: Partial<Record<Entry["kind"], Role>> = { error: "error", warning: "warning", skipped: "dim" };

/** The text of an entry as spans: tabs expanded, control characters made visible. */
export function entrySpans(entry: Entry): Span[] {
  return [...sanitizeSpans(entry.text.replace(/\t/g, "    ").replace(/\r$/, ""), ROLES[entry.kind])];
}
