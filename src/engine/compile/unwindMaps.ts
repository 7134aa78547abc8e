/**
 * How unwind tables lie in the kernel: what the engine writes and generated code reads, for dw_ustack().
 *
 *   unwind_pids   hash     pid → u32 slot of its segments
 *   unwind_maps   array    slot → segments, ascending by start, those not used at the end of all addresses
 *   unwind_rows   array of array maps, one for each load of tables: index → shard of rows
 *   unwind_rules  one value with all rules
 *
 *   segment   u64 start   u32 bytes   u32 first address in the table   u32 map of rows   u32 shard   u32 first row   u32 rows
 *             the page that functions with uretprobes return to has no rows, and RETURN_PAGE for its map
 *   row       u32 address in the table   u32 rule; it holds up to the next row
 *   rule      u8 cfa   u8 frame pointer   u8 signal   u8 guess   s32 offset   s32 at   s32 fp   s32 return at
 *             (libbpf-ts/src/unwind/rules.ts says what they mean)
 */
import type { MapPlan } from "./plan.ts";

export const SEGMENT = {
  start: 0,
  bytes: 8,
  from: 12,
  map: 16,
  shard: 20,
  row: 24,
  rows: 28,
  size: 32,
} as const;
export const ROW = { address: 0, rule: 4, size: 8 } as const;
export const RULE = {
  cfa: 0,
  framePointer: 1,
  signal: 2,
  guess: 3,
  offset: 4,
  at: 8,
  fp: 12,
  returnAt: 16,
  size: 32,
} as const;

/** Powers of two: searches halve them, and masks keep to them. */
export const SEGMENTS = 512;
export const SHARD_ROWS = 1 << 14;
export const RULES = 1 << 12;
/** Maps of rows: one for each time that tables are loaded. */
export const ROW_MAPS = 256;
export const RETURN_PAGE = 0xffffffff;
/** Where unused segments begin. */
export const NOWHERE = 0x7fffffffffffffffn;

export const SEGMENTS_BYTES = SEGMENTS * SEGMENT.size;
export const SHARD_BYTES = SHARD_ROWS * ROW.size;
const RULES_BYTES = RULES * RULE.size;

/** Processes that are unwound at a time, and slots: a new one is written before the old one is let go. */
export const UNWOUND_PROCESSES = 64;
export const SLOTS = UNWOUND_PROCESSES + 2;

export type UnwindMap = "unwind_pids" | "unwind_maps" | "unwind_rows" | "unwind_rules";

const plan = (name: UnwindMap, map: Omit<MapPlan, "name" | "role" | "keySize" | "flags">): MapPlan => ({
  name,
  role: "unwind",
  keySize: 4,
  flags: 0,
  ...map,
});

export const UNWIND_MAPS: readonly MapPlan[] = [
  plan("unwind_pids", { type: "hash", valueSize: 4, maxEntries: UNWOUND_PROCESSES + 2 }),
  plan("unwind_maps", { type: "array", valueSize: SEGMENTS_BYTES, maxEntries: SLOTS }),
  plan("unwind_rows", {
    type: "array_of_maps",
    valueSize: 4,
    maxEntries: ROW_MAPS,
    inner: { valueSize: SHARD_BYTES },
  }),
  plan("unwind_rules", { type: "array", valueSize: RULES_BYTES, maxEntries: 1 }),
];
