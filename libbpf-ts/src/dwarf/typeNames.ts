// Types, enum constants and inlined functions by name. A unit's own are in an index that is made when it is first asked; of other units only
// those are read whose bytes mention the name: their entries hold the name itself, its offset in .debug_str, or the number
// of that offset in the unit's part of .debug_str_offsets.

import { At, Tag } from "./constants.ts";
import type { Die } from "./die.ts";
import type { DwarfFile } from "./file.ts";
import type { Section } from "./sections.ts";
import { enumerators } from "./types.ts";
import type { Unit } from "./unit.ts";

export type TypeKind = "struct" | "union" | "enum" | "typedef";

const KINDS: Record<number, TypeKind> = {
  [Tag.structure]: "struct",
  [Tag.class]: "struct",
  [Tag.union]: "union",
  [Tag.enumeration]: "enum",
  [Tag.typedef]: "typedef",
  [Tag.base]: "typedef",
};

/** Bytes of a section that are searched at a time. */
const CHUNK = 1 << 22;
/** Characters of the names of one unit: those beyond are not found. */
const MOST_NAMES = 1 << 26;

interface Names {
  /** "struct foo" → position. */
  types: Map<string, number>;
  constants: Map<string, Constant> | undefined;
}

interface Constant {
  value: bigint;
  type: Die;
}

export class TypeNames {
  readonly #file: DwarfFile;
  readonly #known = new Map<Unit, Names>();
  readonly #found = new Map<string, Die | undefined>();
  readonly #constants = new Map<string, Constant | undefined>();
  readonly #mentions = new Map<string, { units: Unit[]; more: Generator<Unit, undefined> }>();

  constructor(file: DwarfFile) {
    this.#file = file;
  }

  /** A type that is defined, not only declared: in a unit if it is there, else in any. */
  find(kind: TypeKind, name: string, near: Unit | undefined): Die | undefined {
    const key = `${kind} ${name}`;
    const here = near && this.#inUnit(near, key);
    if (here) return here;
    if (!this.#found.has(key))
      this.#found.set(
        key,
        this.#search(name, (unit) => this.#inUnit(unit, key)),
      );
    return this.#found.get(key);
  }

  /** An enum constant: a unit's own if it has one of the name, else that of any. */
  constant(name: string, near: Unit | undefined): Constant | undefined {
    const here = near && this.#constantIn(near, name);
    if (here) return here;
    if (!this.#constants.has(name))
      this.#constants.set(
        name,
        this.#search(name, (unit) => this.#constantIn(unit, name)),
      );
    return this.#constants.get(name);
  }

  #constantIn(unit: Unit, name: string): Constant | undefined {
    const names = this.#namesOf(unit);
    if (!names.constants) {
      names.constants = new Map();
      for (const [key, at] of names.types) {
        if (!key.startsWith("enum")) continue;
        const type = unit.die(at);
        const values = enumerators(type, true);
        for (const { name: constant, value } of values) names.constants.set(constant, { value, type });
      }
    }
    return names.constants.get(name);
  }

  #inUnit(unit: Unit, key: string): Die | undefined {
    const at = this.#namesOf(unit).types.get(key);
    return at === undefined ? undefined : unit.die(at);
  }

  #namesOf(unit: Unit): Names {
    let names = this.#known.get(unit);
    if (!names) {
      names = { types: readTypes(unit), constants: undefined };
      this.#known.set(unit, names);
    }
    return names;
  }

  /** A function without code of its own: where its source begins. Undefined: none of the name, or one that has code. */
  inlined(name: string): Die | undefined {
    return this.#search(name, (unit) => {
      let found: Die | undefined;
      unit.walk((tag, at) => {
        if (tag !== Tag.subprogram || found) return;
        const die = unit.die(at);
        if (die.has(At.inline) && die.has(At.declLine) && die.text(At.name) === name) found = die;
      });
      return found;
    });
  }

  /** Asks the units that may have something of the name. */
  #search<T>(name: string, ask: (unit: Unit) => T | undefined): T | undefined {
    let mentions = this.#mentions.get(name);
    if (!mentions) {
      mentions = { units: [], more: this.#findMentions(name) };
      this.#mentions.set(name, mentions);
    }
    const { units, more } = mentions;
    for (let i = 0; ; i++) {
      if (i === units.length) {
        const next = more.next();
        if (next.done) return undefined;
        units.push(next.value);
      }
      const found = ask(units[i]);
      if (found) return found;
    }
  }

  /** Units in which a name stands; what is found beside it is not looked at. */
  *#findMentions(name: string): Generator<Unit, undefined> {
    for (const file of [this.#file, this.#file.alternate]) {
      const offsets = [file, this.#file.alternate].flatMap((each) => {
        const section = each?.sections.get("str");
        return section ? textOffsets(section, name).map(littleEndian) : [];
      });
      const needles = [Buffer.from(`${name}\0`), ...offsets];
      for (const unit of file?.units ?? []) {
        const bytes = asBuffer(namesByNumber(unit) ?? unit.bytes);
        if (needles.some((needle) => bytes.includes(needle))) yield unit;
      }
    }
    return undefined;
  }
}

/** A unit's part of .debug_str_offsets: u32 length · u16 version · u16 padding, then, at the base, an offset for each number. */
function namesByNumber(unit: Unit): Uint8Array | undefined {
  const base = unit.root.number(At.strOffsetsBase);
  if (base === undefined || base < 8) return undefined;
  const section = unit.file.sections.need("str_offsets");
  const length = section.parse(base - 8, (cursor) => cursor.u32());
  return section.bytes(base, Math.max(0, length - 4));
}

function littleEndian(offset: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(offset);
  return bytes;
}

/** The same bytes. */
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

function readTypes(unit: Unit): Map<string, number> {
  const types = new Map<string, number>();
  let left = MOST_NAMES;
  unit.walk((tag, at, depth) => {
    const kind = KINDS[tag];
    if (!kind || left < 0) return;
    const die = unit.die(at);
    const name = die.text(At.name);
    if (die.flag(At.declaration)) return;
    // Enumerations without a name are kept for their constants.
    const key = name === undefined ? `${kind} #${at}` : `${kind} ${name}`;
    if (name === undefined && kind !== "enum") return;
    left -= key.length;
    if (depth === 1 || !types.has(key)) types.set(key, at);
  });
  return types;
}

/** Offsets at which a text stands in a section of texts, also as the tail of a longer one, which linkers share. */
function textOffsets(section: Section, text: string): number[] {
  const needle = Buffer.from(`${text}\0`);
  const offsets: number[] = [];
  for (let from = 0; from < section.size; from += CHUNK) {
    const size = Math.min(CHUNK + needle.length, section.size - from);
    const chunk = asBuffer(section.bytes(from, size));
    for (let at = chunk.indexOf(needle); at >= 0 && at < CHUNK; at = chunk.indexOf(needle, at + 1))
      offsets.push(from + at);
  }
  return offsets;
}
