/**
 * The optimiser: few passes, each a function from a function to a function. They rely on one property of lowered code:
 * a register that is assigned once is assigned before every use.
 */
import type { Func, ProgramIr } from "../ir/types.ts";
import { simplifyBranches } from "./branches.ts";
import { coalesceMoves } from "./coalesce.ts";
import { shareComputations } from "./cse.ts";
import { removeDeadCode } from "./dead.ts";
import { propagate } from "./propagate.ts";

type Pass = (func: Func) => Func;

const PASSES: readonly Pass[] = [
  simplifyBranches,
  propagate,
  shareComputations,
  propagate,
  simplifyBranches,
  removeDeadCode,
  coalesceMoves,
];

export function optimise(program: ProgramIr): ProgramIr {
  return {
    ...program,
    functions: program.functions.map((func) => PASSES.reduce((f, pass) => pass(f), func)),
  };
}
