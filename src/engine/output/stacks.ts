/** Symbols and stacks as text: a newline, one line per frame, each ended by a newline. */

import type { StackMode, Type } from "../compile/types.ts";
import type { ResolvedSymbol } from "../symbols/context.ts";
import type { ByteWriter } from "./bytes.ts";
import type { OutputContext } from "./context.ts";

/** Stack ids below zero are errors of bpf_get_stackid: no slot was free, or there was no memory for one. */
const LOST = new Set([-17n, -16n, -12n]);

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

type FrameWriter = (out: ByteWriter, address: bigint, resolve: () => ResolvedSymbol | undefined) => void;

const FRAMES: Record<StackMode, FrameWriter> = {
  bpftrace: (out, address, resolve) => {
    const symbol = resolve();
    out.ascii(INDENT);
    writeSymbol(out, symbol, address);
    if (symbol) out.ascii(`+${symbol.offset}`);
  },
  perf: (out, address, resolve) => {
    const symbol = resolve();
    out.ascii(`\t${address.toString(16)} `);
    writeSymbol(out, symbol, address);
    if (symbol) out.ascii(`+${symbol.offset}`);
    out.ascii(" (");
    out.name(symbol ? symbol.module || "[kernel.kallsyms]" : "[unknown]");
    out.ascii(")");
  },
  raw: (out, address) => out.ascii(address.toString(16)),
  build_id: (out, address) => out.ascii(address.toString(16)),
};

/** s64 stack id, u32 pid, u32 stack map. */
export function stackWriter(type: Extract<Type, { kind: "stack" }>) {
  const frame = FRAMES[type.mode];
  return (view: DataView, offset: number, out: ByteWriter, context: OutputContext): void => {
    const id = view.getBigInt64(offset, true);
    const pid = view.getUint32(offset + 8, true);
    const addresses = id < 0n ? undefined : context.stack(view.getUint32(offset + 12, true), id);
    out.ascii("\n");
    if (!addresses && (id >= 0n || LOST.has(id))) out.ascii(`${INDENT}<stack lost>\n`);
    for (const address of addresses?.slice(0, type.depth) ?? []) {
      frame(out, address, () =>
        type.space === "kernel" ? context.kernel(address) : context.user(pid, address),
      );
      out.ascii("\n");
    }
  };
}
