/**
 * Calls of the kernel's own functions: those it marks for BPF programs (kfuncs), with the types that its BTF gives them.
 * What they may be given, and that what some of them acquire is given back, is the verifier's to judge when the script is
 * loaded (emit/bpf/verifier.ts says it in the script's terms); names, numbers and kinds of arguments are judged here.
 */
import type { Expression } from "../../ast.ts";
import type { Kernel, Prototype } from "../../kernel.ts";
import { programTypeOf } from "../../lower/attach.ts";
import type { ProgramPlan } from "../../plan.ts";
import type { TypedExpression } from "../../typed.ts";
import type { Type } from "../../types.ts";
import { valueType } from "../access.ts";
import type { Context } from "../context.ts";
import { convert } from "../convert.ts";
import { describe } from "../describe.ts";
import { isUnknown, isVoid } from "../promote.ts";
import { type CallExpression, type CheckValue, literalText, op, value } from "./call.ts";

/** Arguments that the verifier fills in: the program itself. */
const isFilledIn = (name: string): boolean => /__prog$/.test(name);

const parametersOf = (prototype: Prototype) => prototype.arguments.filter(({ name }) => !isFilledIn(name));

/** Kfuncs that do more than look: they need --unsafe, as signal() does. */
const HARMFUL =
  /^(bpf_send_signal|bpf_sock_destroy|bpf_(set|remove)_dentry_xattr|bpf_throw|crash_kexec|bpf_wq_|bpf_task_work_|hid_bpf_|scx_bpf_)/;

/** Types of programs in words of the language, in the order in which they are offered. */
const PROBES_OF: readonly [type: ProgramPlan["type"], probes: string][] = [
  ["tracing", "fentry, fexit, iter, rawtracepoint"],
  ["tracepoint", "tracepoint"],
  ["perf_event", "profile, interval, software, hardware"],
  ["kprobe", "kprobe, uprobe, usdt"],
  ["raw_tracepoint", "begin, end"],
];

/** The type of program that a probe of this group runs as, if it calls kfuncs. */
const typeHere = (cx: Context): ProgramPlan["type"] => programTypeOf(cx.group.probes[0].attach, true);

/** In a function of the script that nobody calls yet anything may be called. */
const allowedHere = (name: string, cx: Context): boolean =>
  cx.group.row.name === "fn" || (cx.kernel.kfuncAllowed?.(name, typeHere(cx)) ?? false);

/** Of a call that no row of the tables explains. Undefined: it is none. */
export function kfuncNamed(name: string, kernel: Kernel): Prototype | undefined {
  return kernel.kfunc?.(name);
}

export function callKfunc(call: CallExpression, prototype: Prototype, cx: Context): TypedExpression {
  const { name, span } = call;
  if (!allowedHere(name, cx)) return notHere(call, cx);
  if (HARMFUL.test(name) && !cx.script.options.unsafe)
    return cx.fail(
      "unsafe",
      span,
      `${name}() changes what it is given, so it needs permission`,
      "run with --unsafe",
    );
  const parameters = parametersOf(prototype);
  if (parameters.length !== call.arguments.length)
    return cx.fail(
      "argument-count",
      span,
      `${name}() takes ${parameters.length} argument${parameters.length === 1 ? "" : "s"}, and ${call.arguments.length} ${call.arguments.length === 1 ? "is" : "are"} given`,
      signatureOf(name, prototype),
    );
  const args = parameters.map(({ type }, i) => argument(call, i, type, cx));
  const returns = valueType(prototype.returns, "kernel");
  if (returns.kind === "struct")
    return cx.fail(
      "not-here",
      span,
      `${name}() returns ${describe(returns)} by value, which programs cannot take`,
    );
  const type: Type = returns.kind === "pointer" ? { ...returns, space: "kernel" } : returns;
  return op("kfunc", args, type, span, { function: name, id: prototype.btfId });
}

function notHere({ name, span }: CallExpression, cx: Context): TypedExpression {
  const probes = PROBES_OF.filter(([type]) => cx.kernel.kfuncAllowed?.(name, type)).map(([, text]) => text);
  return probes.length === 0
    ? cx.fail("not-here", span, `this kernel lets no type of probe call ${name}()`)
    : cx.fail(
        "not-here",
        span,
        `this kernel does not let ${cx.group.row.name} probes call ${name}()`,
        `it lets ${probes.join(", ")}; if comptime (kfunc_allowed("${name}")) { … } asks`,
      );
}

export const signatureOf = (name: string, prototype: Prototype): string =>
  `${describe(prototype.returns)} ${name}(${parametersOf(prototype)
    .map((parameter) => `${describe(parameter.type)} ${parameter.name}`)
    .join(", ")})`;

/** One argument, converted to what the function takes as far as that can be told here. */
function argument(call: CallExpression, index: number, wanted: Type, cx: Context): TypedExpression {
  const given = value(call, index, cx);
  const { type } = given;
  if (isUnknown(type)) return given;
  if (wanted.kind === "pointer") {
    if (type.kind === "pointer" && fits(type.to, wanted.to)) return given;
    // Bytes of the script's own, by their address.
    if (isText(type) && isMemory(wanted.to)) return given;
    if (given.op === "int" && given.value === 0n) return given;
  } else if (wanted.kind === "bool" || wanted.kind === "int") {
    const converted = type.kind === "int" || type.kind === "bool" ? convert(given, wanted) : undefined;
    if (converted) return converted;
  }
  return cx.fail(
    "argument-type",
    given.span,
    `argument ${index + 1} of ${call.name}() is ${describe(wanted)}, and this is ${describe(type)}`,
    type.kind === "int" && wanted.kind === "pointer"
      ? "a number that is cast does not do: the kernel wants to know where its pointers are from"
      : undefined,
  );
}

const isText = (type: Type): boolean => type.kind === "string" || type.kind === "array";
const isMemory = (type: Type): boolean => isVoid(type) || type.kind === "int";

/** Whether a pointer may be given: to the same struct, to one that begins with it, or to plain memory. */
function fits(given: Type, wanted: Type): boolean {
  if (isMemory(wanted) || isVoid(given)) return true;
  if (given.kind !== "struct" || wanted.kind !== "struct") return given.kind === wanted.kind;
  if (given.name === wanted.name) return true;
  const [first] = given.layout().fields;
  return first?.offset === 0 && first.type.kind === "struct" && fits(first.type, wanted);
}

/** kfunc_exist(name) and kfunc_allowed(name): known before the script runs. */
const ask =
  (answer: (name: string, cx: Context) => boolean): CheckValue =>
  (call, cx) => {
    const [given] = call.arguments as Expression[];
    const name = literalText(call, 0, cx);
    return name === undefined ? cx.unknown(given.span) : cx.bool(answer(name, cx), call.span);
  };

export const kfuncExist = ask((name, cx) => kfuncNamed(name, cx.kernel) !== undefined);
export const kfuncAllowed = ask(
  (name, cx) => kfuncNamed(name, cx.kernel) !== undefined && allowedHere(name, cx),
);
