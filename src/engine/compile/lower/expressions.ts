/**
 * Expressions. A value is asked for in one of three ways:
 *
 *   scalar(e)       in a register
 *   write(e, place) as bytes, at a place in the program's own memory: a key, a map value, a record
 *   place(e)        wherever its bytes already are; made in a temporary when they are nowhere yet
 *
 * and a truth value in a fourth, `condition`, that branches instead of making a 0 or 1.
 */
import { type Block, constant, isConst, ONE, reg, type Size, type Value, ZERO } from "../ir/types.ts";
import type { TypedExpression } from "../typed.ts";
import { sizeOf, type Type, tupleLayout } from "../types.ts";
import {
  argumentPlace,
  contextField,
  contextPlace,
  namedRegister,
  registerArgument,
  returnValue,
  usdtArgument,
} from "./arguments.ts";
import { builtin, writeBuiltin } from "./builtins.ts";
import { callScalar, writeCall } from "./calls.ts";
import type { Cx } from "./context.ts";
import { reportError } from "./errors.ts";
import { arithmetic, bitField, conditionOf, normalise } from "./integers.ts";
import { mapAddress, mapGet, mapIncrement, mapPlace, writeMapGet } from "./maps.ts";
import {
  addressOf,
  canClearBehindText,
  clearBehindText,
  copyBytes,
  loadScalar,
  offsetBy,
  type Place,
  readString,
  spaceOf,
  storeScalar,
  writeBytes,
  zeroBytes,
} from "./memory.ts";
import { isScalar, isSigned, scalarSize } from "./shape.ts";
import { lowerBlock } from "./statements.ts";
import { compareBytes, writeString } from "./strings.ts";
import { NotSupported } from "./unsupported.ts";
import { isPure } from "./walk.ts";

type Op = TypedExpression["op"];
type Of<O extends Op> = Extract<TypedExpression, { op: O }> & { type: Type };

/** Loads a scalar of a type from a place. */
export const loadTyped = (cx: Cx, from: Place, type: Type): Value =>
  loadScalar(cx, from, scalarSize(type), isSigned(type));

const SCALAR: { [O in Op]?: (cx: Cx, e: Of<O>) => Value } = {
  int: (_cx, e) => constant(e.value),
  local: (cx, e) => {
    const home = cx.home(e.local);
    return home.kind === "reg" ? reg(home.reg) : loadTyped(cx, cx.memoryOf(e.local), e.type);
  },
  arg: (cx, e) => registerArgument(cx, e.index, e.type),
  "usdt-arg": (cx, e) => usdtArgument(cx, e.spec, e.type),
  retval: (cx, e) => returnValue(cx, e.slot, e.type),
  reg: (cx, e) => namedRegister(cx, e.name),
  "context-field": (cx, e) => contextField(cx, e.field, e.syscallArg, e.type),
  context: (cx) => cx.context,
  builtin: (cx, e) => builtin(cx, e.name, e.type),
  call: (cx, e) => callScalar(cx, e),
  unary: (cx, e) => {
    if (e.operator === "!") return truth(cx, e);
    const operand = scalar(cx, e.operand);
    const value = e.operator === "-" ? cx.b.negate(operand) : cx.b.alu("xor", operand, constant(-1));
    return normalise(cx, value, e.type);
  },
  binary: (cx, e) => {
    if (conditionOf(e.operator, e.left.type, e.right.type)) return truth(cx, e);
    const left = hold(cx, scalar(cx, e.left), e.right);
    const right = scalar(cx, e.right);
    return arithmetic(cx, e.operator, left, right, {
      left: e.left.type,
      right: e.right.type,
      result: e.type,
    });
  },
  "compare-bytes": truth,
  logical: truth,
  ternary: (cx, e) => {
    const result = cx.b.fresh();
    choose(
      cx,
      e.condition,
      () => cx.b.assign(result, scalar(cx, e.then)),
      () => cx.b.assign(result, scalar(cx, e.else)),
    );
    return reg(result);
  },
  cast: (cx, e) => castScalar(cx, e),
  field: (cx, e) => {
    const object = e.base.op === "context" ? cx.objects.get(e.field.offset) : undefined;
    if (object) return object;
    const at = fieldPlace(cx, e);
    if (!e.field.bit) return loadTyped(cx, at, e.type);
    const unit = loadScalar(cx, at, scalarSize(e.field.type), false);
    return bitField(cx, unit, e.field.bit, isSigned(e.field.type));
  },
  index: (cx, e) => indexScalar(cx, e),
  "tuple-element": (cx, e) => loadTyped(cx, elementPlace(cx, e), e.type),
  deref: (cx, e) => loadTyped(cx, pointee(cx, e.pointer), e.type),
  "address-of-local": (cx, e) => addressOf(cx, cx.memoryOf(e.local)),
  "address-of-map": (cx, e) => mapAddress(cx, e.map, e.key),
  "map-get": (cx, e) => mapGet(cx, e.map, e.key, e.type),
  increment: (cx, e) => increment(cx, e, true)!,
  block: (cx, e) => {
    const result = cx.b.fresh();
    lowerBlock(cx, e.body, (value) => cx.b.assign(result, scalar(cx, value)));
    return reg(result);
  },
};

/** Evaluates to a register, a constant or an address. */
export function scalar(cx: Cx, e: TypedExpression): Value {
  const row = SCALAR[e.op] as ((cx: Cx, e: TypedExpression) => Value) | undefined;
  if (!row) throw new NotSupported(`${e.op} cannot be used as a number`, e.span);
  return cx.located(e.span, () => row(cx, e));
}

/** A copy of a local's register when what is evaluated next could change it. */
export function hold(cx: Cx, value: Value, ...next: TypedExpression[]): Value {
  if (value.kind !== "reg" || next.every(isPure)) return value;
  const copy = cx.b.fresh();
  cx.b.assign(copy, value);
  return reg(copy);
}

function truth(cx: Cx, e: TypedExpression): Value {
  const { b } = cx;
  const result = b.fresh();
  const yes = b.block("true");
  const no = b.block("false");
  const after = b.block("after");
  cx.sometimes(() => condition(cx, e, yes, no));
  b.startBlock(yes);
  b.assign(result, ONE);
  b.jump(after);
  b.startBlock(no);
  b.assign(result, ZERO);
  b.startBlock(after);
  return reg(result);
}

/** Goes to `yes` when the expression is not zero, to `no` otherwise. */
export function condition(cx: Cx, e: TypedExpression, yes: Block, no: Block): void {
  const { b } = cx;
  if (e.op === "logical") {
    const next = b.block(e.operator === "&&" ? "and" : "or");
    if (e.operator === "&&") {
      condition(cx, e.left, next, no);
      b.startBlock(next);
      condition(cx, e.right, yes, no);
    } else {
      cx.sometimes(() => {
        condition(cx, e.left, yes, next);
        b.startBlock(next);
        condition(cx, e.right, yes, no);
      });
    }
    return;
  }
  if (e.op === "unary" && e.operator === "!") {
    cx.sometimes(() => condition(cx, e.operand, no, yes));
    return;
  }
  if (e.op === "compare-bytes") {
    compareBytes(cx, e.left, e.right, e.equal ? yes : no, e.equal ? no : yes);
    return;
  }
  if (e.op === "binary") {
    const test = conditionOf(e.operator, e.left.type, e.right.type);
    if (test) {
      const left = hold(cx, scalar(cx, e.left), e.right);
      b.branch(test, left, scalar(cx, e.right), yes, no);
      return;
    }
  }
  if (e.op === "cast" && e.type.kind === "bool" && isScalar(e.operand.type)) {
    condition(cx, e.operand, yes, no);
    return;
  }
  b.branch("ne", scalar(cx, e), ZERO, yes, no);
}

/** Runs one of two bodies by a condition. */
export function choose(cx: Cx, test: TypedExpression, then: () => void, otherwise?: () => void): void {
  const { b } = cx;
  const yes = b.block("then");
  const no = b.block(otherwise ? "else" : "after");
  const after = otherwise ? b.block("after") : no;
  cx.sometimes(() => {
    condition(cx, test, yes, no);
    b.startBlock(yes);
    then();
  });
  if (otherwise) {
    b.jump(after);
    b.startBlock(no);
    cx.sometimes(otherwise);
  }
  b.startBlock(after);
}

function castScalar(cx: Cx, e: Of<"cast">): Value {
  const from = e.operand.type;
  if (!isScalar(from)) {
    // An array of the same size as an integer.
    return loadTyped(cx, place(cx, e.operand), e.type);
  }
  if (e.type.kind === "bool" && from.kind !== "bool") {
    return truth(cx, e.operand);
  }
  const value = scalar(cx, e.operand);
  const [size, fromSize] = [scalarSize(e.type), scalarSize(from)];
  // Already what the narrower type would make of it.
  if (fromSize < size && (isSigned(e.type) || !isSigned(from) || size === 8)) return value;
  if (fromSize === size && isSigned(e.type) === isSigned(from)) return value;
  return normalise(cx, value, e.type);
}

/** Where a pointer points. */
export function pointee(cx: Cx, pointer: TypedExpression): Place {
  if (pointer.op === "context") return { base: cx.context, offset: 0, space: "direct" };
  const space = pointer.type.kind === "pointer" ? spaceOf(pointer.type.space) : "kernel";
  // Pointers to the program's own memory may be null: they are read the safe way, as any kernel memory.
  return { base: scalar(cx, pointer), offset: 0, space: space === "bpf" ? "kernel" : space };
}

function fieldPlace(cx: Cx, e: Of<"field">): Place {
  const base = e.base.type.kind === "pointer" ? pointee(cx, e.base) : place(cx, e.base);
  return offsetBy(base, e.field.offset);
}

function elementPlace(cx: Cx, e: Of<"tuple-element">): Place {
  const base = place(cx, e.base);
  const elements = e.base.type.kind === "tuple" ? e.base.type.elements : [];
  return offsetBy(base, tupleLayout(elements).offsets[e.index]);
}

interface Indexed {
  base: Place;
  index: Value;
  size: number;
  /** Elements, when the array is the program's own memory and the index must be checked. */
  length?: number;
}

function indexed(cx: Cx, e: Of<"index">): Indexed {
  const type = e.base.type;
  if (type.kind === "pointer") {
    const base = pointee(cx, e.base);
    return { base, index: scalar(cx, e.index), size: sizeOf(type.to) };
  }
  const base = arrayPlace(cx, e);
  const [size, length] = type.kind === "array" ? [sizeOf(type.of), type.length] : [1, sizeOf(type)];
  return { base, index: scalar(cx, e.index), size, length: base.space === "bpf" ? length : undefined };
}

/** The verifier lets programs read a tracepoint's record at fixed offsets only: for others the array is copied. */
function arrayPlace(cx: Cx, { base, index }: Of<"index">): Place {
  const found = place(cx, base);
  if (base.op !== "context-field" || found.space !== "direct" || index.op === "int") return found;
  const copy = cx.temporary(sizeOf(base.type), "array");
  copyBytes(cx, copy, found, sizeOf(base.type));
  return copy;
}

function moved(cx: Cx, { base, index, size }: Indexed): Place {
  if (isConst(index)) return offsetBy(base, Number(index.value) * size);
  return { ...base, base: cx.b.add(base.base, cx.b.alu("mul", index, constant(size))) };
}

function indexScalar(cx: Cx, e: Of<"index">): Value {
  const at = indexed(cx, e);
  if (at.length === undefined || isConst(at.index)) {
    if (
      at.length !== undefined &&
      isConst(at.index) &&
      (at.index.value < 0n || at.index.value >= BigInt(at.length))
    )
      return ZERO;
    return loadTyped(cx, moved(cx, at), e.type);
  }
  const result = cx.b.fresh();
  const outside = cx.b.block("out of bounds", true);
  const within = cx.b.block("within");
  const after = cx.b.block("after");
  cx.b.branch("lt", at.index, constant(at.length), within, outside);
  cx.b.startBlock(outside);
  reportError(cx, "index");
  cx.b.assign(result, ZERO);
  cx.b.jump(after);
  cx.b.startBlock(within);
  cx.b.assign(result, loadTyped(cx, moved(cx, at), e.type));
  cx.b.startBlock(after);
  return reg(result);
}

/** Evaluates an increment; the value is only made when it is wanted. */
export function increment(cx: Cx, e: Of<"increment">, wanted: boolean): Value | undefined {
  const { target, delta, prefix } = e;
  if ("map" in target) return mapIncrement(cx, target.map, target.key, delta, prefix, e.type, wanted);
  const { b } = cx;
  const home = cx.home(target.local);
  const before =
    home.kind === "reg" ? reg(home.reg) : loadTyped(cx, cx.memoryOf(target.local), target.local.type);
  let old: Value | undefined;
  if (wanted && !prefix) {
    old = reg(b.fresh());
    b.assign(old.kind === "reg" ? old.reg : 0, before);
  }
  const after = normalise(cx, b.add(before, constant(delta)), target.local.type);
  setLocal(cx, target.local, after);
  return wanted ? (old ?? after) : undefined;
}

/** Assigns a scalar local. */
export function setLocal(cx: Cx, local: Parameters<Cx["home"]>[0], value: Value): void {
  const home = cx.home(local);
  if (home.kind === "reg") cx.b.assign(home.reg, value);
  else storeScalar(cx, cx.memoryOf(local), scalarSize(local.type), value);
}

const WRITE: { [O in Op]?: (cx: Cx, e: Of<O>, to: Place) => void } = {
  string: (cx, e, to) => writeString(cx, to, e.value, sizeOf(e.type)),
  bytes: (cx, e, to) => writeBytes(cx, to, e.value, sizeOf(e.type)),
  builtin: (cx, e, to) => writeBuiltin(cx, e.name, e.type, to),
  call: (cx, e, to) => writeCall(cx, e, to),
  tuple: (cx, e, to) => writeTuple(cx, e, to),
  cast: (cx, e, to) => writeCast(cx, e, to),
  "map-get": (cx, e, to) => writeMapGet(cx, e.map, e.key, e.type, to),
  ternary: (cx, e, to) =>
    choose(
      cx,
      e.condition,
      () => write(cx, e.then, to),
      () => write(cx, e.else, to),
    ),
  block: (cx, e, to) => lowerBlock(cx, e.body, (value) => write(cx, value, to)),
};

/** Writes the value's bytes, padding included, to the program's own memory. */
export function write(cx: Cx, e: TypedExpression, to: Place): void {
  if (isScalar(e.type)) {
    storeScalar(cx, to, scalarSize(e.type), scalar(cx, e));
    return;
  }
  const row = WRITE[e.op] as ((cx: Cx, e: TypedExpression, to: Place) => void) | undefined;
  cx.located(e.span, () => {
    if (row) row(cx, e, to);
    else copyTyped(cx, to, place(cx, e), e.type);
  });
}

/** Copies a value. What lies behind the NUL of somebody else's string is not part of it. */
function copyTyped(cx: Cx, to: Place, from: Place, type: Type): void {
  const size = sizeOf(type);
  const isKernels = type.kind === "string" && from.space === "direct" && cx.padded;
  if (isKernels && canClearBehindText(to, size)) {
    copyBytes(cx, to, from, size);
    clearBehindText(cx, to, size);
    return;
  }
  if (type.kind !== "string" || from.space === "bpf" || (from.space === "direct" && !isKernels)) {
    copyBytes(cx, to, from, size);
    return;
  }
  if (cx.padded) zeroBytes(cx, to, size);
  readString(cx, to, constant(size), from);
}

function writeTuple(cx: Cx, e: Of<"tuple">, to: Place): void {
  const types = e.elements.map((element) => element.type);
  const { offsets, size } = tupleLayout(types);
  let end = 0;
  e.elements.forEach((element, i) => {
    zeroBytes(cx, offsetBy(to, end), offsets[i] - end);
    write(cx, element, offsetBy(to, offsets[i]));
    end = offsets[i] + sizeOf(types[i]);
  });
  zeroBytes(cx, offsetBy(to, end), size - end);
}

function writeCast(cx: Cx, e: Of<"cast">, to: Place): void {
  const from = e.operand.type;
  const size = sizeOf(e.type);
  if (isScalar(from)) {
    storeScalar(cx, to, Math.min(size, 8) as Size, scalar(cx, e.operand));
    return;
  }
  if (e.type.kind === "tuple" && from.kind === "tuple") {
    writeTupleCast(cx, e, to);
    return;
  }
  if (e.operand.op === "string") {
    writeString(cx, to, e.operand.value, size);
    return;
  }
  const fromSize = sizeOf(from);
  if (fromSize <= size) {
    write(cx, e.operand, to);
    zeroBytes(cx, offsetBy(to, fromSize), size - fromSize);
    return;
  }
  copyTyped(cx, to, place(cx, e.operand), e.type);
  if (e.type.kind === "string" && size > 0) cx.b.store(to.base, to.offset + size - 1, 1, ZERO);
}

/** Element by element: widths of integers and strings may differ. */
function writeTupleCast(cx: Cx, e: Of<"cast">, to: Place): void {
  const target = e.type as Extract<Type, { kind: "tuple" }>;
  const source = e.operand.type as Extract<Type, { kind: "tuple" }>;
  const from = place(cx, e.operand);
  const fromOffsets = tupleLayout(source.elements).offsets;
  const { offsets, size } = tupleLayout(target.elements);
  let end = 0;
  target.elements.forEach((type, i) => {
    zeroBytes(cx, offsetBy(to, end), offsets[i] - end);
    const [dst, src] = [offsetBy(to, offsets[i]), offsetBy(from, fromOffsets[i])];
    if (isScalar(type)) {
      storeScalar(cx, dst, scalarSize(type), loadTyped(cx, src, source.elements[i]));
    } else {
      const [want, have] = [sizeOf(type), sizeOf(source.elements[i])];
      copyBytes(cx, dst, src, Math.min(want, have));
      zeroBytes(cx, offsetBy(dst, have), Math.max(0, want - have));
      if (want < have && type.kind === "string") cx.b.store(dst.base, dst.offset + want - 1, 1, ZERO);
    }
    end = offsets[i] + sizeOf(type);
  });
  zeroBytes(cx, offsetBy(to, end), size - end);
}

const PLACE: { [O in Op]?: (cx: Cx, e: Of<O>) => Place } = {
  local: (cx, e) => cx.memoryOf(e.local),
  arg: (cx, e) => argumentPlace(cx, e.index, sizeOf(e.type)),
  "context-field": (cx, e) => contextPlace(cx, e.field, e.syscallArg),
  field: fieldPlace,
  index: (cx, e) => moved(cx, indexed(cx, e)),
  "tuple-element": elementPlace,
  deref: (cx, e) => pointee(cx, e.pointer),
  "map-get": (cx, e) => mapPlace(cx, e.map, e.key, e.type),
};

/** Where the value's bytes are. */
export function place(cx: Cx, e: TypedExpression): Place {
  const row = PLACE[e.op] as ((cx: Cx, e: TypedExpression) => Place) | undefined;
  if (row) return cx.located(e.span, () => row(cx, e));
  const to = cx.temporary(sizeOf(e.type), e.op);
  write(cx, e, to);
  return to;
}
