/**
 * Recorded programs: /usr/bin/server has debug info, of `serve(struct request *, double, enum level, short)`, with an argument
 * on the stack and one in a register of its own; /usr/bin/stripped has none.
 */
import type { UserBinary, UserDebugInfo, UserFunction } from "../kernel.ts";
import type { EnumType, StructLayout, Type } from "../types.ts";

const REQUEST: StructLayout = {
  size: 24,
  align: 8,
  fields: [
    {
      name: "next",
      type: {
        kind: "pointer",
        to: { kind: "struct", name: "request", union: false, layout: () => REQUEST },
        space: "user",
      },
      offset: 0,
    },
    { name: "length", type: { kind: "int", size: 4, signed: true }, offset: 8 },
  ],
};
const request: Type = { kind: "struct", name: "request", union: false, layout: () => REQUEST };
const LEVEL: EnumType = {
  name: "level",
  names: new Map([
    [1n, "CALM"],
    [7n, "URGENT"],
  ]),
};

const SERVE: UserFunction = {
  arguments: [
    {
      name: "request",
      type: { kind: "pointer", to: request, space: "user" },
      declaration: "struct request * request",
      place: { kind: "argument", index: 0 },
    },
    {
      name: "weight",
      type: { kind: "int", size: 8, signed: false },
      declaration: "double weight",
      place: { kind: "unreadable", why: "is floating point" },
    },
    {
      name: "level",
      type: { kind: "int", size: 4, signed: false, enum: LEVEL },
      declaration: "enum level level",
      place: { kind: "argument", index: 7 },
    },
    {
      name: "tries",
      type: { kind: "int", size: 2, signed: true },
      declaration: "short tries",
      place: { kind: "register", register: "bx" },
    },
  ],
};

const SERVER_LINES: Record<number, number[]> = { 10: [0x1200], 12: [0x1210], 20: [0x1230, 0x1310] };

const SERVER_DEBUG_INFO: UserDebugInfo = {
  function: (offset) => (offset === 0x1200 ? SERVE : undefined),
  struct: (name, union) => (name === "request" && !union ? request : undefined),
  enumNamed: (name) => (name === "level" ? { kind: "int", size: 4, signed: false, enum: LEVEL } : undefined),
  typeNamed: (name) => (name === "request_t" ? request : undefined),
  enumConstant: (name) => (name === "URGENT" ? { value: 7n, type: LEVEL, size: 4 } : undefined),
  inlinedFunction: (name) => (name === "twice" ? { path: "/src/server.c", line: 20 } : undefined),
  line(file, line) {
    if (file === "util.c") return { kind: "ambiguous", paths: ["/src/a/util.c", "/src/b/util.c"] };
    if (file !== "server.c") return { kind: "no-file", similar: [] };
    const offsets = SERVER_LINES[line];
    if (offsets) return { kind: "found", path: "/src/server.c", offsets };
    return { kind: "no-code", path: "/src/server.c", nearest: [10, 12] };
  },
};

const SERVE_SYMBOL = { name: "serve", offset: 0x1200, address: 0x1200, size: 0x100 };
const SERVER = [SERVE_SYMBOL, { name: "accept_all", offset: 0x1300, address: 0x1300, size: 0x40 }];

export const RECORDED_PROGRAMS: readonly UserBinary[] = [
  {
    path: "/usr/bin/server",
    symbols: () => SERVER,
    functions: (wanted) => SERVER.filter(({ name }) => name === wanted),
    usdt: () => [],
    debugInfo: () => SERVER_DEBUG_INFO,
  },
  {
    path: "/usr/bin/stripped",
    symbols: () => [SERVE_SYMBOL],
    functions: (wanted) => (wanted === SERVE_SYMBOL.name ? [SERVE_SYMBOL] : []),
    usdt: () => [],
    debugInfo: () => ({ tried: ["/usr/lib/debug/.build-id/ab/cd.debug"] }),
  },
];
