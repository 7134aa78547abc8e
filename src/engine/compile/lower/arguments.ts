/** What a probe passes: registers, slots of 64 bits, fields of a record, arguments of a system call. */
import { type Arch, archFor } from "libbpf-ts/arch";
import { parseUsdtArg, type UsdtRegister } from "libbpf-ts/usdt-args";
import { constant, type Size, type Value, ZERO } from "../ir/types.ts";
import { type Field, roundUp, type Type } from "../types.ts";
import type { Cx } from "./context.ts";
import { normalise } from "./integers.ts";
import { loadScalar, type Place } from "./memory.ts";
import { isSigned, scalarSize } from "./shape.ts";

export const arch = (cx: Cx): Arch => archFor(cx.target.kernel.arch);

/** A register of the traced program, by one of its names. */
export function namedRegister(cx: Cx, name: string): Value {
  const offset = arch(cx).registers[name];
  if (cx.program.style === "syscall-enter" || cx.program.style === "syscall-exit")
    return syscallRegister(cx, name);
  return cx.b.load(cx.context, offset, 8);
}

/** Argument N of the traced function, or slot N of a raw tracepoint or fentry. */
export function registerArgument(cx: Cx, index: number, type: Type): Value {
  if (cx.program.style === "arguments") return normalise(cx, cx.b.load(cx.context, index * 8, 8), type);
  const { functionArgs, stackPointer, stackArgsOffset } = arch(cx);
  if (index < functionArgs.length) return normalise(cx, namedRegister(cx, functionArgs[index]), type);
  const stack: Place = {
    base: namedRegister(cx, stackPointer),
    offset: stackArgsOffset + (index - functionArgs.length) * 8,
    space: isUserProbe(cx) ? "user" : "kernel",
  };
  return normalise(cx, loadScalar(cx, stack, 8, false), type);
}

/** A value that takes several argument words: on the stack, or put together from registers. */
export function argumentPlace(cx: Cx, index: number, size: number): Place {
  const { functionArgs, stackPointer, stackArgsOffset } = arch(cx);
  if (index >= functionArgs.length)
    return {
      base: namedRegister(cx, stackPointer),
      offset: stackArgsOffset + (index - functionArgs.length) * 8,
      space: isUserProbe(cx) ? "user" : "kernel",
    };
  const copy = cx.temporary(roundUp(size, 8), "argument");
  for (let at = 0; at < size; at += 8)
    cx.b.store(copy.base, copy.offset + at, 8, namedRegister(cx, functionArgs[index + at / 8]));
  return copy;
}

const isUserProbe = (cx: Cx): boolean => ["uprobe", "usdt"].includes(cx.program.probes[0].attach.kind);

export function returnValue(cx: Cx, slot: number | undefined, type: Type): Value {
  const { attach } = cx.program.probes[0];
  // Where the verifier does not trust a BPF program's types it has five arguments, and its result lies behind those.
  if (attach.kind === "fentry" && attach.program !== undefined) {
    const result = cx.b.slot(8, "result");
    cx.b.store(result, 0, 8, ZERO);
    cx.b.call("get_func_ret", cx.context, result);
    return normalise(cx, cx.b.load(result, 0, 8), type);
  }
  if (slot !== undefined) return normalise(cx, cx.b.load(cx.context, slot * 8, 8), type);
  return normalise(cx, namedRegister(cx, arch(cx).returnRegister), type);
}

/** pt_regs of a system call: direct loads where BTF vouches for the pointer. */
function syscallRegister(cx: Cx, name: string): Value {
  const regs = cx.syscall?.regs ?? cx.b.load(cx.context, 0, 8);
  return loadScalar(cx, syscallRegsPlace(cx, regs, arch(cx).registers[name]), 8, false);
}

export function syscallRegsPlace(cx: Cx, regs: Value, offset: number): Place {
  return { base: regs, offset, space: cx.program.direct ? "direct" : "kernel" };
}

/** A scalar field of the record, or the argument of the system call that it stands for. */
export function contextField(cx: Cx, field: Field, syscallArg: number | undefined, type: Type): Value {
  if (syscallArg !== undefined && cx.syscall !== undefined) return syscallField(cx, syscallArg, type);
  if (syscallArg !== undefined && cx.program.style.startsWith("syscall"))
    return syscallField(cx, syscallArg, type);
  if (field.dataLoc || field.relLoc) return dataAddress(cx, field);
  const value = cx.b.load(cx.context, field.offset, scalarSize(field.type), isSigned(field.type));
  return value;
}

function syscallField(cx: Cx, syscallArg: number, type: Type): Value {
  const { style } = cx.program;
  if (syscallArg === -2) return normalise(cx, syscallNumber(cx), type);
  if (syscallArg === -1) return normalise(cx, cx.b.load(cx.context, 8, 8), type);
  if (style === "syscall-exit" && syscallArg >= 0) return ZERO;
  return normalise(cx, syscallRegister(cx, arch(cx).syscallArgs[syscallArg]), type);
}

/** The number of the system call: an argument at entry, a register at exit. */
export function syscallNumber(cx: Cx): Value {
  if (cx.syscall) return cx.syscall.number;
  if (cx.program.style === "syscall-enter") return cx.b.load(cx.context, 8, 8);
  return syscallRegister(cx, arch(cx).syscallNumber);
}

/** Address of a variable-length field's data: its low 16 bits count from the record, or from the field's end. */
function dataAddress(cx: Cx, field: Field): Value {
  const location = cx.b.load(cx.context, field.offset, 4);
  const offset = cx.b.alu("and", location, constant(0xffff));
  const address = cx.b.add(cx.context, offset);
  return field.relLoc ? cx.b.add(address, field.offset + 4) : address;
}

/** Where a field's bytes are. */
export function contextPlace(cx: Cx, field: Field, _syscallArg: number | undefined): Place {
  if (field.dataLoc || field.relLoc) return { base: dataAddress(cx, field), offset: 0, space: "kernel" };
  return {
    base: cx.context,
    offset: field.offset,
    space: cx.program.style === "record" ? "direct" : "kernel",
  };
}

const usdtRegister = (cx: Cx, { register, shift }: UsdtRegister): Value => {
  const value = namedRegister(cx, register);
  return shift === 0 ? value : cx.b.alu("rsh", value, constant(shift));
};

/** "8@%rdi", "-4@-20(%rbp)", "4@$5": size and place as the program's note tells them. */
export function usdtArgument(cx: Cx, spec: string, type: Type): Value {
  const { size, signed, operand } = parseUsdtArg(spec, cx.target.kernel.arch);
  const width = size as Size;
  switch (operand.kind) {
    case "const":
      // An unsigned byte of 200 may be written $-56.
      return constant(
        signed ? BigInt.asIntN(size * 8, operand.value) : BigInt.asUintN(size * 8, operand.value),
      );
    case "register":
      return normalise(cx, cx.b.extend(usdtRegister(cx, operand), width, signed), type);
    case "memory": {
      let base: Value = operand.base === undefined ? ZERO : namedRegister(cx, operand.base);
      if (operand.index) {
        const index = cx.b.extend(
          usdtRegister(cx, operand.index),
          operand.index.width as Size,
          operand.index.signed,
        );
        base = cx.b.add(base, cx.b.alu("mul", index, constant(operand.index.scale)));
      }
      const place: Place = { base, offset: operand.offset, space: "user" };
      return normalise(cx, loadScalar(cx, place, width, signed), type);
    }
  }
}
