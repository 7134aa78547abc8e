import { expect, it } from "vitest";
import type { ActionPlan, Plan } from "../compile/plan.ts";
import { INT64 } from "../compile/types.ts";
import type { ActionHost } from "../output/actions.ts";
import type { OutputContext } from "../output/context.ts";
import { OutputTail } from "./tail.ts";

const print = (format: string): ActionPlan => ({
  action: { kind: "printf", format },
  arguments: [{ type: INT64, offset: 8 }],
  size: 16,
  span: { start: 0, end: 1 },
  control: false,
});
const plan = { actions: [print("%d\n"), print("%d ")] } as Plan;
const host: Omit<ActionHost, "complain"> = {
  context: {} as OutputContext,
  effects: {
    readFile: () => new Uint8Array(),
    run: () => new Uint8Array(),
  },
  now: () => 0n,
  errorText: String,
};

function record(tail: OutputTail, action: number, value: number): void {
  // Records lie anywhere in a ring: here behind 24 bytes of others.
  const view = new DataView(new ArrayBuffer(64));
  view.setUint32(24, action, true);
  view.setBigInt64(32, BigInt(value), true);
  tail.record(action, view, 24, 16);
}

const texts = (tail: OutputTail) => {
  const { lines, skipped } = tail.take();
  return { lines: lines.map((line) => line.text), skipped };
};

it("keeps the last records and counts those before them", () => {
  const tail = new OutputTail(plan, host, { capacity: 4 });
  for (let i = 0; i < 10; i++) record(tail, 0, i);
  expect(tail.waiting).toBe(true);
  expect(texts(tail)).toEqual({ lines: ["6", "7", "8", "9"], skipped: 6 });
  expect(tail.waiting).toBe(false);
});

it.each([1, 3, 4, 5, 8, 9])("%d records in a tail of four come out in order", (count) => {
  const tail = new OutputTail(plan, host, { capacity: 4 });
  for (let i = 0; i < count; i++) record(tail, 0, i);
  const all = Array.from({ length: count }, (_, i) => String(i));
  expect(texts(tail)).toEqual({ lines: all.slice(-4), skipped: Math.max(0, count - 4) });
});

it("puts a line together from several records, also across messages", () => {
  const tail = new OutputTail(plan, host);
  record(tail, 1, 1);
  expect(texts(tail)).toEqual({ lines: [], skipped: 0 });
  record(tail, 1, 2);
  record(tail, 0, 3);
  expect(texts(tail)).toEqual({ lines: ["1 2 3"], skipped: 0 });
});

it("takes text between records in its turn", () => {
  const tail = new OutputTail(plan, host);
  record(tail, 0, 1);
  tail.text("@a: 1\n@b: 2\n", "map");
  tail.say("WARNING: careful", "warning");
  record(tail, 0, 2);
  expect(tail.take().lines.map(({ text, kind }) => [kind, text])).toEqual([
    ["printf", "1"],
    ["map", "@a: 1"],
    ["map", "@b: 2"],
    ["warning", "WARNING: careful"],
    ["printf", "2"],
  ]);
});

it("lines say whose processes they print", () => {
  const pid = { kind: "int", size: 4, signed: false, identity: "process" } as const;
  const action: ActionPlan = {
    ...print("%d %d\n"),
    arguments: [...print("").arguments, { type: pid, offset: 16 }],
  };
  const web = { kind: "container", runtime: "docker", id: "4f0c", name: "web" } as const;
  const containers = {
    of: (identity: string, value: number | bigint) =>
      identity === "process" && Number(value) === 12 ? web : undefined,
  };
  const tail = new OutputTail({ actions: [action] } as Plan, host, { containers });
  for (const number of [12, 13]) {
    const view = new DataView(new ArrayBuffer(24));
    view.setUint32(16, number, true);
    tail.record(0, view, 0, 24);
  }
  expect(tail.take().lines.map(({ text, container }) => [text, container?.name])).toEqual([
    ["0 12", "web"],
    ["0 13", undefined],
  ]);
});
