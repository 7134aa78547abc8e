/**
 * The end of a session's output, for screens: every record is counted, and only those that can still be seen when the
 * next message goes out are kept, as bytes, and formatted then.
 */
import type { ActionPlan, Plan } from "../compile/plan.ts";
import type { IntType } from "../compile/types.ts";
import type { Containers } from "../containers/resolver.ts";
import { type ActionHost, textActions } from "../output/actions.ts";
import { ByteWriter } from "../output/bytes.ts";
import { readInteger } from "../output/values.ts";
import type { ContainerInfo, OutputLine } from "../protocol.ts";

type LineKind = OutputLine["kind"];

/** What is carried out whether or not it is seen. */
const ALWAYS = new Set<ActionPlan["action"]["kind"]>(["system"]);

const KINDS: Partial<Record<ActionPlan["action"]["kind"], LineKind>> = {
  "print-value": "print",
  "print-map": "map",
  "print-map-item": "map",
  time: "time",
};

interface Kept {
  action: number;
  bytes: Uint8Array;
  view: DataView;
  length: number;
  /** Lines that are text already. */
  text: string | undefined;
  kind: LineKind;
  time: number;
}

/** The argument that says whose a record is: a process's before a cgroup's. */
function ownedArgument({ arguments: all }: ActionPlan): { type: IntType; offset: number } | undefined {
  const owned = all.flatMap(({ type, offset }) =>
    type.kind === "int" && type.identity ? [{ type, offset }] : [],
  );
  return owned.find(({ type }) => type.identity !== "cgroup") ?? owned[0];
}

export class OutputTail {
  #plan: Plan;
  #writers: ReturnType<typeof textActions>;
  #kept: Kept[] = [];
  #next = 0;
  #count = 0;
  #capacity: number;
  #containers: Pick<Containers, "of"> | undefined;
  /** By action. */
  #owned: ReturnType<typeof ownedArgument>[];
  /** A line that has not ended yet. */
  #partial = "";

  /** With `containers`, lines say whose the processes and cgroups are that they print. */
  constructor(
    plan: Plan,
    host: Omit<ActionHost, "complain">,
    { capacity = 1024, containers }: { capacity?: number; containers?: Pick<Containers, "of"> } = {},
  ) {
    this.#plan = plan;
    this.#capacity = capacity;
    this.#containers = containers;
    this.#owned = containers ? plan.actions.map(ownedArgument) : [];
    this.#writers = textActions(plan, {
      ...host,
      complain: ({ severity, message }) => this.say(`${severity.toUpperCase()}: ${message}`, severity),
    });
  }

  /** A record; its bytes are copied into a slot that is used again and again. */
  record(action: number, view: DataView, offset: number, size: number): void {
    if (ALWAYS.has(this.#plan.actions[action].action.kind)) {
      const out = new ByteWriter();
      this.#writers[action]?.(view, offset, out);
      this.text(out.toString(), "print");
      return;
    }
    const slot = this.#slot(size);
    slot.action = action;
    slot.text = undefined;
    slot.kind = KINDS[this.#plan.actions[action].action.kind] ?? "printf";
    slot.bytes.set(new Uint8Array(view.buffer, view.byteOffset + offset, size));
    slot.length = size;
  }

  /** Text that was formatted already; lines end in newlines. */
  text(text: string, kind: LineKind): void {
    const slot = this.#slot(0);
    slot.text = text;
    slot.kind = kind;
  }

  /** A whole line. */
  say(message: string, kind: LineKind): void {
    this.text(`${message}\n`, kind);
  }

  /** Whether there is anything to send. */
  get waiting(): boolean {
    return this.#count > 0;
  }

  /** The lines since the last call, and how many records before them were only counted. */
  take(): { lines: OutputLine[]; skipped: number } {
    const kept = Math.min(this.#count, this.#kept.length);
    const skipped = this.#count - kept;
    if (skipped > 0) this.#partial = "";
    const lines: OutputLine[] = [];
    const first = this.#next - kept;
    const slots = Array.from({ length: kept }, (_, i) => this.#kept.at((first + i) % this.#kept.length)!);
    // Formatting may complain, which adds lines: they come with the next call.
    this.#kept = [];
    this.#next = 0;
    this.#count = 0;
    for (const slot of slots) this.#format(slot, lines);
    return { lines, skipped };
  }

  #format(slot: Kept, lines: OutputLine[]): void {
    let text = slot.text;
    if (text === undefined) {
      const out = new ByteWriter();
      this.#writers[slot.action]?.(slot.view, 0, out);
      text = out.toString();
    }
    const parts = (this.#partial + text).split("\n");
    this.#partial = parts.pop() ?? "";
    const container = slot.text === undefined && parts.length > 0 ? this.#container(slot) : undefined;
    for (const line of parts) {
      lines.push({ time: slot.time, text: line, kind: slot.kind, ...(container && { container }) });
    }
  }

  #container({ action, view }: Kept): ContainerInfo | undefined {
    const owned = this.#owned[action];
    if (!owned) return undefined;
    return this.#containers!.of(owned.type.identity!, readInteger(view, owned.offset, owned.type));
  }

  #slot(size: number): Kept {
    this.#count++;
    let slot = this.#kept[this.#next];
    if (!slot || slot.bytes.byteLength < size) {
      const bytes = new Uint8Array(Math.max(64, size * 2));
      slot = {
        action: 0,
        bytes,
        view: new DataView(bytes.buffer),
        length: 0,
        text: undefined,
        kind: "printf",
        time: 0,
      };
      this.#kept[this.#next] = slot;
    }
    slot.time = Date.now();
    this.#next = (this.#next + 1) % this.#capacity;
    return slot;
  }
}
