import { expect, it } from "vitest";
import type { MapPlan, Plan } from "../compile/plan.ts";
import { INT32, INT64, type Type } from "../compile/types.ts";
import { scriptShape } from "./shape.ts";

const text: Type = { kind: "string", size: 16 };
const stack: Type = { kind: "stack", space: "kernel", mode: "bpftrace", depth: 127 };

function shapeOf(source: string, key: Type | undefined, value: Type) {
  const map = { name: "@a", role: "script", script: { key, value } } as MapPlan;
  const plan = { maps: [map], actions: [], probes: [], options: [] } as unknown as Plan;
  return scriptShape(plan, source).maps[0];
}

it.each<[string, Type | undefined, Type, { kind: string; keys: string[] }]>([
  ["begin { @a = count(); }", undefined, { kind: "count" }, { kind: "count", keys: [] }],
  ["begin { @a[pid] = count(); }", INT32, { kind: "count" }, { kind: "count", keys: ["pid"] }],
  [
    "begin { @a[comm, str(args.filename)] = 1; }",
    { kind: "tuple", elements: [text, text] },
    INT64,
    { kind: "integer", keys: ["comm", "args.filename"] },
  ],
  [
    'begin { @a[strncmp("a,b", comm, 2), kstack] = hist(1); }',
    { kind: "tuple", elements: [INT64, stack] },
    { kind: "hist", bits: 0 },
    { kind: "hist", keys: ['strncmp("a,b", comm, 2)', "stack"] },
  ],
  ["begin { @a[5] = comm; }", INT64, text, { kind: "string", keys: ["int"] }],
  ["begin { @a[@b[tid]] = count(); }", INT64, { kind: "count" }, { kind: "count", keys: ["@b[tid]"] }],
])("%s", (source, key, value, expected) => {
  expect(shapeOf(source, key, value)).toEqual({ name: "@a", ...expected });
});
