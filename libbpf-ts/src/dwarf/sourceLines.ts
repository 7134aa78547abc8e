// Source lines → the addresses where their code begins: one in each function that has the line, and one in each place
// where such a function was inlined.

import { At, Tag, UnitType } from "./constants.ts";
import type { DwarfFile } from "./file.ts";
import { type LineProgram, type LineRow, normalised, readLineProgram } from "./line.ts";
import { rangesOf } from "./lists.ts";
import type { Unit } from "./unit.ts";

export type SourceLine =
  | { kind: "found"; path: string; addresses: number[] }
  /** Several files end in this path. */
  | { kind: "ambiguous"; paths: string[] }
  /** `similar`: files of the same name, in another case or folder. */
  | { kind: "no-file"; similar: string[] }
  /** `nearest`: the closest lines before and after it that have code. */
  | { kind: "no-code"; path: string; nearest: number[] };

interface Use {
  unit: Unit;
  program: LineProgram;
  files: Set<number>;
}

/** Whether a path is the other or ends in it, folder by folder. */
const endsIn = (path: string, tail: string): boolean => path === tail || path.endsWith(`/${tail}`);

/** The source files whose path `matches`, with the programs that mention them. */
function usesOf(file: DwarfFile, matches: (path: string) => boolean): Map<string, Use[]> {
  const uses = new Map<string, Use[]>();
  const seen = new Set<number>();
  for (const unit of file.units) {
    if (unit.type === UnitType.type) continue;
    const { root } = unit;
    const offset = root.number(At.stmtList);
    if (offset === undefined || seen.has(offset)) continue;
    seen.add(offset);
    const program = readLineProgram(file, offset, root.text(At.compDir) ?? "");
    program.files.forEach((path, number) => {
      if (!path || !matches(path)) return;
      const known = uses.get(path) ?? [];
      uses.set(path, known);
      const last = known.at(-1);
      if (last?.program === program) last.files.add(number);
      else known.push({ unit, program, files: new Set([number]) });
    });
  }
  return uses;
}

/** A function with code, or a place where one was inlined. */
interface Scope {
  low: number;
  high: number;
  /** Its entry in the unit. */
  at: number;
  /** 0 for the part of it that it begins in. */
  part: number;
}

function scopesOf(unit: Unit): Scope[] {
  const scopes: Scope[] = [];
  unit.walk((tag, at) => {
    if (tag !== Tag.subprogram && tag !== Tag.inlinedSubroutine) return;
    rangesOf(unit.die(at)).forEach(({ low, high }, part) => {
      scopes.push({ low, high, at, part });
    });
  });
  return scopes;
}

/** Of all rows of a line, the first in each scope. */
function firstOfEach(rows: readonly LineRow[], scopes: readonly Scope[]): number[] {
  const best = new Map<number, { address: number; part: number }>();
  for (const { address } of rows) {
    let inner: Scope | undefined;
    for (const scope of scopes)
      if (
        address >= scope.low &&
        address < scope.high &&
        (!inner || scope.high - scope.low <= inner.high - inner.low)
      )
        inner = scope;
    const key = inner?.at ?? -1;
    const part = inner?.part ?? 0;
    const known = best.get(key);
    if (!known || part < known.part || (part === known.part && address < known.address))
      best.set(key, { address, part });
  }
  return [...best.values()].map(({ address }) => address);
}

const sorted = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((a, b) => a - b);

/** `isCode`: whether the program has code at an address; what linkers leave out keeps its line numbers. */
export function findSourceLine(
  file: DwarfFile,
  name: string,
  line: number,
  column: number | undefined,
  isCode: (address: number) => boolean,
): SourceLine {
  const wanted = normalised(name);
  const rowsOf = ({ program, files }: Use) => program.rows(files).filter(({ address }) => isCode(address));
  const all = [...usesOf(file, (path) => endsIn(path, wanted))].map(([path, uses]) => ({
    path,
    uses: uses.map((use) => ({ unit: use.unit, rows: rowsOf(use) })),
  }));
  // Files of which only declarations were used have no code to stop at.
  const withCode = all.filter(({ uses }) => uses.some(({ rows }) => rows.length > 0));
  const found = withCode.find(({ path }) => path === wanted) ?? withCode[0] ?? all[0];
  if (!found) {
    const base = wanted.slice(wanted.lastIndexOf("/") + 1).toLowerCase();
    const isSimilar = (path: string) => path.slice(path.lastIndexOf("/") + 1).toLowerCase() === base;
    return { kind: "no-file", similar: [...usesOf(file, isSimilar).keys()].sort() };
  }
  const { path, uses } = found;
  if (path !== wanted && withCode.length > 1)
    return { kind: "ambiguous", paths: withCode.map((one) => one.path).sort() };
  const addresses: number[] = [];
  for (const { unit, rows } of uses) {
    const here = rows.filter((row) => row.line === line && (column === undefined || row.column === column));
    if (here.length === 0) continue;
    const statements = here.filter((row) => row.isStatement);
    addresses.push(...firstOfEach(statements.length ? statements : here, scopesOf(unit)));
  }
  if (addresses.length) return { kind: "found", path, addresses: sorted(addresses) };
  const lines = sorted(
    uses.flatMap(({ rows }) => rows.filter((row) => row.isStatement && row.line > 0).map((row) => row.line)),
  );
  const nearest = [lines.findLast((n) => n < line), lines.find((n) => n > line)];
  if (column !== undefined && lines.includes(line)) nearest.splice(0, 2, line);
  return { kind: "no-code", path, nearest: nearest.filter((n) => n !== undefined) };
}
