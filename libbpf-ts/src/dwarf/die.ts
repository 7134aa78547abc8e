// Debugging information entries: one function, parameter, type, … Values are decoded when somebody asks for them.

import type { Abbrev } from "./abbrev.ts";
import { skipForm } from "./abbrev.ts";
import { At, Form } from "./constants.ts";
import { Cursor, DwarfError } from "./cursor.ts";
import type { Unit } from "./unit.ts";

/** Chains of "is described over there" are short; longer ones go in a circle. */
const MAX_CHAIN = 16;

export class Die {
  readonly unit: Unit;
  /** From the beginning of its unit. */
  readonly at: number;
  readonly abbrev: Abbrev;
  /** Where its values begin. */
  readonly #values: number;
  readonly #head: Uint8Array | undefined;

  constructor(unit: Unit, at: number, head?: Uint8Array) {
    this.unit = unit;
    this.at = at;
    this.#head = head;
    const cursor = new Cursor(head ?? unit.bytes, at);
    const code = cursor.uleb();
    if (code === 0) throw new DwarfError("the debug info is damaged: it refers to no entry");
    this.abbrev = unit.abbrevs.get(code);
    this.#values = cursor.at;
  }

  get tag(): number {
    return this.abbrev.tag;
  }

  /** Tells entries of one program apart. */
  get key(): string {
    return `${this.unit.section === this.unit.file.sections.get("types") ? "t" : ""}${this.unit.file.id}:${this.unit.offset + this.at}`;
  }

  /** Throws where the values don't fit into the bytes at hand. */
  check(): void {
    this.#after();
  }

  #after(): Cursor {
    const cursor = this.#cursor();
    this.unit.abbrevs.skip(cursor, this.abbrev, this.unit);
    return cursor;
  }

  #cursor(): Cursor {
    return new Cursor(this.#head ?? this.unit.bytes, this.#values);
  }

  /** The form of an attribute and a cursor at its value. */
  #find(attribute: number): { form: number; cursor: Cursor; constant?: bigint } | undefined {
    const { attributes, forms, constants } = this.abbrev;
    const place = attributes.indexOf(attribute);
    if (place < 0) return undefined;
    const cursor = this.#cursor();
    for (let i = 0; i < place; i++) skipForm(cursor, forms[i], this.unit);
    let form = forms[place];
    if (form === Form.indirect) form = cursor.uleb();
    return { form, cursor, constant: constants?.get(place) };
  }

  has(attribute: number): boolean {
    return this.abbrev.attributes.includes(attribute);
  }

  flag(attribute: number): boolean {
    const found = this.#find(attribute);
    return found !== undefined && (found.form === Form.flagPresent || found.cursor.u8() !== 0);
  }

  /** A constant or an offset into a section; undefined for attributes of other kinds. */
  number(attribute: number): number | undefined {
    const found = this.#find(attribute);
    if (!found) return undefined;
    const { form, cursor, constant } = found;
    switch (form) {
      case Form.data1:
        return cursor.u8();
      case Form.data2:
        return cursor.u16();
      case Form.data4:
      case Form.secOffset:
        return cursor.u32();
      case Form.data8:
        return cursor.u64();
      case Form.udata:
        return cursor.uleb();
      case Form.sdata:
        return Number(cursor.sleb());
      case Form.implicitConst:
        return Number(constant ?? 0n);
      default:
        return undefined;
    }
  }

  /** A constant with all its bits; `signed` tells how those of fixed width are meant. */
  constant(attribute: number, signed: boolean): bigint | undefined {
    const found = this.#find(attribute);
    if (!found) return undefined;
    const { form, cursor } = found;
    if (form === Form.sdata) return cursor.sleb();
    if (form === Form.data8) {
      const value = BigInt(cursor.u32()) | (BigInt(cursor.u32()) << 32n);
      return signed ? BigInt.asIntN(64, value) : value;
    }
    if (form === Form.implicitConst) return found.constant;
    const value = this.number(attribute);
    if (value === undefined) return undefined;
    const bits = form === Form.data1 ? 8 : form === Form.data2 ? 16 : form === Form.data4 ? 32 : 0;
    return signed && bits ? BigInt.asIntN(bits, BigInt(value)) : BigInt(value);
  }

  text(attribute: number): string | undefined {
    const found = this.#find(attribute);
    if (!found) return undefined;
    const { form, cursor } = found;
    const { file } = this.unit;
    switch (form) {
      case Form.string:
        return cursor.text();
      case Form.strp:
        return file.sections.need("str").text(cursor.u32());
      case Form.lineStrp:
        return file.sections.need("line_str").text(cursor.u32());
      case Form.gnuStrpAlt:
      case Form.strpSup:
        return file.alternate?.sections.need("str").text(cursor.u32());
      case Form.strx:
        return this.#indexedText(cursor.uleb());
      case Form.strx1:
      case Form.strx2:
      case Form.strx3:
      case Form.strx4:
        return this.#indexedText(cursor.unsigned(form - Form.strx1 + 1));
      default:
        return undefined;
    }
  }

  #indexedText(index: number): string {
    const { sections } = this.unit.file;
    const base = this.unit.base(At.strOffsetsBase, 8);
    const offset = new Cursor(sections.need("str_offsets").upTo(base + index * 4, 4)).u32();
    return sections.need("str").text(offset);
  }

  address(attribute: number): number | undefined {
    const found = this.#find(attribute);
    if (!found) return undefined;
    const { form, cursor } = found;
    if (form === Form.addr) return cursor.unsigned(this.unit.address);
    if (form === Form.addrx || form === Form.gnuAddrIndex) return this.indexedAddress(cursor.uleb());
    if (form >= Form.addrx1 && form <= Form.addrx4)
      return this.indexedAddress(cursor.unsigned(form - Form.addrx1 + 1));
    return undefined;
  }

  indexedAddress(index: number): number {
    const { address } = this.unit;
    const base = this.unit.base(At.addrBase, this.unit.base(At.gnuAddrBase, 8));
    const bytes = this.unit.file.sections.need("addr").upTo(base + index * address, address);
    return new Cursor(bytes).unsigned(address);
  }

  /** An expression or block. */
  block(attribute: number): Uint8Array | undefined {
    const found = this.#find(attribute);
    if (!found) return undefined;
    const { form, cursor } = found;
    const size =
      form === Form.exprloc || form === Form.block
        ? cursor.uleb()
        : form === Form.block1
          ? cursor.u8()
          : form === Form.block2
            ? cursor.u16()
            : form === Form.block4
              ? cursor.u32()
              : undefined;
    if (size === undefined) return undefined;
    const from = cursor.take(size);
    return cursor.bytes.subarray(from, from + size);
  }

  /** The number of a list in the unit's table of lists, where the attribute has one. */
  listIndex(attribute: number): number | undefined {
    const found = this.#find(attribute);
    return found && (found.form === Form.loclistx || found.form === Form.rnglistx)
      ? found.cursor.uleb()
      : undefined;
  }

  /** The entry that an attribute refers to. Undefined: it has none, or the file with it is not here. */
  reference(attribute: number): Die | undefined {
    const found = this.#find(attribute);
    if (!found) return undefined;
    const { form, cursor } = found;
    const { unit } = this;
    switch (form) {
      case Form.ref1:
        return unit.die(cursor.u8());
      case Form.ref2:
        return unit.die(cursor.u16());
      case Form.ref4:
        return unit.die(cursor.u32());
      case Form.ref8:
        return unit.die(cursor.u64());
      case Form.refUdata:
        return unit.die(cursor.uleb());
      case Form.refAddr:
        return unit.file.dieAt(unit.version <= 2 ? cursor.unsigned(unit.address) : cursor.u32());
      case Form.gnuRefAlt:
      case Form.refSup4:
        return unit.file.alternate?.dieAt(cursor.u32());
      case Form.refSup8:
        return unit.file.alternate?.dieAt(cursor.u64());
      case Form.refSig8: {
        const at = cursor.take(8);
        const view = new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset);
        return unit.file.typeOf(view.getBigUint64(at, true));
      }
      default:
        return undefined;
    }
  }

  /** The entries that this one completes, itself first: a definition, its declaration, the function that was inlined. */
  *chain(): Iterable<Die> {
    let die: Die | undefined = this;
    for (let i = 0; die && i < MAX_CHAIN; i++) {
      yield die;
      die = die.reference(At.abstractOrigin) ?? die.reference(At.specification);
    }
  }

  /** Its name, or that of what it completes. */
  get name(): string | undefined {
    for (const die of this.chain()) if (die.has(At.name)) return die.text(At.name);
    return undefined;
  }

  /** The type of a parameter, member, pointer's target, …; undefined is void. */
  get type(): Die | undefined {
    for (const die of this.chain()) {
      if (!die.has(At.type)) continue;
      const type = die.reference(At.type);
      // A stand-in for a type in a unit of its own (-fdebug-types-section).
      return type?.has(At.signature) ? (type.reference(At.signature) ?? type) : type;
    }
    return undefined;
  }

  /** Entries directly below, in the order of the file. */
  children(): Die[] {
    const found: Die[] = [];
    if (!this.abbrev.children) return found;
    const { unit } = this;
    const cursor = this.#head ? new Cursor(unit.bytes, this.#after().at) : this.#after();
    for (let depth = 0; !cursor.done; ) {
      const { at } = cursor;
      const code = cursor.uleb();
      if (code === 0) {
        if (depth-- === 0) break;
        continue;
      }
      const abbrev = unit.abbrevs.get(code);
      if (depth === 0) {
        const die = new Die(unit, at);
        found.push(die);
        const sibling = abbrev.children ? die.#sibling() : undefined;
        if (sibling !== undefined && sibling > cursor.at) {
          cursor.at = sibling;
          continue;
        }
      }
      unit.abbrevs.skip(cursor, abbrev, unit);
      if (abbrev.children) depth++;
    }
    return found;
  }

  /** Where the next entry of its level is; undefined: the file does not say. */
  #sibling(): number | undefined {
    const found = this.#find(At.sibling);
    if (found?.form !== Form.ref4) return undefined;
    const at = found.cursor.u32();
    return this.unit.offset + at < this.unit.end ? at : undefined;
  }
}
