/** Functions of the current process and time, stacks, and what is asked of types and options. */

import { CONFIG } from "../../tables/config.ts";
import { SIGNALS } from "../../tables/signals.ts";
import type { TypedExpression } from "../../typed.ts";
import { type IntType, int, type StackMode, sizeOf, type Type, UINT64 } from "../../types.ts";
import { convert } from "../convert.ts";
import { describe } from "../describe.ts";
import { isUnknown } from "../promote.ts";
import { refusedByName } from "../refused.ts";
import {
  address,
  type CallExpression,
  type CheckValue,
  commandLineNumber,
  integer,
  literalInteger,
  literalText,
  op,
  source,
  value,
} from "./call.ts";
import { commOf } from "./task.ts";

/** The word given where a function takes a mode. */
function mode(call: CallExpression, index: number): string | undefined {
  const argument = call.arguments[index];
  return argument?.kind === "identifier"
    ? argument.name
    : argument?.kind === "type"
      ? argument.type.base
      : undefined;
}

const CLOCKS: Readonly<Record<string, string>> = {
  boot: "nsecs",
  monotonic: "nsecs.monotonic",
  tai: "nsecs.tai",
  sw_tai: "nsecs.tai",
};

export const nsecs: CheckValue = (call, cx) => {
  const clock = call.arguments.length ? mode(call, 0) : "boot";
  const name = CLOCKS[clock ?? ""];
  if (!name)
    return cx.fail(
      "unknown-mode",
      call.span,
      `nsecs() knows no clock ${clock ?? "of this kind"}`,
      `clocks are ${Object.keys(CLOCKS).join(", ")}`,
    );
  return { op: "builtin", name, type: UINT64, span: call.span };
};

/** pid and tid: in the tracer's namespace, or the initial one. */
export const namespaced: CheckValue = (call, cx) => {
  const where = call.arguments.length ? mode(call, 0) : "curr_ns";
  if (where !== "curr_ns" && where !== "init")
    return cx.fail("unknown-mode", call.span, `${call.name}() knows curr_ns and init only`);
  return {
    op: "builtin",
    name: where === "init" ? `${call.name}.init` : call.name,
    type: { ...int(4, false), identity: where === "init" ? "process.init" : "process" },
    span: call.span,
  };
};

const STACK_MODES: readonly string[] = ["bpftrace", "perf", "raw", "build_id"];
/** PERF_MAX_STACK_DEPTH: what the kernel walks. */
const MAX_DEPTH = 127n;

/** The unstable feature, as the script's config has it. */
function mayUnwind(call: CallExpression, cx: Parameters<CheckValue>[1]): void {
  if (!cx.final) return;
  const setting = cx.config.unstable.unstable_dw_ustack;
  if (setting === "error")
    cx.error("unstable", call.span, "dw_ustack() is switched off by unstable_dw_ustack=error");
  if (setting === "warn" && !cx.report.list.some(({ code }) => code === "unstable"))
    cx.report.warning(
      "unstable",
      call.span,
      "dw_ustack() is an unstable feature of the language: it may change",
      {
        hint: "config = { unstable_dw_ustack=enable } prevents this warning",
      },
    );
}

export const stack: CheckValue = (call, cx) => {
  const space = call.name === "kstack" ? "kernel" : "user";
  if (call.name === "dw_ustack") mayUnwind(call, cx);
  let shown: string = cx.config.stackMode;
  let depth: bigint | undefined = MAX_DEPTH;
  const first = mode(call, 0);
  const hasMode =
    first !== undefined && (call.arguments.length === 2 || STACK_MODES.includes(first) || !isValue(first));
  if (hasMode) {
    if (refusedByName(first, call.span, cx)) return cx.unknown(call.span);
    if (!STACK_MODES.includes(first))
      return cx.fail(
        "unknown-mode",
        call.span,
        `${call.name}() knows no mode ${first}`,
        `modes are ${STACK_MODES.join(", ")}`,
      );
    shown = first;
  }
  const limitAt = hasMode ? 1 : 0;
  if (call.arguments.length > limitAt + 1)
    return cx.fail("argument-count", call.span, `${call.name}() takes a mode, then a limit`);
  if (call.arguments.length > limitAt) {
    depth = literalInteger(call, limitAt, cx);
    if (depth === undefined) return cx.unknown(call.span);
    if (depth < 1n || depth > MAX_DEPTH)
      return cx.fail(
        "argument-range",
        call.span,
        `the limit of ${call.name}() is from 1 to ${MAX_DEPTH}, and this is ${depth}`,
        `no more than ${MAX_DEPTH} frames of a stack are kept`,
      );
  }
  if (call.name !== "ustack" && shown === "build_id") {
    if (hasMode)
      return cx.fail(
        "unknown-mode",
        call.span,
        space === "kernel"
          ? "build_id is for ustack: the kernel's own frames have none"
          : "build_id is for ustack: dw_ustack() keeps addresses",
      );
    cx.report.warning(
      "unknown-mode",
      call.span,
      `stack_mode=build_id is for ustack: ${call.name} shows addresses`,
      {
        hint: `set the mode where it is used, as in ${call.name}(bpftrace)`,
      },
    );
    shown = "raw";
  }
  return op(
    call.name,
    [],
    { kind: "stack", space, mode: shown as StackMode, depth: Number(depth) },
    call.span,
  );
};

/** Names that mean a number where a stack's limit may stand. */
const isValue = (name: string): boolean => /^(ncpus|pid|tid|cpu)$/.test(name);

export const username: CheckValue = (call) => ({
  op: "builtin",
  name: "username",
  type: { kind: "username" },
  span: call.span,
});

/** getopt(name, default?, description?): the option's value is known before the script runs. */
export const getopt: CheckValue = (call, cx) => {
  const name = literalText(call, 0, cx);
  if (name === undefined) return cx.unknown(call.span);
  const fallback = call.arguments.length > 1 ? value(call, 1, cx) : cx.bool(false, call.span);
  if (isUnknown(fallback.type)) return fallback;
  if (fallback.op !== "int" && fallback.op !== "string")
    return cx.fail("not-constant", fallback.span, "an option's default is a literal");
  const description = call.arguments.length > 2 ? literalText(call, 2, cx) : undefined;
  const type = fallback.op === "string" ? "string" : fallback.type.kind === "bool" ? "bool" : "int";
  const shown =
    fallback.op === "string"
      ? fallback.value
      : type === "bool"
        ? String(fallback.value === 1n)
        : String(fallback.value);
  const { settings } = cx.script;
  const earlier = settings.get(name);
  if (
    earlier &&
    earlier.span.start !== call.span.start &&
    (earlier.type !== type || earlier.default !== shown)
  )
    return cx.fail(
      "option-twice",
      call.span,
      `option ${name} is asked for with another type or default elsewhere`,
      `there it is ${earlier.type}, ${earlier.default}`,
    );
  if (!earlier)
    settings.set(name, {
      name,
      type,
      default: shown,
      ...(description ? { description } : {}),
      span: call.span,
    });
  const given = cx.script.options.named?.[name];
  if (given === undefined) return { ...fallback, span: call.span };
  if (type === "bool") {
    const truth: Record<string, boolean> = { true: true, "1": true, false: false, "0": false };
    const set = given === true ? true : truth[given.toLowerCase()];
    return set === undefined
      ? cx.fail("option-value", call.span, `option --${name} is true or false, not ${given}`)
      : cx.bool(set, call.span);
  }
  if (given === true)
    return cx.fail("option-value", call.span, `option --${name} needs a value: --${name}=…`);
  if (type === "string") return cx.string(given, call.span);
  const number = commandLineNumber(given);
  return number !== undefined
    ? cx.int(number, call.span)
    : cx.fail("option-value", call.span, `option --${name} is a number, not ${given}`);
};

/** Begin and end run in the tracer; elsewhere the processor's state at the probe tells. */
export const usermode: CheckValue = (call, cx) => {
  const { row } = cx.group;
  const type = int(1, false);
  if (row.shownType === "special") return cx.int(1n, call.span, type);
  if (cx.kernel.arch !== "x64") return cx.fail("not-here", call.span, "usermode works on x86-64 only");
  // Tracepoints, trampolines and iterators are run by the kernel's own code.
  if (!row.registers && row.name !== "interval") return cx.int(0n, call.span, type);
  return { op: "builtin", name: "usermode", type, span: call.span };
};

const isConstant = (e: TypedExpression): boolean =>
  e.op === "int" || e.op === "string" || (e.op === "tuple" && e.elements.every(isConstant));

/** comptime(expression): its value, which must be known before the script runs. */
export const comptime: CheckValue = (call, cx) => {
  const typed = value(call, 0, cx);
  return isConstant(typed) || isUnknown(typed.type)
    ? typed
    : cx.fail("not-constant", typed.span, "this is not known before the script runs");
};

/** is_scalar(@map): whether the script uses it without keys. */
export const isScalar: CheckValue = (call, cx) => {
  const [argument] = call.arguments;
  if (argument.kind !== "map" || argument.key)
    return cx.fail("argument-type", argument.span, "is_scalar() takes a whole map");
  const { keyed } = cx.inference.map(argument.name, argument.span);
  return keyed === undefined && !cx.final ? cx.unknown(call.span) : cx.bool(!keyed, call.span);
};

/** Questions about an expression's type or form, answered at compile time. */
const typeQuestion =
  (ask: (type: Type) => boolean): CheckValue =>
  (call, cx) => {
    const argument = call.arguments[0];
    const type =
      argument.kind === "type" ? cx.script.definitions.resolve(argument.type, cx) : cx.typeOf(argument);
    return type ? cx.bool(ask(type), call.span) : cx.unknown(call.span);
  };

export const isStr = typeQuestion((type) => type.kind === "string");
export const isPtr = typeQuestion((type) => type.kind === "pointer");
export const isArray = typeQuestion((type) => type.kind === "array");
export const isInteger = typeQuestion((type) => type.kind === "int");
export const isUnsignedInteger = typeQuestion((type) => type.kind === "int" && !type.signed);

export const isLiteral: CheckValue = (call, cx) => {
  const argument = source(call, 0, cx);
  return cx.bool(
    !!argument && ["integer", "string", "boolean", "positional"].includes(argument.kind),
    call.span,
  );
};

export const hasCpid: CheckValue = (call, cx) => cx.bool(cx.script.options.command !== undefined, call.span);

export const cpid: CheckValue = (call, cx) => {
  const type = int(4, false);
  if (cx.script.options.command === undefined) {
    cx.report.warning("no-child", call.span, "there is no child process: cpid is 0", {
      hint: "give one with -c",
    });
    return cx.int(0n, call.span, type);
  }
  return { op: "builtin", name: "cpid", type, span: call.span };
};

export const comm: CheckValue = (call, cx) =>
  call.arguments.length > 0
    ? commOf(call, cx)
    : { op: "builtin", name: "comm", type: { kind: "string", size: 16 }, span: call.span };

export const curtask: CheckValue = (call, cx) => {
  const task = cx.script.definitions.struct("task_struct", false);
  const to: Type = task ?? { kind: "void" };
  return { op: "builtin", name: "curtask", type: { kind: "pointer", to, space: "kernel" }, span: call.span };
};

export const func: CheckValue = (call, cx) => {
  const name = cx.group.row.name;
  const user = name === "uprobe" || name === "uretprobe";
  if (!user && !["kprobe", "kretprobe", "fentry", "fexit"].includes(name))
    return cx.fail(
      "not-here",
      call.span,
      `${name} probes trace no function, so func has no value`,
      "probe gives the probe's name",
    );
  return { op: "builtin", name: "func", type: { kind: user ? "usym" : "ksym" }, span: call.span };
};

export const probe: CheckValue = (call) => ({
  op: "builtin",
  name: "probe",
  type: { kind: "probe" },
  span: call.span,
});

export const probetype: CheckValue = (call, cx) =>
  cx.string(cx.group.row.shownType ?? cx.group.row.name, call.span);

export const ncpus: CheckValue = (call, cx) =>
  cx.int(BigInt(cx.kernel.possibleCpus), call.span, UINT64 as IntType);

/** `config.max_strlen`: the settings as a record of constants. */
export const config: CheckValue = (call, cx) => {
  const rows = CONFIG.filter((row) => row.key && cx.config[row.key] !== undefined);
  const elements = rows.map((row): TypedExpression => {
    const setting = cx.config[row.key!];
    if (typeof setting === "boolean") return cx.bool(setting, call.span);
    if (typeof setting === "number") return cx.int(BigInt(setting), call.span, UINT64 as IntType);
    return cx.string(String(setting), call.span);
  });
  return {
    op: "tuple",
    elements,
    type: { kind: "tuple", elements: elements.map((e) => e.type), names: rows.map((row) => row.name) },
    span: call.span,
  };
};

const signalCall =
  (thread: boolean): CheckValue =>
  (call, cx) => {
    const argument = source(call, 0, cx);
    if (!argument) return cx.unknown(call.span);
    let number = cx.expression(argument);
    if (number.op === "string") {
      const wanted = number.value.toUpperCase();
      const found = SIGNALS[wanted.startsWith("SIG") ? wanted.slice(3) : wanted];
      if (!found) return cx.fail("unknown-signal", argument.span, `there is no signal ${number.value}`);
      number = cx.int(BigInt(found), argument.span);
    }
    if (isUnknown(number.type)) return number;
    if (number.type.kind !== "int")
      return cx.fail(
        "argument-type",
        argument.span,
        `a signal is a name or a number, and this is ${describe(number.type)}`,
      );
    if (number.op === "int" && (number.value < 1n || number.value > 64n))
      return cx.fail("argument-range", argument.span, "signals are numbered from 1 to 64");
    return op("signal", [convert(number, UINT64)!], int(8, true), call.span, { thread });
  };
export const signal = signalCall(false);
export const signalThread = signalCall(true);

export const override: CheckValue = (call, cx) => {
  const result = integer(call, 0, cx);
  return op("override", [convert(result, UINT64) ?? result], { kind: "void" }, call.span);
};

export const writeUser: CheckValue = (call, cx) =>
  op(
    "write_user",
    [address(call, 0, cx), value(call, 1, cx), integer(call, 2, cx)],
    { kind: "bool" },
    call.span,
  );

export const socketCookie: CheckValue = (call, cx) =>
  op("socket_cookie", [address(call, 0, cx)], UINT64, call.span);

/** memcmp(left, right, count) is 0 for equal bytes: only the equality of whole values is known to code generation. */
export const memcmp: CheckValue = (call, cx) => {
  const left = value(call, 0, cx);
  const right = value(call, 1, cx);
  const count = literalInteger(call, 2, cx);
  if (count === undefined || isUnknown(left.type) || isUnknown(right.type)) return cx.unknown(call.span);
  if (sizeOf(left.type) < count || sizeOf(right.type) < count)
    return cx.fail("argument-range", call.span, `memcmp() compares ${count} bytes, and one side has fewer`);
  return op("strncmp", [left, right], int(8, true), call.span, { length: Number(count) });
};
