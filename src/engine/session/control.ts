/** Records that the engine itself acts on: exit, print(@map), clear and zero. */
import type { BpfMap } from "libbpf-ts";
import type { ActionPlan, PlannedAction } from "../compile/plan.ts";

export type PrintMapAction = Extract<PlannedAction, { kind: "print-map" }>;

export interface Controls {
  exit(code: number): void;
  printMap(action: PrintMapAction): void;
  clear(map: number): void;
  zero(map: number): void;
}

/** What the engine itself does with a record; true: nothing is left to print. */
export const CONTROL: {
  [K in PlannedAction["kind"]]?: (
    controls: Controls,
    plan: ActionPlan,
    view: DataView,
    offset: number,
  ) => true;
} = {
  exit: (controls, plan, view, offset) => {
    const code = plan.arguments[0];
    controls.exit(code ? view.getInt32(offset + code.offset, true) : 0);
    return true;
  },
  "print-map": (controls, { action }) => {
    controls.printMap(action as PrintMapAction);
    return true;
  },
  clear: (controls, { action }) => {
    controls.clear((action as Extract<PlannedAction, { kind: "clear" | "zero" }>).map);
    return true;
  },
  zero: (controls, { action }) => {
    controls.zero((action as Extract<PlannedAction, { kind: "clear" | "zero" }>).map);
    return true;
  },
};

/** Keeps the keys and sets their values to zero. */
export function zeroValues(map: BpfMap): void {
  if (map.type === "array" || map.type === "percpu_array") {
    map.clear();
    return;
  }
  const { keys, count } = map.readBatch();
  const zero = new Uint8Array(map.valueStride);
  for (let i = 0; i < count; i++) map.update(keys.slice(i * map.keySize, (i + 1) * map.keySize), zero);
}
