/**
 * Where instructions begin. A probe within one overwrites a part of it, and the program then runs something else; so lengths
 * of x86-64 instructions are told from their bytes:
 *
 *   prefixes  [REX | VEX | EVEX]  opcode (one of the maps)  [ModRM [SIB] [displacement]]  [immediate]
 */
import type { Arch } from "../compile/kernel.ts";

/** What follows an opcode. "z": 4 bytes, 2 with prefix 66; "v": 8 with REX.W; "o": an address; "t": depends on ModRM.reg. */
type Form = { modrm: boolean; immediate: number | "z" | "v" | "o" | "t8" | "tz" };

const NONE: Form = { modrm: false, immediate: 0 };
const MODRM: Form = { modrm: true, immediate: 0 };
const MODRM8: Form = { modrm: true, immediate: 1 };

/** Opcodes "70-7f c3" → the form that they have. */
type Rows = readonly (readonly [opcodes: string, form: Form])[];

function mapOf(rows: Rows, rest?: Form): (Form | undefined)[] {
  const map: (Form | undefined)[] = new Array(256).fill(rest);
  for (const [opcodes, form] of rows) {
    for (const range of opcodes.split(" ")) {
      const [from, to = from] = range.split("-").map((text) => Number.parseInt(text, 16));
      for (let opcode = from; opcode <= to; opcode++) map[opcode] = form;
    }
  }
  return map;
}

const ARITHMETIC: Rows = [0, 8, 16, 24, 32, 40, 48, 56].flatMap((base): Rows => {
  const hex = (opcode: number): string => (base + opcode).toString(16);
  return [
    [`${hex(0)}-${hex(3)}`, MODRM],
    [hex(4), { modrm: false, immediate: 1 }],
    [hex(5), { modrm: false, immediate: "z" }],
  ];
});

const ONE_BYTE = mapOf([
  ...ARITHMETIC,
  ["50-5f 6c-6f 90-99 9b-9f a4-a7 aa-af c3 c9 cb cc cf d7 ec-ef f1 f4 f5 f8-fd", NONE],
  ["63 84-8f d0-d3 d8-df fe ff", MODRM],
  ["68 a9", { modrm: false, immediate: "z" }],
  ["69 81 c7", { modrm: true, immediate: "z" }],
  ["6a 70-7f a8 b0-b7 cd e0-e7 eb", { modrm: false, immediate: 1 }],
  ["6b 80 83 c0 c1 c6", MODRM8],
  ["a0-a3", { modrm: false, immediate: "o" }],
  ["b8-bf", { modrm: false, immediate: "v" }],
  ["c2 ca", { modrm: false, immediate: 2 }],
  ["c8", { modrm: false, immediate: 3 }],
  ["e8 e9", { modrm: false, immediate: 4 }],
  ["f6", { modrm: true, immediate: "t8" }],
  ["f7", { modrm: true, immediate: "tz" }],
]);

/** After 0f. */
const TWO_BYTES = mapOf(
  [
    ["05-09 0b 0e 30-37 77 a0-a2 a8-aa c8-cf", NONE],
    ["0f 70-73 a4 ac ba c2 c4-c6", MODRM8],
    ["80-8f", { modrm: false, immediate: 4 }],
  ],
  MODRM,
);

/** The maps of 0f, 0f 38, 0f 3a, and those that only EVEX has. */
const MAPS: readonly ((Form | undefined)[] | undefined)[] = [
  undefined,
  TWO_BYTES,
  mapOf([], MODRM),
  mapOf([], MODRM8),
  undefined,
  mapOf([], MODRM),
  mapOf([], MODRM),
];

const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
const LONGEST = 15;

/** Bytes of ModRM, SIB and displacement. */
function addressLength(bytes: Uint8Array, at: number): number {
  const modrm = bytes[at];
  const mode = modrm >> 6;
  if (mode === 3) return 1;
  const hasSib = (modrm & 7) === 4;
  const base = hasSib ? bytes[at + 1] & 7 : modrm & 7;
  const displacement = mode === 1 ? 1 : mode === 2 || base === 5 ? 4 : 0;
  return 1 + (hasSib ? 1 : 0) + displacement;
}

/** Length of the x86-64 instruction that begins at `from`; undefined: there is none. */
export function instructionLength(bytes: Uint8Array, from: number): number | undefined {
  let at = from;
  let narrow = false;
  let short = false;
  while (PREFIXES.has(bytes[at])) {
    narrow ||= bytes[at] === 0x66;
    short ||= bytes[at] === 0x67;
    at++;
  }
  let wide = false;
  if (bytes[at] >= 0x40 && bytes[at] <= 0x4f) wide = (bytes[at++] & 8) !== 0;
  let form: Form | undefined;
  const first = bytes[at++];
  if (first === 0xc5) {
    at += 1;
    form = TWO_BYTES[bytes[at++]];
  } else if (first === 0xc4) {
    form = MAPS[bytes[at] & 31]?.[bytes[at + 2]];
    at += 3;
  } else if (first === 0x62) {
    form = MAPS[bytes[at] & 7]?.[bytes[at + 3]];
    at += 4;
  } else if (first !== 0x0f) form = ONE_BYTE[first];
  else if (bytes[at] === 0x38 || bytes[at] === 0x3a) {
    form = MAPS[bytes[at] === 0x38 ? 2 : 3]?.[bytes[at + 1]];
    at += 2;
  } else form = TWO_BYTES[bytes[at++]];
  if (!form) return undefined;
  const { immediate } = form;
  // Of these only "test" has an immediate.
  const tests = ((bytes[at] >> 3) & 7) < 2;
  if (form.modrm) at += addressLength(bytes, at);
  const z = narrow && !wide ? 2 : 4;
  if (typeof immediate === "number") at += immediate;
  else if (immediate === "z") at += z;
  else if (immediate === "v") at += wide ? 8 : z;
  else if (immediate === "o") at += short ? 4 : 8;
  else if (tests) at += immediate === "t8" ? 1 : z;
  const length = at - from;
  return at > bytes.length || length > LONGEST ? undefined : length;
}

/** Whether an instruction begins `offset` bytes into a function's code; undefined: its code can't be read so far. */
export function beginsInstruction(code: Uint8Array, offset: number, arch: Arch): boolean | undefined {
  if (arch === "arm64") return offset % 4 === 0;
  let at = 0;
  while (at < offset) {
    const length = instructionLength(code, at);
    if (length === undefined) return undefined;
    at += length;
  }
  return at === offset;
}

/** What Linux (arch/x86/kernel/uprobes.c) takes no probe on: VEX and EVEX, traps, input and output, and these prefixes. */
const UNPROBED = mapOf([["62 6c-6f 9a c4 c5 cc-cf e4-e7 ea ec-f1 f4 fa fb", NONE]]);
const UNPROBED_PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0xf0]);

/** Whether the kernel takes a uprobe on the x86-64 instruction at the start of the code. */
export function canBeProbed(code: Uint8Array): boolean {
  let at = 0;
  for (; PREFIXES.has(code[at]); at++) if (UNPROBED_PREFIXES.has(code[at])) return false;
  if (code[at] >= 0x40 && code[at] <= 0x4f) at++;
  return at >= code.length || UNPROBED[code[at]] === undefined;
}
