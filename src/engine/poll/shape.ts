/** What a script declares, for choosing panes: its maps, whether it prints, its probes. */
import type { MapPlan, Plan } from "../compile/plan.ts";
import { isAggregation, type Type } from "../compile/types.ts";
import type { MapKind, MapShape, ScriptShape } from "../protocol.ts";

export function mapKind(value: Type): MapKind {
  if (isAggregation(value)) return value.kind;
  if (value.kind === "int" || value.kind === "bool") return "integer";
  return value.kind === "string" ? "string" : "other";
}

const KEY_NAMES: Partial<Record<Type["kind"], string>> = {
  int: "int",
  bool: "int",
  string: "string",
  stack: "stack",
  ksym: "function",
  usym: "function",
  username: "user",
  probe: "probe",
  inet: "address",
};

/** The key's columns: a tuple's elements, or the key itself. */
export function keyColumns(key: Type | undefined): Type[] {
  if (!key) return [];
  return key.kind === "tuple" ? key.elements : [key];
}

/** Splits at commas that are in no bracket and no string. */
function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === "\\") i++;
    } else if ("([{".includes(text[i])) depth++;
    else if (")]}".includes(text[i])) depth--;
    else if (text[i] === "," && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  return [...parts, text.slice(from)].map((part) => part.trim());
}

/** What stands in the brackets where the script first uses the map: the best names its columns can have. */
function keyExpressions(source: string, name: string): string[] {
  const escaped = name.replace(/[^@\w]/g, "\\$&");
  const start = new RegExp(`${escaped}\\[`).exec(source);
  if (!start) return [];
  let depth = 1;
  const from = start.index + start[0].length;
  let end = from;
  for (; end < source.length && depth > 0; end++) {
    if (source[end] === "[") depth++;
    else if (source[end] === "]") depth--;
  }
  return splitTop(source.slice(from, end - 1)).map((text) => text.replace(/^str\((.*)\)$/, "$1"));
}

const LONGEST_NAME = 24;

function mapShape(map: MapPlan, source: string): MapShape {
  const script = map.script!;
  const columns = keyColumns(script.key);
  const written = keyExpressions(source, map.name);
  const keys = columns.map((type, i) => {
    const own = written.length === columns.length ? written[i] : "";
    const named = own !== "" && own.length <= LONGEST_NAME && !/^\d/.test(own) && type.kind !== "stack";
    return named ? own : (KEY_NAMES[type.kind] ?? type.kind);
  });
  return { name: map.name, kind: mapKind(script.value), keys };
}

const SILENT = new Set(["print-map", "clear", "zero", "exit", "runtime-error"]);

export function scriptShape(plan: Plan, source: string): ScriptShape {
  return {
    maps: plan.maps.filter((map) => map.role === "script").map((map) => mapShape(map, source)),
    prints: plan.actions.some(({ action }) => !SILENT.has(action.kind)),
    probes: plan.probes.map((probe) => probe.name),
    options: plan.options,
  };
}
