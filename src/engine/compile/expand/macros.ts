/** Macros by name, and which of several a call means: by number of arguments, then by what they must be. */
import type { Expression, Macro, TypeArgument } from "../ast.ts";

export interface MacroDefinition extends Macro {
  standard: boolean;
}

type Arguments = readonly (Expression | TypeArgument)[];

export interface Lookup {
  macro?: MacroDefinition;
  /** Candidates by that name, when none fits. */
  candidates: MacroDefinition[];
}

export class MacroTable {
  private readonly byName = new Map<string, MacroDefinition[]>();

  /** The macro that is already there with the same signature, if any; `macro` is then not entered. */
  add(macro: Macro, standard: boolean): MacroDefinition | undefined {
    const same = this.byName
      .get(macro.name)
      ?.find((other) => other.standard === standard && signature(other) === signature(macro));
    if (same) return same;
    const list = this.byName.get(macro.name) ?? [];
    list.push({ ...macro, standard });
    this.byName.set(macro.name, list);
    return undefined;
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** Inside a standard macro only standard ones are seen; elsewhere the script's own win. */
  find(name: string, args: Arguments, standardOnly: boolean): Lookup {
    const candidates = (this.byName.get(name) ?? []).filter((macro) => macro.standard || !standardOnly);
    const fitting = candidates.filter((macro) => fits(macro, args));
    fitting.sort((a, b) => Number(a.standard) - Number(b.standard) || precision(b) - precision(a));
    return { macro: fitting[0], candidates };
  }
}

const signature = (macro: Macro): string => macro.parameters.map((parameter) => parameter.kind).join(",");

/** How many parameters ask for something in particular. */
const precision = (macro: Macro): number => macro.parameters.filter((p) => p.kind !== "expression").length;

function fits(macro: Macro, args: Arguments): boolean {
  return (
    macro.parameters.length === args.length &&
    macro.parameters.every((parameter, i) => mismatch(parameter.kind, args[i]) === undefined)
  );
}

/** Why an argument can't be what the parameter asks for. */
export function mismatch(
  kind: Macro["parameters"][number]["kind"],
  argument: Expression | TypeArgument,
): string | undefined {
  if (kind === "variable" && argument.kind !== "variable") return "takes a variable here";
  if (kind === "map" && (argument.kind !== "map" || argument.key !== undefined)) return "takes a map here";
  return undefined;
}
