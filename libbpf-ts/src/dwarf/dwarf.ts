// Debug info of a program or library: what it says of a function at an address, of a type by its name, of a source line.
//
// Glossary: a unit is one compilation; an entry (Die) is one thing in it, a function or a type; entries form a tree and
// refer to one another by their offset. Everything is read when it is asked for, and little of it is kept.

import { type ElfFile, SectionType, SegmentType } from "../elf/file.ts";
import { At } from "./constants.ts";
import { DwarfError } from "./cursor.ts";
import type { Die } from "./die.ts";
import { DwarfFile } from "./file.ts";
import { type DwarfFunction, functionsOf, readFunction } from "./functions.ts";
import { readLineProgram } from "./line.ts";
import { findSourceLine, type SourceLine } from "./sourceLines.ts";
import { type TypeKind, TypeNames } from "./typeNames.ts";
import type { Unit } from "./unit.ts";
import { UnitIndex } from "./unitIndex.ts";

/** Functions of this many units are kept. */
const MAX_UNITS = 256;

/** Turns what damaged bytes make of the reader into one kind of error. */
function guarded<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DwarfError || error instanceof RangeError)
      throw new DwarfError(
        `${path}: ${error instanceof DwarfError ? error.message : "the debug info is damaged"}`,
      );
    throw error;
  }
}

export class Dwarf implements Disposable {
  /** The file that holds the debug info. */
  readonly path: string;
  readonly #file: DwarfFile;
  readonly #machine: "x64" | "arm64";
  readonly #code: { from: number; to: number }[];
  readonly #index: UnitIndex;
  readonly #names: TypeNames;
  readonly #functions = new Map<Unit, Map<number, number>>();

  private constructor(program: ElfFile, elf: ElfFile) {
    this.path = elf.path;
    this.#file = new DwarfFile(elf);
    this.#machine = program.machine === "arm64" ? "arm64" : "x64";
    this.#code = program.segments
      .filter(({ type, flags }) => type === SegmentType.load && flags & 1)
      .map(({ vaddr, memSize }) => ({ from: vaddr, to: vaddr + memSize }));
    this.#index = new UnitIndex(this.#file);
    this.#names = new TypeNames(this.#file);
  }

  /** Whether an ELF file has debug info of its own. */
  static isIn(elf: ElfFile): boolean {
    return [".debug_info", ".zdebug_info"].some((name) => {
      const section = elf.section(name);
      return section !== undefined && section.type !== SectionType.nobits && section.size > 0;
    });
  }

  /** Debug info of a program, from an open file: the program's own, opened again, or a separate one. Disposing closes it. */
  static of(program: ElfFile, file: ElfFile): Dwarf {
    return new Dwarf(program, file);
  }

  /** The function that begins at an address (as linked). `symbol` is its name in the symbol table. */
  functionAt(address: number, symbol: string): DwarfFunction | undefined {
    return guarded(this.path, () => {
      const unit = this.#index.find(address);
      if (!unit) return undefined;
      if (unit.split !== undefined)
        throw new DwarfError(
          `the entries are in ${unit.split || "a file of their own"}, which is not read: build without -gsplit-dwarf`,
        );
      let functions = this.#functions.get(unit);
      if (!functions) {
        if (this.#functions.size >= MAX_UNITS) this.#functions.clear();
        functions = functionsOf(unit);
        this.#functions.set(unit, functions);
      }
      const at = functions.get(address);
      return at === undefined ? undefined : readFunction(unit.die(at), address, symbol, this.#machine);
    });
  }

  /** A type by its kind and name, of the unit at `near` if it has one of the name, else of any. */
  typeNamed(kind: TypeKind, name: string, near?: number): Die | undefined {
    return guarded(this.path, () =>
      this.#names.find(kind, name, near === undefined ? undefined : this.#index.find(near)),
    );
  }

  /** An enum constant; see `typeNamed`. */
  constantNamed(name: string, near: number): { value: bigint; type: Die } | undefined {
    return guarded(this.path, () => this.#names.constant(name, this.#index.find(near)));
  }

  /** The line where the code of a function begins that was inlined wherever it is called. */
  inlinedFunction(name: string): { path: string; line: number } | undefined {
    return guarded(this.path, () => {
      const die = this.#names.inlined(name);
      const offset = die?.unit.root.number(At.stmtList);
      if (!die || offset === undefined) return undefined;
      const { files } = readLineProgram(this.#file, offset, die.unit.root.text(At.compDir) ?? "");
      const path = files[die.number(At.declFile) ?? 0];
      const declared = die.number(At.declLine) ?? 0;
      if (!path) return undefined;
      const found = this.sourceLine(path, declared);
      const line = found.kind === "no-code" ? found.nearest.find((n) => n > declared) : declared;
      return line === undefined || found.kind === "no-file" ? undefined : { path, line };
    });
  }

  /** Addresses where the code of a source line begins. `file` is a path, or the end of one: "main.c", "src/main.c". */
  sourceLine(file: string, line: number, column?: number): SourceLine {
    return guarded(this.path, () =>
      findSourceLine(this.#file, file, line, column, (address) =>
        this.#code.some(({ from, to }) => address >= from && address < to),
      ),
    );
  }

  /** Runs what follows references of this debug info; damaged ones throw DwarfError with the file's name. */
  read<T>(read: () => T): T {
    return guarded(this.path, read);
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
