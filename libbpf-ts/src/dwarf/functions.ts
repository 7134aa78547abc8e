// Functions: their parameters, and where each is when the function begins.
//
// The calling convention says it, except where the compiler has made a function of its own: a copy that GCC has taken
// parameters out of (name.isra.0, name.constprop.0), or another language. There only the location that the debug info
// gives for the first instruction counts, when that is a register.

import { type ArchName, archFor } from "../arch.ts";
import { argumentPlaces, type Place } from "./abi.ts";
import { At, Language, Tag } from "./constants.ts";
import { Cursor } from "./cursor.ts";
import type { Die } from "./die.ts";
import { locationAt, rangesOf } from "./lists.ts";
import { resolveType } from "./types.ts";
import type { Unit } from "./unit.ts";

export interface DwarfParameter {
  /** "" where the source gives it none. */
  name: string;
  type: Die | undefined;
  place: Place;
}

export interface DwarfFunction {
  name: string;
  parameters: DwarfParameter[];
  returns: Die | undefined;
  variadic: boolean;
}

/** Names, as `arch` has them, of the general registers by their number in DWARF. */
const REGISTERS: Record<ArchName, readonly string[]> = {
  x64: ["ax", "dx", "cx", "bx", "si", "di", "bp", "sp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"],
  arm64: Array.from({ length: 31 }, (_, i) => `x${i}`),
};

/** DW_CC_nocall: not called as others are. */
const NO_CALL = 3;
const CLONE = /\.(isra|constprop|part|cold)\b/;

/** Functions of a unit with code of their own: first address → position of the entry. */
export function functionsOf(unit: Unit): Map<number, number> {
  const found = new Map<number, number>();
  unit.walk((tag, at) => {
    if (tag !== Tag.subprogram) return;
    const die = unit.die(at);
    const low = die.address(At.lowPc) ?? (die.has(At.ranges) ? rangesOf(die)[0]?.low : undefined);
    if (low !== undefined && !found.has(low)) found.set(low, at);
  });
  return found;
}

/** The one register that an expression names. */
function registerOf(expression: Uint8Array | undefined, machine: ArchName): Place | undefined {
  if (!expression || expression.length === 0) return undefined;
  const cursor = new Cursor(expression);
  const op = cursor.u8();
  const number = op >= 0x50 && op <= 0x6f ? op - 0x50 : op === 0x90 ? cursor.uleb() : undefined;
  if (number === undefined || !cursor.done) return undefined;
  const register = REGISTERS[machine][number];
  if (!register) return { kind: "unreadable", why: "float" };
  const index = archFor(machine).functionArgs.indexOf(register);
  return index < 0 ? { kind: "register", register } : { kind: "argument", index };
}

/** Where debug info says that an argument is, if it can be there: what has several words can't be in one register. */
function inRegister(place: Place, known: Place | undefined): Place | undefined {
  if (!known || place.kind !== "argument" || place.words === undefined)
    return place.kind === "unreadable" ? undefined : known;
  return known.kind === "argument" && (place.words === 1 || place.address)
    ? { ...place, index: known.index }
    : undefined;
}

const isParameter = ({ tag }: Die): boolean => tag === Tag.formalParameter;

/** Reads a function's entry; `symbol` is the name that the symbol table has for its code. */
export function readFunction(die: Die, entry: number, symbol: string, machine: ArchName): DwarfFunction {
  const chain = [...die.chain()];
  const own = die.children();
  // An optimised function refers to what it was made of, where all parameters are, also those it has lost.
  const origin = die.reference(At.abstractOrigin);
  const declared = (origin ? origin.children() : own).filter(isParameter);
  const parameters = declared.length ? declared : own.filter(isParameter);
  const returns = die.type;
  const { language } = die.unit;
  const isClone = CLONE.test(symbol) || chain.some((d) => d.number(At.callingConvention) === NO_CALL);
  const places = argumentPlaces(
    parameters.map((parameter) => parameter.type),
    returns,
    machine,
  );
  const aggregate = parameters.findIndex((parameter) => isAggregate(parameter.type));
  const located = new Map<string, Die>();
  for (const child of own) {
    if (!isParameter(child)) continue;
    located.set((child.reference(At.abstractOrigin) ?? child).key, child);
  }
  return {
    name: die.name ?? symbol,
    returns,
    variadic: own.some(({ tag }) => tag === Tag.unspecifiedParameters),
    parameters: parameters.map((parameter, i) => {
      const here = located.get(parameter.key);
      const known = registerOf(here && locationAt(here, entry), machine);
      const free =
        language === Language.go || (language === Language.rust && aggregate >= 0 && i >= aggregate);
      const found = inRegister(places[i], known);
      let place = found ?? places[i];
      if (!found && isClone) place = { kind: "unreadable", why: "removed" };
      else if (!found && free && place.kind !== "unreadable")
        place = { kind: "unreadable", why: "convention" };
      return { name: parameter.name ?? "", type: parameter.type, place };
    }),
  };
}

function isAggregate(type: Die | undefined): boolean {
  const kind = type && resolveType(type)?.kind;
  return kind === "struct" || kind === "class" || kind === "union" || kind === "array";
}
