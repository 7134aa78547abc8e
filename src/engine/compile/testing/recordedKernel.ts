/** A Kernel made of recorded facts: what unit tests compile against, on any machine and without privileges. */
import type { Kernel, Prototype, TracepointFormat, UserBinary } from "../kernel.ts";
import type { EnumType, Field, StructLayout, Type } from "../types.ts";
import { FUNCTIONS, KFUNCS, RAW_TRACEPOINTS, type RecordedPrototype, TRACEPOINTS } from "./recordedProbes.ts";
import { RECORDED_PROGRAMS } from "./recordedProgram.ts";
import { ENUMS, STRUCTS, TYPEDEFS } from "./recordedTypes.ts";

const BASE: Record<string, Type> = {
  void: { kind: "void" },
  bool: { kind: "bool" },
  char: { kind: "int", size: 1, signed: true },
};
for (const size of [1, 2, 4, 8] as const) {
  BASE[`int${size * 8}`] = { kind: "int", size, signed: true };
  BASE[`uint${size * 8}`] = { kind: "int", size, signed: false };
}

const EMPTY: StructLayout = { size: 0, align: 1, fields: [] };

const enums = new Map<string, EnumType>();
for (const [name, { values }] of Object.entries(ENUMS))
  enums.set(name, { name, names: new Map(values.map(([constant, value]) => [BigInt(value), constant])) });

const layouts = new Map<string, StructLayout>();

function structLayout(name: string): StructLayout | undefined {
  const recorded = STRUCTS[name];
  if (!recorded) return undefined;
  let layout = layouts.get(name);
  if (!layout) {
    const fields = recorded.fields.map(([field, type, offset, bit, width]): Field => {
      const base: Field = { name: field, type: parseType(type), offset };
      return width === undefined ? base : { ...base, bit: { offset: bit, width } };
    });
    layout = { size: recorded.size, align: recorded.align, fields };
    layouts.set(name, layout);
  }
  return layout;
}

/** "struct file*[4]", "char[]", "uint32". */
export function parseType(text: string): Type {
  const match = /^((?:(struct|union|enum) )?[\w ]+?)((?:\*|\[\d*\])*)$/.exec(text)!;
  const [, base, tag, modifiers] = match;
  let type: Type;
  if (tag === "struct" || tag === "union") {
    const name = base.slice(tag.length + 1);
    type = { kind: "struct", name, union: tag === "union", layout: () => structLayout(name) ?? EMPTY };
  } else if (tag === "enum") {
    const name = base.slice(5);
    type = { kind: "int", size: ENUMS[name]?.size ?? 4, signed: false, enum: enums.get(name) };
  } else type = BASE[base] ?? parseType(TYPEDEFS[base]);
  for (const modifier of modifiers.match(/\*|\[\d*\]/g) ?? []) {
    if (modifier === "*") type = { kind: "pointer", to: type, space: "kernel" };
    else type = { kind: "array", of: type, length: Number(modifier.slice(1, -1)) };
  }
  return type;
}

const COMMON: readonly (readonly [string, string, number])[] = [
  ["common_type", "uint16", 0],
  ["common_flags", "uint8", 2],
  ["common_preempt_count", "uint8", 3],
  ["common_pid", "int32", 4],
];

function format(event: string): TracepointFormat | undefined {
  const recorded = TRACEPOINTS[event];
  if (!recorded) return undefined;
  const user = event.startsWith("syscalls:");
  const fields = [...COMMON, ...recorded.fields].map(([name, text, offset, loc]): Field => {
    let type = parseType(text);
    if (user && type.kind === "pointer") type = { ...type, space: "user" };
    return loc ? { name, type, offset, dataLoc: true } : { name, type, offset };
  });
  return { id: recorded.id, fields };
}

const prototype = (recorded: RecordedPrototype | undefined): Prototype | undefined =>
  recorded && {
    arguments: recorded.args.map(([name, type]) => ({ name, type: parseType(type) })),
    returns: parseType(recorded.ret),
    btfId: recorded.btfId,
    module: "vmlinux",
  };

const SYSCALLS: Record<string, number> = {
  read: 0,
  write: 1,
  open: 2,
  execve: 59,
  kill: 62,
  getppid: 110,
  clock_nanosleep: 230,
  openat: 257,
};

/** Symbol, offset in the file and as linked, size. */
const LIBC: readonly (readonly [string, number, number])[] = [
  ["malloc", 0x98930, 453],
  ["free", 0x98ef0, 205],
  ["calloc", 0x996e0, 884],
  ["realloc", 0x99130, 1451],
  ["getppid", 0xd54f0, 8],
  ["open", 0xf7fc0, 288],
  ["puts", 0x77980, 460],
];

const FUNCTIONS_OF_LIBC = LIBC.map(([name, offset, size]) => ({ name, offset, address: offset, size }));

const BINARIES: readonly { names: string[]; binary: UserBinary }[] = [
  {
    names: ["libc", "libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libc.so.6"],
    binary: {
      path: "/usr/lib/x86_64-linux-gnu/libc.so.6",
      symbols: () => FUNCTIONS_OF_LIBC,
      functions: (name) => FUNCTIONS_OF_LIBC.filter((symbol) => symbol.name === name),
      usdt: () => [
        {
          provider: "libc",
          name: "memory_sbrk_more",
          offset: 0x98a11,
          semaphoreOffset: 0,
          arguments: "8@%rax 8@%r14",
        },
        {
          provider: "libc",
          name: "setjmp",
          offset: 0x3f1c2,
          semaphoreOffset: 0,
          arguments: "8@%rdi -4@%esi",
        },
      ],
    },
  },
  ...RECORDED_PROGRAMS.map((binary) => ({ names: [binary.path], binary })),
];

const SYMBOLS: Record<string, bigint> = {
  avenrun: 0xffffffff83b9d5c0n,
  do_nanosleep: 0xffffffff81f31230n,
  vfs_read: 0xffffffff814a1b20n,
};

const FEATURES_MISSING = new Map<string, string | undefined>([
  ["kprobes", "built without CONFIG_KPROBES or CONFIG_KPROBE_EVENTS"],
  ["kprobe_multi", undefined],
  ["fentry", "operation not permitted (EPERM)"],
  ["fexit", "operation not permitted (EPERM)"],
  ["hardware_events", undefined],
]);

/** `overrides` replace single answers: another version, a missing feature. */
export function recordedKernel(overrides: Partial<Kernel> = {}): Kernel {
  return {
    release: "6.18.0",
    version: [6, 18, 0],
    arch: "x64",
    pageSize: 4096,
    possibleCpus: 2,
    onlineCpus: [0, 1],
    has: (feature) => !FEATURES_MISSING.has(feature),
    whyNot: (feature) => FEATURES_MISSING.get(feature),
    hasBtf: true,
    struct: (name, union = false) =>
      STRUCTS[name] && STRUCTS[name].union === union ? structLayout(name) : undefined,
    typeNamed: (name) => (TYPEDEFS[name] ? parseType(TYPEDEFS[name]) : BASE[name]),
    enumNamed: (name) => enums.get(name),
    enumConstant(name) {
      for (const [enumName, { values, size }] of Object.entries(ENUMS)) {
        const found = values.find(([constant]) => constant === name);
        if (found) return { value: BigInt(found[1]), type: enums.get(enumName)!, size };
      }
      return undefined;
    },
    structNames: () => Object.keys(STRUCTS),
    tracepointCategories: () => [...new Set(Object.keys(TRACEPOINTS).map((event) => event.split(":")[0]))],
    tracepoints: (category) =>
      Object.keys(TRACEPOINTS)
        .filter((event) => event.startsWith(`${category}:`))
        .map((event) => event.slice(category.length + 1)),
    tracepointFormat: (category, name) => format(`${category}:${name}`),
    rawTracepoints: () => Object.keys(RAW_TRACEPOINTS),
    rawTracepointModule: () => "vmlinux",
    rawTracepoint: (name) => prototype(RAW_TRACEPOINTS[name]),
    iterators: () =>
      Object.keys(STRUCTS).flatMap((name) =>
        name.startsWith("bpf_iter__") ? [name.slice("bpf_iter__".length)] : [],
      ),
    functions: () => new Map([["vmlinux", Object.keys(FUNCTIONS)]]),
    functionPrototype: (name) => prototype(FUNCTIONS[name]),
    kfunc: (name) => prototype(KFUNCS[name]),
    kfuncNames: () => Object.keys(KFUNCS),
    kfuncAllowed: (name, type) => KFUNCS[name]?.programs.includes(type) ?? false,
    symbolAddress: (name) => SYMBOLS[name],
    syscallNumber: (name) => SYSCALLS[name],
    binaries: (pattern) =>
      BINARIES.filter(({ names }) => names.includes(pattern)).map(({ binary }) => binary),
    mappedBinaries: () => BINARIES.map(({ binary }) => binary),
    commandBinaries: () => BINARIES.map(({ binary }) => binary),
    cgroupId: (path) => (path === "/sys/fs/cgroup" ? 1n : undefined),
    readFile: () => undefined,
    ...overrides,
  };
}
