/** Helpers of this folder's tests: bytes from rows, and maps as the poller would have merged them. */
import type { MapPlan } from "../compile/plan.ts";
import { isAggregation, sizeOf, type Type } from "../compile/types.ts";
import type { MergedMap } from "../poll/merged.ts";
import type { OutputContext } from "./context.ts";

/** "map:id" → words. The second has build ids: a frame in a file, then one that is only an address. */
const STACKS = new Map([
  ["0:7", BigUint64Array.of(0xff10n, 0x10n, 0n)],
  [
    "1:7",
    BigUint64Array.of(0xab00000001n, 0n, 0xcd00000000000000n, 0x1c5n, 2n, 0n, 0n, 0x7f00n, 0n, 0n, 0n, 0n),
  ],
]);

export const testContext: OutputContext = {
  kernel: (address) =>
    address >= 0xff00n ? { name: "vfs_read", offset: Number(address - 0xff00n), module: "" } : undefined,
  user: (_pid, address) =>
    address >= 0x4000n ? { name: "main", offset: Number(address - 0x4000n), module: "/bin/prog" } : undefined,
  stack: (map, id) => STACKS.get(`${map}:${id}`),
  strings: ["%Y-%m-%d %H:%M:%S.%f", "unified"],
  probes: ["begin", "tracepoint:syscalls:sys_enter_openat"],
  truncationTrailer: "..",
  username: (uid) => (uid === 0 ? "root" : undefined),
  cgroupPath: (id, filter) => `${filter}:/slice${id}`,
  realtime: (nanoseconds) => nanoseconds,
};

/** Bytes from numbers (u8), bigints (u64), strings (as they are) and arrays of them. */
export type Piece = number | bigint | string | Piece[];

export function bytes(...pieces: Piece[]): Uint8Array {
  const out: number[] = [];
  const add = (piece: Piece): void => {
    if (Array.isArray(piece)) piece.forEach(add);
    else if (typeof piece === "number") out.push(piece & 0xff);
    else if (typeof piece === "string") out.push(...Buffer.from(piece, "latin1"));
    else for (let i = 0n; i < 8n; i++) out.push(Number((BigInt.asUintN(64, piece) >> (i * 8n)) & 0xffn));
  };
  pieces.forEach(add);
  return Uint8Array.from(out);
}

export const view = (...pieces: Piece[]): DataView => new DataView(bytes(...pieces).buffer);

/** Text in so many bytes, the rest NUL. */
export const text = (value: string, size: number): number[] => [
  ...Buffer.from(value, "latin1"),
  ...Array<number>(size - value.length).fill(0),
];

export const u32 = (value: number): number[] => [value, value >>> 8, value >>> 16, value >>> 24];

export interface TestRow {
  key?: Piece[];
  /** Words of an aggregation. */
  words?: bigint[];
  /** Bytes of any other value. */
  raw?: Piece[];
}

export function testMap(
  name: string,
  key: Type | undefined,
  value: Type,
  rows: readonly TestRow[],
): MergedMap {
  const aggregation = isAggregation(value);
  const map: MapPlan = {
    name,
    role: "script",
    type: key ? "hash" : "array",
    keySize: key ? sizeOf(key) : 4,
    valueSize: sizeOf(value),
    maxEntries: 4096,
    flags: 0,
    script: { key, value },
  };
  const width = rows[0]?.words?.length ?? 1;
  return {
    map,
    count: rows.length,
    keys: bytes(...rows.flatMap((row) => row.key ?? [])),
    words: aggregation ? BigInt64Array.from(rows.flatMap((row) => row.words!)) : undefined,
    width,
    raw: aggregation ? undefined : bytes(...rows.flatMap((row) => row.raw!)),
  };
}
