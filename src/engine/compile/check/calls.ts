/** Calls and builtins: finds the row, checks what the row says, and lets it do the rest. */
import type { Expression } from "../ast.ts";
import { functionNamed, functionNames, UNSUPPORTED_FUNCTIONS } from "../tables/functions.ts";
import type { FunctionRow } from "../tables/rows.ts";
import { NOT_YET } from "../tables/vocabulary.ts";
import type { TypedExpression, TypedStatement } from "../typed.ts";
import type { Context } from "./context.ts";
import type { CallExpression } from "./functions/call.ts";
import { didYouMean } from "./nearest.ts";

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
  if (call.name in UNSUPPORTED_FUNCTIONS) {
    cx.error(
      "not-supported",
      call.nameSpan,
      `not supported yet: ${call.name}()`,
      UNSUPPORTED_FUNCTIONS[call.name] || undefined,
    );
    return;
  }
  cx.error(
    "unknown-function",
    call.nameSpan,
    `there is no function ${call.name}`,
    didYouMean(call.name, functionNames()),
  );
}

/** A call whose value is used. */
export function callValue(call: CallExpression, cx: Context): TypedExpression {
  const row = rowFor(call, cx);
  if (!row) return cx.unknown(call.span);
  if (row.value) return known(row.value(call, cx), cx);
  if (row.aggregate)
    return cx.fail(
      "aggregation-place",
      call.span,
      `${row.name}() can only be given to a map`,
      `@name = ${row.name}(${row.arguments[1] ? "…" : ""})`,
    );
  return cx.fail("no-value", call.span, `${row.name}() has no value`, "write it as a statement of its own");
}

/** Says so when code generation does not have a word yet. */
function known(typed: TypedExpression, cx: Context): TypedExpression {
  if ((typed.op === "call" || typed.op === "builtin") && NOT_YET.has(typed.name))
    return cx.fail("not-supported", typed.span, `not supported yet: ${typed.name}`);
  return typed;
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
