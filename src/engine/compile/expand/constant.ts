/** Constant expressions as the C preprocessor has them: integers only, unknown names are the caller's to give. */
import type { Expression } from "../ast.ts";

const BITS = 64;

/** Undefined: not a constant. */
export function constantValue(
  e: Expression,
  named: (name: string) => bigint | undefined,
): bigint | undefined {
  switch (e.kind) {
    case "integer":
      return e.value;
    case "boolean":
      return e.value ? 1n : 0n;
    case "identifier":
      return named(e.name);
    case "cast":
      return constantValue(e.operand, named);
    case "unary": {
      const value = constantValue(e.operand, named);
      if (value === undefined) return undefined;
      if (e.operator === "-") return BigInt.asIntN(BITS, -value);
      if (e.operator === "~") return BigInt.asIntN(BITS, ~value);
      if (e.operator === "!") return value === 0n ? 1n : 0n;
      return e.operator === "+" ? value : undefined;
    }
    case "ternary": {
      const condition = constantValue(e.condition, named);
      if (condition === undefined) return undefined;
      return constantValue(condition !== 0n ? e.then : e.else, named);
    }
    case "binary": {
      const left = constantValue(e.left, named);
      if (left === undefined) return undefined;
      if (e.operator === "&&" && left === 0n) return 0n;
      if (e.operator === "||" && left !== 0n) return 1n;
      const right = constantValue(e.right, named);
      if (right === undefined) return undefined;
      return BINARY[e.operator]?.(left, right);
    }
    default:
      return undefined;
  }
}

const truth = (value: boolean): bigint => (value ? 1n : 0n);
const wrap = (value: bigint): bigint => BigInt.asIntN(BITS, value);

const BINARY: Record<string, (a: bigint, b: bigint) => bigint | undefined> = {
  "+": (a, b) => wrap(a + b),
  "-": (a, b) => wrap(a - b),
  "*": (a, b) => wrap(a * b),
  "/": (a, b) => (b === 0n ? undefined : a / b),
  "%": (a, b) => (b === 0n ? undefined : a % b),
  "&": (a, b) => a & b,
  "|": (a, b) => a | b,
  "^": (a, b) => a ^ b,
  "<<": (a, b) => (b < 0n || b > 63n ? undefined : wrap(a << b)),
  ">>": (a, b) => (b < 0n || b > 63n ? undefined : a >> b),
  "==": (a, b) => truth(a === b),
  "!=": (a, b) => truth(a !== b),
  "<": (a, b) => truth(a < b),
  "<=": (a, b) => truth(a <= b),
  ">": (a, b) => truth(a > b),
  ">=": (a, b) => truth(a >= b),
  "&&": (a, b) => truth(a !== 0n && b !== 0n),
  "||": (a, b) => truth(a !== 0n || b !== 0n),
};
