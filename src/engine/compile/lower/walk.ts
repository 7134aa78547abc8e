/** Walks a typed tree: which locals a piece of it uses, and whether evaluating it twice or late would matter. */
import type { Local, TypedBlock, TypedExpression, TypedStatement } from "../typed.ts";

/** Parts of an expression that are expressions; blocks inside are `blocksOf`. */
export function childrenOf(e: TypedExpression): TypedExpression[] {
  switch (e.op) {
    case "call":
      return e.arguments;
    case "unary":
    case "cast":
      return [e.operand];
    case "binary":
    case "compare-bytes":
    case "logical":
      return [e.left, e.right];
    case "ternary":
      return [e.condition, e.then, e.else];
    case "field":
    case "tuple-element":
      return [e.base];
    case "index":
      return [e.base, e.index];
    case "deref":
      return [e.pointer];
    case "tuple":
      return e.elements;
    case "map-get":
    case "address-of-map":
      return e.key ? [e.key] : [];
    case "increment":
      return "map" in e.target && e.target.key ? [e.target.key] : [];
    default:
      return [];
  }
}

export interface Visitor {
  local?: (local: Local) => void;
  expression?: (e: TypedExpression) => void;
  statement?: (s: TypedStatement) => void;
}

export function visitExpression(e: TypedExpression, v: Visitor): void {
  v.expression?.(e);
  if (e.op === "local" || e.op === "address-of-local") v.local?.(e.local);
  if (e.op === "increment" && "local" in e.target) v.local?.(e.target.local);
  if (e.op === "call" && e.data && "local" in e.data) v.local?.(e.data.local as unknown as Local);
  if (e.op === "block") visitBlock(e.body, v);
  for (const child of childrenOf(e)) visitExpression(child, v);
}

export function visitStatement(s: TypedStatement, v: Visitor): void {
  v.statement?.(s);
  const expressions: (TypedExpression | undefined)[] = [];
  switch (s.op) {
    case "expression":
      expressions.push(s.value);
      break;
    case "set-local":
      v.local?.(s.local);
      expressions.push(s.value);
      break;
    case "set-map":
    case "aggregate":
      expressions.push(s.key, s.value);
      break;
    case "if":
      expressions.push(s.condition);
      visitBlock(s.then, v);
      if (s.else) visitBlock(s.else, v);
      break;
    case "block":
    case "function-body":
      visitBlock(s.body, v);
      break;
    case "while":
      expressions.push(s.condition);
      visitBlock(s.body, v);
      break;
    case "for-range":
      v.local?.(s.local);
      expressions.push(s.start, s.end);
      visitBlock(s.body, v);
      break;
    case "for-map":
      v.local?.(s.local);
      visitBlock(s.body, v);
      break;
    case "return":
      expressions.push(s.value);
      break;
    case "emit":
      expressions.push(...s.arguments);
      break;
  }
  for (const e of expressions) if (e) visitExpression(e, v);
}

export function visitBlock(block: TypedBlock, v: Visitor): void {
  for (const s of block.statements) visitStatement(s, v);
  if (block.result) visitExpression(block.result, v);
}

const EFFECTS = new Set(["delete", "find", "signal", "override", "write_user", "kfunc", "skboutput"]);

/** Evaluating it has no effect of its own, so its place among other evaluations is free. */
export function isPure(e: TypedExpression): boolean {
  if (e.op === "increment" || e.op === "block") return false;
  if (e.op === "call" && EFFECTS.has(e.name)) return false;
  return childrenOf(e).every(isPure);
}

/** Both always give the same value when evaluated one after the other. */
export function sameExpression(a: TypedExpression, b: TypedExpression): boolean {
  if (a.op !== b.op) return false;
  switch (a.op) {
    case "int":
      return a.value === (b as typeof a).value;
    case "string":
      return a.value === (b as typeof a).value;
    case "local":
      return a.local === (b as typeof a).local;
    case "arg":
      return a.index === (b as typeof a).index;
    case "context-field":
      return a.field === (b as typeof a).field;
    case "builtin":
      return (
        a.name === (b as typeof a).name &&
        !["nsecs", "nsecs.monotonic", "nsecs.tai", "rand", "elapsed"].includes(a.name)
      );
    case "cast":
    case "tuple":
    case "tuple-element":
    case "field": {
      const [x, y] = [childrenOf(a), childrenOf(b)];
      if (a.op === "tuple-element" && a.index !== (b as typeof a).index) return false;
      if (a.op === "field" && a.field !== (b as typeof a).field) return false;
      return (
        JSON.stringify(a.type.kind) === JSON.stringify(b.type.kind) &&
        x.length === y.length &&
        x.every((c, i) => sameExpression(c, y[i]))
      );
    }
    default:
      return false;
  }
}

/** Its value is the same all through one run of the program. */
export function isSettled(e: TypedExpression): boolean {
  let settled = sameExpression(e, e);
  visitExpression(e, {
    expression: (part) => {
      if (part.op === "local") settled = false;
    },
  });
  return settled;
}
