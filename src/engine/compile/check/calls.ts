/** Calls and builtins: finds the row, checks what the row says, and lets it do the rest. */
import type { Expression } from "../ast.ts";
import { functionNamed, functionNames } from "../tables/functions.ts";
import type { FunctionRow } from "../tables/rows.ts";
import type { TypedExpression, TypedStatement } from "../typed.ts";
import type { Context } from "./context.ts";
import type { CallExpression } from "./functions/call.ts";
import { callKfunc, kfuncNamed } from "./functions/kfunc.ts";
import { callOwn } from "./functions/own.ts";
import { didYouMean } from "./nearest.ts";
import { insteadOfCalling, refusedByName } from "./refused.ts";

/** The row of a call that may be made here; reports and gives undefined otherwise. */
export function rowFor(call: CallExpression, cx: Context): FunctionRow | undefined {
  const row = functionNamed(call.name);
  if (!row) {
    reportUnknown(call, cx);
    return undefined;
  }
  const given = call.arguments.length;
  const [least, most] = row.arguments;
  if (given < least || given > most) {
    const wanted = least === most ? `${least}` : most > 16 ? `at least ${least}` : `${least} to ${most}`;
    cx.error(
      "argument-count",
      call.span,
      `${row.name}() takes ${wanted === "0" ? "no" : wanted} argument${wanted === "1" || wanted === "at least 1" ? "" : "s"}, and ${given} ${given === 1 ? "is" : "are"} given`,
      row.signatures.join("; "),
    );
    return undefined;
  }
  if (row.unsafe && !cx.script.options.unsafe) {
    cx.error(
      "unsafe",
      call.span,
      `${row.name}() can harm the system, so it needs permission`,
      "run with --unsafe",
    );
    return undefined;
  }
  const probe = cx.group.row.name;
  if (row.probes && !row.probes.includes(probe)) {
    cx.error(
      "not-here",
      call.span,
      `${row.name}() does not work in ${probe} probes`,
      `it works in ${row.probes.join(", ")}`,
    );
    return undefined;
  }
  const [major, minor] = cx.kernel.version;
  if (row.since && (major < row.since[0] || (major === row.since[0] && minor < row.since[1]))) {
    cx.error(
      "kernel-too-old",
      call.span,
      `${row.name}() needs Linux ${row.since.join(".")}, and this is ${cx.kernel.release}`,
    );
    return undefined;
  }
  return row;
}

function reportUnknown(call: CallExpression, cx: Context): void {
  const { name, nameSpan } = call;
  if (refusedByName(name, nameSpan, cx)) return;
  const meant = didYouMean(name, [...functionNames(), ...cx.script.functions.keys()]);
  if (!meant && cx.kernel.functionPrototype(name)) {
    cx.error(
      "not-supported",
      nameSpan,
      `${name}() is a function of the kernel, and none of those that it lets programs call (kfuncs)`,
      insteadOfCalling(name),
    );
    return;
  }
  cx.error("unknown-function", nameSpan, `there is no function ${name}`, meant);
}

/** A call whose value is used. */
export function callValue(call: CallExpression, cx: Context): TypedExpression {
  const own = cx.script.functions.get(call.name);
  if (own) return callOwn(call, own, cx);
  const kfunc = functionNamed(call.name) ? undefined : kfuncNamed(call.name, cx.kernel);
  if (kfunc) return callKfunc(call, kfunc, cx);
  const row = rowFor(call, cx);
  if (!row) return cx.unknown(call.span);
  if (row.value) return row.value(call, cx);
  if (row.aggregate)
    return cx.fail(
      "aggregation-place",
      call.span,
      `${row.name}() can only be given to a map`,
      `@name = ${row.name}(${row.arguments[1] ? "…" : ""})`,
    );
  return cx.fail("no-value", call.span, `${row.name}() has no value`, "write it as a statement of its own");
}

/** A call by itself; undefined: it has a value, and is an expression statement. */
export function callAction(call: CallExpression, cx: Context): TypedStatement[] | undefined {
  const row = functionNamed(call.name);
  if (!row?.action) return undefined;
  return rowFor(call, cx) ? row.action(call, cx) : [];
}

/** A bare name as the call it stands for; undefined when it is none. */
export function builtinCall(e: Expression & { kind: "identifier" }): CallExpression | undefined {
  const row = functionNamed(e.name);
  if (!row?.bare) return undefined;
  return { kind: "call", name: row.name, nameSpan: e.span, arguments: [], span: e.span };
}
