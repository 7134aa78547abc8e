/**
 * The script's own functions, declared with fn: each call is given the function's body, with its parameters as variables. A
 * body sees nothing of where it is called and nothing of the probe, so that one that is right is right everywhere.
 */
import type { Block, FunctionDefinition, Statement } from "../../ast.ts";
import type { TypedExpression, TypedStatement } from "../../typed.ts";
import { type Type, VOID } from "../../types.ts";
import type { Context, Within } from "../context.ts";
import { isUnknown, isVoid } from "../promote.ts";
import { store } from "../store.ts";
import { type CallExpression, value } from "./call.ts";

/** Bodies in one action; each may call others. */
const MOST_CALLS = 512;

/** A call: the arguments' values, the body, and what it returned. */
export function callOwn(call: CallExpression, definition: FunctionDefinition, cx: Context): TypedExpression {
  const { name, parameters } = definition;
  const { span } = call;
  if (parameters.length !== call.arguments.length)
    return cx.fail(
      "argument-count",
      span,
      `${name}() takes ${parameters.length} argument${parameters.length === 1 ? "" : "s"}, and ${call.arguments.length} ${call.arguments.length === 1 ? "is" : "are"} given`,
    );
  for (let outer = cx.within; outer; outer = outer.outer)
    if (outer.definition === definition)
      return cx.fail(
        "recursive-function",
        span,
        `${name}() calls itself, which programs in the kernel cannot do`,
        "loops repeat: for ($i : 0..n)",
      );
  if (++cx.called > MOST_CALLS)
    return cx.fail(
      "too-many-calls",
      span,
      `functions are called at more than ${MOST_CALLS} places of this action`,
    );
  const given = call.arguments.map((_, i) => value(call, i, cx));
  const within = enter(definition, cx);
  return cx.inFunction(within, () => {
    const variables = declareParameters(definition, cx);
    const result = declareResult(within, cx);
    const statements = given.flatMap((argument, i): TypedStatement[] => {
      const variable = variables[i];
      return variable ? store(variable, argument, parameters[i].name, argument.span, cx) : [];
    });
    const body = cx.blockHere(definition.body);
    statements.push(...result, { op: "function-body", id: within.id, body, span });
    if (!within.result) return { op: "block", body: { statements }, type: VOID, span };
    const { local } = within.result;
    const returned: TypedExpression = { op: "local", local, type: local.type, span };
    if (isUnknown(local.type)) return cx.unknown(span);
    return { op: "block", body: { statements, result: returned }, type: local.type, span };
  });
}

/** Checks a function for itself, its parameters being anything of their types. */
export function checkOwn(definition: FunctionDefinition, cx: Context): void {
  const within = enter(definition, cx);
  cx.inFunction(within, () => {
    declareParameters(definition, cx);
    declareResult(within, cx);
    cx.blockHere(definition.body);
  });
  if (cx.final && !isNothing(definition) && !alwaysReturns(definition.body))
    cx.error(
      "no-return",
      definition.span,
      `${definition.name}() returns a value, and some way through it ends without return`,
    );
}

/** Ids are told apart from 1, which is a return of the action. */
function enter(definition: FunctionDefinition, cx: Context): Within {
  return { definition, result: undefined, id: 2 + cx.called, outer: cx.within };
}

const isNothing = ({ returns }: FunctionDefinition): boolean =>
  returns.base === "void" && returns.modifiers.length === 0;

/** `string` without a size takes whatever text it is given. */
const isUnsized = (type: Type, written: FunctionDefinition["returns"]): boolean =>
  type.kind === "string" && written.modifiers.length === 0 && !written.typeof;

/** Text that grows with what it is given. */
const SHORTEST: Type = { kind: "string", size: 1 };

type Variable = Parameters<typeof store>[0];

/** Those whose types are asked of others (typeof) come after these. */
function declareParameters({ parameters }: FunctionDefinition, cx: Context): (Variable | undefined)[] {
  const variables = new Map<object, Variable | undefined>();
  const inOrder = [
    ...parameters.filter(({ type }) => !type.typeof),
    ...parameters.filter(({ type }) => type.typeof),
  ];
  for (const parameter of inOrder) {
    const { name, span } = parameter;
    const type = cx.script.definitions.resolve(parameter.type, cx);
    const fixed = type && !isUnsized(type, parameter.type) ? type : undefined;
    if (type && !fixed) cx.inference.growLocal(cx.group, parameter, SHORTEST);
    const local = cx.declare(name, parameter, span, fixed);
    variables.set(parameter, type && { declaration: parameter, local, fixed });
  }
  return parameters.map((parameter) => variables.get(parameter));
}

function declareResult(within: Within, cx: Context): TypedStatement[] {
  const { definition } = within;
  if (isNothing(definition)) return [];
  const { returns, span } = definition;
  const type = cx.script.definitions.resolve(returns, cx);
  if (!type) return [];
  const fixed = isUnsized(type, returns) ? undefined : type;
  if (!fixed) cx.inference.growLocal(cx.group, returns, SHORTEST);
  const local = cx.declare("", returns, span, fixed);
  within.result = { local, fixed };
  return isUnknown(local.type) ? [] : [{ op: "set-local", local, span }];
}

/** `return` in a function. */
export function returnFrom(within: Within, s: Statement & { kind: "return" }, cx: Context): TypedStatement[] {
  const { definition, result, id } = within;
  const { span } = s;
  const leave: TypedStatement = { op: "leave", id, span };
  if (isNothing(definition)) {
    if (s.value)
      cx.error(
        "return-type",
        s.value.span,
        `${definition.name}() returns nothing (void), and this is a value`,
      );
    return [leave];
  }
  if (!s.value) {
    cx.error("return-type", span, `${definition.name}() returns a value: return needs one`);
    return [leave];
  }
  const returned = cx.expression(s.value);
  if (!result || isUnknown(returned.type)) return [leave];
  if (isVoid(returned.type)) {
    cx.error("return-type", returned.span, `this has no value that ${definition.name}() could return`);
    return [leave];
  }
  const { local, fixed } = result;
  const variable = { declaration: definition.returns, local, fixed };
  const what = `what ${definition.name}() returns`;
  return [...store(variable, returned, what, span, cx), leave];
}

/** Whether every way through a block ends with return. */
function alwaysReturns(block: Block): boolean {
  return block.statements.some((s) => {
    if (s.kind === "return") return true;
    if (s.kind === "block") return alwaysReturns(s.body);
    return s.kind === "if" && !!s.else && alwaysReturns(s.then) && alwaysReturns(s.else);
  });
}
