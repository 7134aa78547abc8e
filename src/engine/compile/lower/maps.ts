/** The script's maps: reading, setting, counting up in place, deleting. Aggregations have a file of their own. */
import { constant, ONE, reg, type Value, ZERO } from "../ir/types.ts";
import type { MapInfo, TypedExpression, TypedStatement } from "../typed.ts";
import { isAggregation, roundUp, sizeOf, type Type } from "../types.ts";
import { readAggregation } from "./aggregations.ts";
import type { Cx } from "./context.ts";
import { checkHelper, countMapFull, mapStatus, reportError } from "./errors.ts";
import { loadTyped, place, scalar, write } from "./expressions.ts";
import { normalise } from "./integers.ts";
import type { ScriptMap } from "./layout.ts";
import { addressOf, copyBytes, type Place, storeScalar, zeroBytes } from "./memory.ts";
import { isScalar, scalarSize } from "./shape.ts";
import { sameExpression, visitExpression } from "./walk.ts";

const UPDATE_ANY = 0;
export const UPDATE_NOEXIST = 1;

export const mapRef = (map: ScriptMap): Value => ({ kind: "map", map: map.index });

/** The value of a scalar map that is one array entry. */
export const scalarPlace = (map: ScriptMap): Place => ({
  base: { kind: "map-value", map: map.index, offset: 0 },
  offset: 0,
  space: "bpf",
});

/** The address of a key's bytes. Scalar maps kept per CPU have the index 0. */
export function keyAddress(cx: Cx, map: ScriptMap, key: TypedExpression | undefined): Value {
  if (!map.info.key || !key) {
    const index = cx.b.slot(4, "index");
    cx.b.store(index, 0, 4, ZERO);
    return index;
  }
  const size = sizeOf(map.info.key);
  if (key.op === "local" && !isScalar(key.type) && sizeOf(key.type) === size)
    return addressOf(cx, cx.memoryOf(key.local));
  const to = cx.temporary(size, "key");
  cx.withPadding(true, () => write(cx, key, to));
  return addressOf(cx, to);
}

export const lookup = (cx: Cx, map: ScriptMap, key: Value): Value =>
  cx.b.call("map_lookup_elem", mapRef(map), key);

/** Missing keys read as zero; aggregations as what all CPUs have together. */
export function mapGet(cx: Cx, info: MapInfo, key: TypedExpression | undefined, type: Type): Value {
  const map = cx.layout.script(info);
  if (isAggregation(info.value))
    return readAggregation(cx, map, keyAddress(cx, map, key), isAggregation(type) ? info.value : type);
  if (!info.key) return loadTyped(cx, scalarPlace(map), info.value);
  const result = cx.b.fresh();
  const found = (key && cx.found(info, key)) ?? lookup(cx, map, keyAddress(cx, map, key));
  if (key) cx.remember(info, key, found);
  cx.b.assign(result, ZERO);
  reportMissing(cx, found);
  cx.b.when("ne", found, ZERO, () => {
    cx.b.assign(result, loadTyped(cx, { base: found, offset: 0, space: "bpf" }, info.value));
  });
  return reg(result);
}

/** With -k: reading what is not there is said. */
function reportMissing(cx: Cx, found: Value): void {
  if (!cx.unit.options.warnHelperErrors) return;
  cx.b.when("eq", found, ZERO, () => reportError(cx, "map_lookup_elem"), true);
}

/** The bytes of a value in the map itself, or zeros. */
export function mapPlace(cx: Cx, info: MapInfo, key: TypedExpression | undefined, type: Type): Place {
  const map = cx.layout.script(info);
  if (!info.key) return scalarPlace(map);
  const found = cx.b.fresh();
  cx.b.assign(found, lookup(cx, map, keyAddress(cx, map, key)));
  reportMissing(cx, reg(found));
  cx.b.when("eq", reg(found), ZERO, () => {
    cx.b.assign(found, { kind: "map-value", map: cx.layout.zeros(sizeOf(type)), offset: 0 });
  });
  return { base: reg(found), offset: 0, space: "bpf" };
}

export function writeMapGet(
  cx: Cx,
  info: MapInfo,
  key: TypedExpression | undefined,
  type: Type,
  to: Place,
): void {
  copyBytes(cx, to, mapPlace(cx, info, key, type), sizeOf(type));
}

/** Address of a value in the map; 0 when the key is missing. */
export function mapAddress(cx: Cx, info: MapInfo, key: TypedExpression | undefined): Value {
  const map = cx.layout.script(info);
  if (!info.key && !map.perCpu) return cx.b.add(scalarPlace(map).base, 0);
  return lookup(cx, map, keyAddress(cx, map, key));
}

function markPresent(cx: Cx, map: ScriptMap): void {
  if (map.present === undefined) return;
  cx.b.store({ kind: "map-value", map: map.index, offset: map.present }, 0, 8, ONE);
}

function mentions(e: TypedExpression, info: MapInfo): boolean {
  let found = false;
  visitExpression(e, {
    expression: (part) => {
      if ("map" in part && part.map === info) found = true;
    },
  });
  return found;
}

/** `@m[k] = @m[k] + v` with the same key: v. */
function addend(s: Extract<TypedStatement, { op: "set-map" }>): TypedExpression | undefined {
  const value = s.value.op === "cast" && s.value.type.kind === "int" ? s.value.operand : s.value;
  if (value.op !== "binary" || value.operator !== "+" || s.map.value.kind !== "int") return undefined;
  const left = value.left.op === "cast" ? value.left.operand : value.left;
  if (left.op !== "map-get" || left.map !== s.map || mentions(value.right, s.map)) return undefined;
  const sameKey = s.key && left.key ? sameExpression(s.key, left.key) : s.key === left.key;
  return sameKey ? value.right : undefined;
}

export function setMap(cx: Cx, s: Extract<TypedStatement, { op: "set-map" }>): void {
  const map = cx.layout.script(s.map);
  const type = s.map.value;
  const added = s.map.key ? addend(s) : undefined;
  if (added) {
    addInPlace(cx, map, s.key, scalar(cx, added), false);
    return;
  }
  if (!s.map.key) {
    if (!isScalar(type) && mentions(s.value, s.map)) {
      const copy = cx.temporary(sizeOf(type), "value");
      write(cx, s.value, copy);
      copyBytes(cx, scalarPlace(map), copy, sizeOf(type));
    } else {
      write(cx, s.value, scalarPlace(map));
    }
    markPresent(cx, map);
    return;
  }
  const value = valueBytes(cx, s.value, type);
  const key = keyAddress(cx, map, s.key);
  update(cx, map, key, value);
}

/** The new value's bytes; always a copy of what may change. */
function valueBytes(cx: Cx, e: TypedExpression, type: Type): Place {
  if (!isScalar(type) && e.op === "local") return place(cx, e);
  const to = cx.temporary(sizeOf(type), "value");
  write(cx, e, to);
  return to;
}

/** Replaces or adds; in place where the script never deletes from the map, as then the key is mostly there already. */
function update(cx: Cx, map: ScriptMap, key: Value, value: Place): void {
  const { b } = cx;
  cx.forget(map.info);
  const size = sizeOf(map.info.value);
  const put = () => {
    const status = mapStatus(
      cx,
      "map_update_elem",
      mapRef(map),
      key,
      addressOf(cx, value),
      constant(UPDATE_ANY),
    );
    b.when("slt", status, ZERO, () => countMapFull(cx, map), true);
    checkHelper(cx, "map_update_elem", status);
  };
  if (cx.unit.deletedMaps.has(map.info) || size > 8) {
    put();
    return;
  }
  const found = lookup(cx, map, key);
  const miss = b.block("miss", true);
  const hit = b.block("hit");
  const after = b.block("after");
  b.branch("eq", found, ZERO, miss, hit);
  b.startBlock(miss);
  put();
  b.jump(after);
  b.startBlock(hit);
  copyBytes(cx, { base: found, offset: 0, space: "bpf" }, value, size);
  b.startBlock(after);
}

/** Runs `body` on a value's address, the key being added with zeros when it is missing; skipped when there is no room. */
export function withValue(cx: Cx, map: ScriptMap, key: Value, body: (found: Value) => void): void {
  const { b } = cx;
  cx.forget(map.info);
  const found = b.fresh();
  const miss = b.block("miss", true);
  const full = b.block("full", true);
  const hit = b.block("hit");
  const after = b.block("after");
  b.assign(found, lookup(cx, map, key));
  b.branch("eq", reg(found), ZERO, miss, hit);
  b.startBlock(miss);
  const size = sizeOf(map.info.value);
  let zeros: Value;
  if (size <= 16) {
    zeros = b.slot(roundUp(size, 8), "zero");
    zeroBytes(cx, { base: zeros, offset: 0, space: "bpf" }, roundUp(size, 8));
  } else {
    zeros = { kind: "map-value", map: cx.layout.zeros(size), offset: 0 };
  }
  b.call("map_update_elem", mapRef(map), key, zeros, constant(UPDATE_NOEXIST));
  b.assign(found, lookup(cx, map, key));
  b.branch("ne", reg(found), ZERO, hit, full);
  b.startBlock(full);
  countMapFull(cx, map);
  b.jump(after);
  b.startBlock(hit);
  body(reg(found));
  b.startBlock(after);
}

/** Adds to an integer value where it is; the old value when it is wanted. */
function addInPlace(
  cx: Cx,
  map: ScriptMap,
  key: TypedExpression | undefined,
  by: Value,
  wanted: boolean,
): Value | undefined {
  const { b } = cx;
  const size = scalarSize(map.info.value);
  const old = b.fresh();
  if (wanted) b.assign(old, ZERO);
  withValue(cx, map, keyAddress(cx, map, key), (found) => {
    if (size >= 4 && !wanted) {
      b.atomicAdd(found, 0, size as 4 | 8, by);
    } else if (size >= 4 && cx.target.can("fetchAdd")) {
      b.assign(old, normalise(cx, b.fetchAdd(found, 0, size as 4 | 8, by), map.info.value));
    } else {
      const before = loadTyped(cx, { base: found, offset: 0, space: "bpf" }, map.info.value);
      if (wanted) b.assign(old, before);
      b.store(found, 0, size, b.add(before, by));
    }
  });
  return wanted ? reg(old) : undefined;
}

export function mapIncrement(
  cx: Cx,
  info: MapInfo,
  key: TypedExpression | undefined,
  delta: bigint,
  prefix: boolean,
  type: Type,
  wanted: boolean,
): Value | undefined {
  const { b } = cx;
  const map = cx.layout.script(info);
  if (info.key) {
    const old = addInPlace(cx, map, key, constant(delta), wanted);
    return old && prefix ? normalise(cx, b.add(old, constant(delta)), type) : old;
  }
  const at = scalarPlace(map);
  const before = loadTyped(cx, at, info.value);
  const after = normalise(cx, b.add(before, constant(delta)), info.value);
  storeScalar(cx, at, scalarSize(info.value), after);
  markPresent(cx, map);
  return wanted ? (prefix ? after : before) : undefined;
}

/** Whether the key is there. */
export function hasKey(cx: Cx, info: MapInfo, key: TypedExpression | undefined): Value {
  const map = cx.layout.script(info);
  return cx.b.compare("ne", lookup(cx, map, keyAddress(cx, map, key)), ZERO);
}

/** delete(@m, k): whether the key was there. Without a key, a scalar is unset. */
export function deleteKey(cx: Cx, info: MapInfo, key: TypedExpression | undefined): Value {
  const { b } = cx;
  const map = cx.layout.script(info);
  cx.forget(info);
  if (info.key) {
    const status = mapStatus(cx, "map_delete_elem", mapRef(map), keyAddress(cx, map, key));
    checkHelper(cx, "map_delete_elem", status);
    return b.compare("eq", status, ZERO);
  }
  const size = map.plan.valueSize;
  if (!map.perCpu) {
    const at = scalarPlace(map);
    const was = map.present === undefined ? ONE : b.load(at.base, map.present, 8);
    zeroBytes(cx, at, size);
    return was;
  }
  const found = lookup(cx, map, keyAddress(cx, map, undefined));
  b.when("ne", found, ZERO, () => zeroBytes(cx, { base: found, offset: 0, space: "bpf" }, size));
  return ONE;
}
