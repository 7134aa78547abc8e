/** Symbols and stacks as text: a newline, one line per frame, each ended by a newline. */

import { type StackMode, stackFrameBytes, type Type } from "../compile/types.ts";
import type { ResolvedSymbol } from "../symbols/context.ts";
import type { ByteWriter } from "./bytes.ts";
import type { OutputContext } from "./context.ts";

/** A user stack that could not be had is one that is not there. */
const NO_USER_STACK = -14n;

const INDENT = "        ";

function writeSymbol(out: ByteWriter, symbol: ResolvedSymbol | undefined, address: bigint): void {
  if (symbol) out.name(symbol.name);
  else out.ascii(hexAddress(address));
}

export const hexAddress = (address: bigint): string => (address === 0n ? "0" : `0x${address.toString(16)}`);

/** A u64 address. */
export function writeKernelSymbol(
  view: DataView,
  offset: number,
  out: ByteWriter,
  context: OutputContext,
): void {
  const address = view.getBigUint64(offset, true);
  writeSymbol(out, context.kernel(address), address);
}

/** u64 address, u32 pid, u32 probe + 1. */
export function writeUserSymbol(
  view: DataView,
  offset: number,
  out: ByteWriter,
  context: OutputContext,
): void {
  const address = view.getBigUint64(offset, true);
  const pid = view.getUint32(offset + 8, true);
  writeSymbol(out, context.user(pid, address, view.getUint32(offset + 12, true)), address);
}

type AddressWriter = (out: ByteWriter, address: bigint, resolve: () => ResolvedSymbol | undefined) => void;

function writePlace(out: ByteWriter, symbol: ResolvedSymbol | undefined, address: bigint): void {
  writeSymbol(out, symbol, address);
  if (symbol) out.ascii(`+${symbol.offset}`);
}

/** The kernel's own functions are named without it, those of its modules with theirs. */
function writeKernelModule(out: ByteWriter, symbol: ResolvedSymbol | undefined): void {
  if (symbol && symbol.module !== "") out.name(` [${symbol.module}]`);
}

const ADDRESSES: Record<Exclude<StackMode, "build_id">, (kernel: boolean) => AddressWriter> = {
  bpftrace: (kernel) => (out, address, resolve) => {
    const symbol = resolve();
    out.ascii(INDENT);
    writePlace(out, symbol, address);
    if (kernel) writeKernelModule(out, symbol);
  },
  perf: (kernel) => (out, address, resolve) => {
    const symbol = resolve();
    out.ascii(`\t${address.toString(16)} `);
    writePlace(out, symbol, address);
    if (kernel) writeKernelModule(out, symbol);
    else out.name(` (${symbol?.module ?? "[unknown]"})`);
  },
  raw: () => (out, address) => out.ascii(address.toString(16)),
};

/** s32 status (1: a file and an offset in it, 2: an address), 20 bytes of build id, u64. */
function writeBuildIdFrame(out: ByteWriter, words: BigUint64Array, at: number): void {
  const bytes = Buffer.from(words.buffer, words.byteOffset + at * 8, 32);
  const place = words[at + 3].toString(16);
  const inFile = bytes.readInt32LE(0) === 1;
  out.ascii(inFile ? `${bytes.toString("hex", 4, 24)} 0x${place.padStart(2, "0")}` : place);
}

/** s64 stack id, u32 pid, u32 stack map. */
export function stackWriter(type: Extract<Type, { kind: "stack" }>) {
  const { space, mode } = type;
  const stride = stackFrameBytes(type) / 8;
  const address = mode === "build_id" ? undefined : ADDRESSES[mode](space === "kernel");
  return (view: DataView, offset: number, out: ByteWriter, context: OutputContext): void => {
    const id = view.getBigInt64(offset, true);
    const pid = view.getUint32(offset + 8, true);
    const words = id > 0n ? context.stack(view.getUint32(offset + 12, true), id) : undefined;
    out.ascii("\n");
    const lost = !words && id !== 0n && (space === "kernel" || id !== NO_USER_STACK);
    if (!words && context.whyNoStack) out.ascii(`${INDENT}(${context.whyNoStack(space, pid, id)})\n`);
    else if (lost) out.ascii(`${INDENT}<stack lost>\n`);
    for (let at = 0; words && at < words.length && words[at] !== 0n; at += stride) {
      const word = words[at];
      const resolve = () => (space === "kernel" ? context.kernel(word) : context.user(pid, word));
      if (address) address(out, word, resolve);
      else writeBuildIdFrame(out, words, at);
      out.ascii("\n");
    }
  };
}
