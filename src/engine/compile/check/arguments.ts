/** What a probe hands to its action: args, arg0 and on, retval. Each probe type has its own places for them. */
import { parseUsdtArg, splitUsdtArgs, type UsdtOperand } from "libbpf-ts/usdt-args";
import type { Span } from "../diagnostic.ts";
import type { Kernel, Prototype } from "../kernel.ts";
import type { Probe, TypedExpression } from "../typed.ts";
import { type AddressSpace, type Field, INT64, type IntType, sizeOf, type Type, UINT64 } from "../types.ts";
import { valueType } from "./access.ts";
import type { Context } from "./context.ts";
import { fieldSignature } from "./describe.ts";
import { didYouMean, someOf } from "./nearest.ts";
import {
  argumentSlot,
  functionOf,
  isProblem,
  type Problem,
  programArgument,
  programArguments,
} from "./program.ts";
import { withSpace } from "./promote.ts";

/** Argument registers by processor; further arguments are on the stack. */
const MAX_ARGUMENT: Readonly<Record<string, number>> = { x64: 5, arm64: 7 };

const COMMON = /^common_/;
/** Bytes at the head of a tracepoint's record that BPF programs may not read. */
const HIDDEN = 8;

function prototypeOf(probe: Probe, cx: Context): Prototype | undefined {
  const { attach } = probe;
  if (attach.kind === "fentry" && attach.program !== undefined)
    return cx.kernel.bpfFunctionPrototype?.(attach.program, attach.btfId);
  if (attach.kind === "fentry") return cx.kernel.functionPrototype(attach.function, attach.module);
  if (attach.kind === "kprobe" && attach.typed)
    return cx.kernel.functionPrototype(attach.function, attach.module ?? "vmlinux");
  if (attach.kind === "rawtracepoint") return cx.kernel.rawTracepoint(attach.event);
  return undefined;
}

const atLeast = ({ version: [major, minor] }: Kernel, since: number, sinceMinor: number): boolean =>
  major > since || (major === since && minor >= sinceMinor);

/** 64-bit slot of argument N: structs take as many as they fill. */
const slotOf = ({ arguments: args }: Prototype, index: number): number =>
  args.slice(0, index).reduce((sum, { type }) => sum + Math.max(1, Math.ceil(sizeOf(type) / 8)), 0);

/** All exits of syscalls lie alike, so that one format stands for hundreds. */
const exitFormats = new WeakMap<Kernel, readonly Field[]>();

function formatOf(probe: Probe, cx: Context): readonly Field[] {
  const { attach } = probe;
  if (attach.kind !== "tracepoint") return [];
  const known = attach.syscall?.exit ? exitFormats.get(cx.kernel) : undefined;
  if (known) return known;
  const fields = cx.kernel.tracepointFormat(attach.category, attach.event)?.fields ?? [];
  if (attach.syscall?.exit) exitFormats.set(cx.kernel, fields);
  return fields;
}

/** Names that `args` offers at a probe. */
export function argumentNames(probe: Probe, cx: Context): string[] {
  if (probe.attach.kind === "tracepoint")
    return formatOf(probe, cx)
      .map((field) => field.name)
      .filter((name) => !COMMON.test(name));
  if (probe.attach.kind === "uprobe") return programArguments(probe, cx);
  return prototypeOf(probe, cx)?.arguments.map((argument) => argument.name) ?? [];
}

/** Equal for probes whose `args.name` can be read by one program; "" when the probe has no such argument. */
export function argumentSignature(probe: Probe, name: string, cx: Context): string {
  if (probe.attach.kind === "tracepoint") {
    const fields = formatOf(probe, cx);
    const field = fields.find((candidate) => candidate.name === name);
    return field ? `${fieldSignature(field)}:${syscallPosition(probe, fields, name)}` : "";
  }
  if (probe.attach.kind === "uprobe") {
    const found = programArgument(probe, name, cx);
    if (!("argument" in found)) return "";
    const { type, place } = found.argument;
    return `${fieldSignature({ name, type, offset: 0 })}:${Object.values(place).join(":")}`;
  }
  const prototype = prototypeOf(probe, cx);
  const index = prototype?.arguments.findIndex((argument) => argument.name === name) ?? -1;
  if (index < 0) return "";
  const { type } = prototype!.arguments[index];
  return fieldSignature({ name, type, offset: slotOf(prototype!, index) });
}

/** As `argumentSignature`, for retval. */
export function retvalSignature(probe: Probe, cx: Context): string {
  const { attach } = probe;
  const isFunction = attach.kind === "fentry" || attach.kind === "kprobe";
  const prototype = isFunction ? prototypeOf(probe, cx) : undefined;
  return prototype
    ? fieldSignature({
        name: "",
        type: prototype.returns,
        offset: slotOf(prototype, prototype.arguments.length),
      })
    : "";
}

/** Whether a probe has argN: programs that read it cannot serve those that have not. */
export function hasNumbered(probe: Probe, index: number, cx: Context): boolean {
  const prototype = prototypeOf(probe, cx);
  return !prototype || index < slotOf(prototype, prototype.arguments.length);
}

/** As `argumentSignature`, for argN of USDT probes, which each have it elsewhere. */
export const usdtSpecs = (probe: Probe): string[] =>
  probe.attach.kind === "usdt" ? splitUsdtArgs(probe.attach.arguments) : [];

/**
 * argN of a USDT probe is a signed 64-bit integer, whatever its own width and sign. Where a wildcard matches probes with
 * and without it, it is 0 in those without.
 */
function usdtArgument(index: number, probe: Probe, span: Span, cx: Context): TypedExpression {
  const specs = usdtSpecs(probe);
  const most = Math.max(specs.length, cx.group.mostArguments ?? 0);
  if (index >= most)
    return cx.fail(
      "unknown-argument",
      span,
      `${probe.name} has no arg${index}`,
      most > 0 ? `it has arg0 to arg${most - 1}` : "it has no arguments",
    );
  const type = withSpace(INT64, cx.space);
  if (index >= specs.length) return { op: "int", value: 0n, type, span };
  const spec = specs[index];
  const operand = usdtOperand(spec, cx);
  if (operand === undefined || ("symbol" in operand && operand.symbol !== undefined))
    return cx.fail(
      "argument-unreadable",
      span,
      `arg${index} of ${probe.name} is at ${spec.slice(spec.indexOf("@") + 1)}, which cannot be read here`,
      operand === undefined
        ? "floating-point registers are out of reach for BPF: trace where the program passes the value as an integer or by address"
        : `${operand.symbol} is no symbol of the binary: has it been stripped?`,
    );
  return { op: "usdt-arg", spec, type, span };
}

function usdtOperand(spec: string, cx: Context): UsdtOperand | undefined {
  try {
    return parseUsdtArg(spec, cx.kernel.arch).operand;
  } catch {
    return undefined;
  }
}

/** Place of a syscall tracepoint's field among the syscall's arguments; -1 the result, -2 the number. */
function syscallPosition(probe: Probe, fields: readonly Field[], name: string): number | undefined {
  if (probe.attach.kind !== "tracepoint" || !probe.attach.syscall) return undefined;
  if (name === "__syscall_nr" || name === "nr") return -2;
  const own = fields.filter(
    (field) => !COMMON.test(field.name) && !["__syscall_nr", "nr"].includes(field.name),
  );
  const index = own.findIndex((field) => field.name === name);
  if (index < 0) return undefined;
  return probe.attach.syscall.exit ? (name === "ret" ? -1 : undefined) : index;
}

/** `args.NAME`. */
export function argument(name: string, nameSpan: Span, span: Span, cx: Context): TypedExpression {
  const { row, probes } = cx.group;
  const [probe] = probes;
  if (!row.args) return noArgs(span, cx);
  const space = cx.space;
  if (probe.attach.kind === "tracepoint") {
    const fields = formatOf(probe, cx);
    const field = fields.find((candidate) => candidate.name === name);
    if (!field && probe.attach.id === 0) return cx.unknown(span);
    if (!field) return unknownArgument(probe, name, nameSpan, cx);
    if (COMMON.test(name) && field.offset < HIDDEN)
      return cx.fail(
        "hidden-argument",
        nameSpan,
        `the kernel keeps ${name} of tracepoints from BPF programs`,
        name === "common_pid" ? "tid is the same" : "pid, tid, cpu and probe tell who, where and what",
      );
    const syscallArg = syscallPosition(probe, fields, name);
    return {
      op: "context-field",
      field,
      ...(syscallArg === undefined ? {} : { syscallArg }),
      type: contextFieldType(field, space, cx),
      span,
    };
  }
  if (probe.attach.kind === "uprobe") return programValue(probe, name, nameSpan, span, cx);
  const prototype = prototypeOf(probe, cx);
  if (!prototype)
    return cx.fail(
      "no-prototype",
      span,
      `BTF has no prototype of ${probe.name}, so args is not known`,
      row.argN ? "arg0, arg1, … work without" : undefined,
    );
  const index = prototype.arguments.findIndex((candidate) => candidate.name === name);
  if (index < 0) return unknownArgument(probe, name, nameSpan, cx);
  const { type } = prototype.arguments[index];
  if (type.kind === "struct")
    return cx.fail(
      "struct-argument",
      nameSpan,
      `${name} is a whole struct and comes in registers: it cannot be read as one`,
      `arg${slotOf(prototype, index)} has its first 8 bytes`,
    );
  const raw: TypedExpression = { op: "arg", index: slotOf(prototype, index), type: UINT64, span };
  return slot(raw, type, space);
}

/** `args.NAME` of a user function, as its debug info has it. */
function programValue(probe: Probe, name: string, nameSpan: Span, span: Span, cx: Context): TypedExpression {
  const found = programArgument(probe, name, cx);
  if ("problem" in found) return noDebugInfo(found.problem, span, cx);
  if (!("argument" in found)) return unknownArgument(probe, name, nameSpan, cx);
  const others = programArguments(probe, cx).filter((other) => {
    const each = programArgument(probe, other, cx);
    return "argument" in each && each.argument.place.kind !== "unreadable";
  });
  const { type, place } = found.argument;
  if (place.kind === "argument" && place.words !== undefined && !place.address)
    return { op: "arg", index: place.index, type: valueType(type, cx.space), span };
  const value = argumentSlot(found.argument, others, span, cx);
  if (value && place.kind === "argument" && place.address) {
    const pointer = slot(value, { kind: "pointer", to: type, space: cx.space }, cx.space);
    return { op: "deref", pointer, type: valueType(type, cx.space), span };
  }
  return value ? slot(value, found.argument.type, cx.space) : cx.unknown(span);
}

function noDebugInfo({ message, hint, inside }: Problem, span: Span, cx: Context): TypedExpression {
  const hints = [hint, inside ? undefined : "arg0, arg1, … work without"].filter(Boolean);
  return cx.fail("no-debug-info", span, `args is not known: ${message}`, hints.join("; "));
}

/** A 64-bit slot as a value of its type. */
function slot(value: TypedExpression, type: Type, space: AddressSpace): TypedExpression {
  const seen = valueType(type, space);
  if (seen.kind === "int" && seen.size === 8 && !seen.signed) return { ...value, type: seen };
  return { op: "cast", operand: value, type: seen, span: value.span };
}

/** Dynamic fields: text is a string, anything else a pointer into the record. */
function contextFieldType(field: Field, space: AddressSpace, cx: Context): Type {
  if (!field.dataLoc && !field.relLoc) return valueType(field.type, space);
  const { type } = field;
  const of = type.kind === "array" ? type.of : type;
  if (type.kind === "string" || (of.kind === "int" && of.size === 1 && of.signed))
    return { kind: "string", size: cx.maxStrlen };
  return { kind: "pointer", to: of, space: "kernel" };
}

function unknownArgument(probe: Probe, name: string, span: Span, cx: Context): TypedExpression {
  const names = argumentNames(probe, cx);
  const offered = names.length
    ? `this probe offers ${someOf(
        names.map((n) => `args.${n}`),
        12,
      )}`
    : "this probe has no arguments";
  const guess = didYouMean(name, names);
  return cx.fail(
    "unknown-argument",
    span,
    `${probe.name} has no argument ${name}`,
    guess ? `${guess} ${offered}` : offered,
  );
}

function noArgs(span: Span, cx: Context): TypedExpression {
  const { row } = cx.group;
  if (row.shownType === "fexit")
    return cx.fail(
      "no-arguments",
      span,
      "kretprobe stands in for fexit here, and has no args",
      "keep them in a map at the function's entry, by tid",
    );
  return cx.fail(
    "no-arguments",
    span,
    `${row.name} probes have no args`,
    row.argN
      ? "use arg0, arg1, … and cast them"
      : row.retval
        ? "use retval for the result"
        : "tracepoint, rawtracepoint, fentry and fexit have them, and uprobe where there is debug info",
  );
}

/** `args` by itself: all of them as a record. */
export function wholeArguments(span: Span, cx: Context): TypedExpression {
  if (!cx.group.row.args) return noArgs(span, cx);
  const [probe] = cx.group.probes;
  if (probe.attach.kind === "uprobe") {
    const found = functionOf(probe, cx);
    if (isProblem(found)) return noDebugInfo(found, span, cx);
  }
  const names = argumentNames(probe, cx);
  const elements = names.map((name) => argument(name, span, span, cx));
  return {
    op: "tuple",
    elements,
    type: { kind: "tuple", elements: elements.map((e) => e.type), names },
    span,
  };
}

/** arg0, arg1, … */
export function numberedArgument(index: number, span: Span, cx: Context): TypedExpression {
  const { row, probes } = cx.group;
  const [probe] = probes;
  if (!row.argN) {
    const names = row.args ? argumentNames(probe, cx) : [];
    return cx.fail(
      "no-arguments",
      span,
      `${row.name} probes have no arg${index}`,
      names.length
        ? `this probe offers ${someOf(
            names.map((n) => `args.${n}`),
            12,
          )}`
        : row.retval
          ? "use retval for the result; keep arguments in a map at the function's entry"
          : undefined,
    );
  }
  if (probe.attach.kind === "usdt") return usdtArgument(index, probe, span, cx);
  const type = withSpace(UINT64 as IntType, cx.space);
  const prototype = prototypeOf(probe, cx);
  const slots = prototype && slotOf(prototype, prototype.arguments.length);
  if (slots !== undefined && index >= slots)
    return cx.fail(
      "unknown-argument",
      span,
      `${probe.name} has no arg${index}`,
      slots > 0 ? `it has arg0 to arg${slots - 1}` : "it has no arguments",
    );
  const most = MAX_ARGUMENT[cx.kernel.arch];
  if (!prototype && index > most)
    return cx.fail(
      "argument-on-stack",
      span,
      `arg${index} is not passed in a register here; arg0 to arg${most} are`,
      'read it from the stack: *(uint64 *)(reg("sp") + 8)',
    );
  return { op: "arg", index, type, span };
}

export function returnValue(span: Span, cx: Context): TypedExpression {
  const { row, probes } = cx.group;
  if (!row.retval) {
    const other = ({ kprobe: "kretprobe", fentry: "fexit", uprobe: "uretprobe" } as Record<string, string>)[
      row.name
    ];
    return cx.fail(
      "no-retval",
      span,
      `${row.name} probes have no return value`,
      row.name === "tracepoint"
        ? "syscall exits have args.ret"
        : other
          ? `${other} has it`
          : "kretprobe, uretprobe and fexit have it",
    );
  }
  const [probe] = probes;
  const { attach } = probe;
  const untyped = withSpace(UINT64 as IntType, cx.space);
  if (attach.kind === "fentry" || (attach.kind === "kprobe" && attach.typed)) {
    const prototype = prototypeOf(probe, cx);
    if (!prototype) return cx.fail("no-prototype", span, `BTF has no prototype of ${probe.name}`);
    if (attach.kind === "fentry" && attach.program !== undefined && !atLeast(cx.kernel, 5, 17))
      return cx.fail("kernel-too-old", span, "the result of a BPF program can be had since Linux 5.17");
    if (prototype.returns.kind === "void") return cx.fail("no-retval", span, `${probe.name} returns nothing`);
    if (attach.kind === "kprobe")
      return slot({ op: "retval", type: UINT64, span }, prototype.returns, cx.space);
    const at = slotOf(prototype, prototype.arguments.length);
    if (attach.untyped) return { op: "retval", slot: at, type: untyped, span };
    return slot({ op: "retval", slot: at, type: UINT64, span }, prototype.returns, cx.space);
  }
  return { op: "retval", type: untyped, span };
}
