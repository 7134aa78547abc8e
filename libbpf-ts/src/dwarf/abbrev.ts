// Abbreviations: the shapes that entries of a unit have. An entry in .debug_info is the number of its shape and the values
// of the shape's attributes, one after another.
//
//   code · tag · has children · (attribute · form [· constant])* 0 0        all LEB128, ended by code 0

import { Form } from "./constants.ts";
import { type Cursor, DwarfError } from "./cursor.ts";
import type { Section } from "./sections.ts";

export interface Abbrev {
  tag: number;
  children: boolean;
  attributes: Uint16Array;
  forms: Uint16Array;
  /** Values of implicit constants, by their place. */
  constants: Map<number, bigint> | undefined;
  /** Bytes of all values, where they always take as many. */
  size: number | undefined;
}

/** What the size of some forms depends on. */
export interface Sizes {
  version: number;
  address: number;
}

/** Bytes that a value takes; undefined: its own bytes say so. */
export function fixedSize(form: number, { version, address }: Sizes): number | undefined {
  switch (form) {
    case Form.flagPresent:
    case Form.implicitConst:
      return 0;
    case Form.data1:
    case Form.ref1:
    case Form.flag:
    case Form.strx1:
    case Form.addrx1:
      return 1;
    case Form.data2:
    case Form.ref2:
    case Form.strx2:
    case Form.addrx2:
      return 2;
    case Form.strx3:
    case Form.addrx3:
      return 3;
    case Form.data4:
    case Form.ref4:
    case Form.strp:
    case Form.secOffset:
    case Form.lineStrp:
    case Form.strpSup:
    case Form.refSup4:
    case Form.strx4:
    case Form.addrx4:
    case Form.gnuRefAlt:
    case Form.gnuStrpAlt:
      return 4;
    case Form.data8:
    case Form.ref8:
    case Form.refSig8:
    case Form.refSup8:
      return 8;
    case Form.data16:
      return 16;
    case Form.addr:
      return address;
    case Form.refAddr:
      return version <= 2 ? address : 4;
    default:
      return undefined;
  }
}

export function skipForm(cursor: Cursor, form: number, sizes: Sizes): void {
  const size = fixedSize(form, sizes);
  if (size !== undefined) {
    cursor.take(size);
    return;
  }
  switch (form) {
    case Form.string:
      cursor.skipText();
      break;
    case Form.block1:
      cursor.take(cursor.u8());
      break;
    case Form.block2:
      cursor.take(cursor.u16());
      break;
    case Form.block4:
      cursor.take(cursor.u32());
      break;
    case Form.block:
    case Form.exprloc:
      cursor.take(cursor.uleb());
      break;
    case Form.indirect:
      skipForm(cursor, cursor.uleb(), sizes);
      break;
    case Form.sdata:
    case Form.udata:
    case Form.refUdata:
    case Form.strx:
    case Form.addrx:
    case Form.loclistx:
    case Form.rnglistx:
    case Form.gnuAddrIndex:
    case Form.gnuStrIndex:
      cursor.skipLeb();
      break;
    default:
      throw new DwarfError(`the debug info has a form that is not known (0x${form.toString(16)})`);
  }
}

/** Codes beyond this are not of this world. */
const MAX_CODE = 1 << 20;

/** The abbreviations at one offset of .debug_abbrev. */
export class AbbrevTable {
  readonly #byCode: (Abbrev | undefined)[] = [];

  static read(section: Section, offset: number, sizes: Sizes): AbbrevTable {
    return section.parse(offset, (cursor) => {
      const table = new AbbrevTable();
      for (let code = cursor.uleb(); code !== 0; code = cursor.uleb()) {
        if (code > MAX_CODE)
          throw new DwarfError("the debug info is damaged: its abbreviations make no sense");
        table.#byCode[code] = readAbbrev(cursor, sizes);
      }
      return table;
    });
  }

  get(code: number): Abbrev {
    const abbrev = this.#byCode[code];
    if (!abbrev) throw new DwarfError("the debug info is damaged: an entry has no abbreviation");
    return abbrev;
  }

  /** Steps over an entry's values. */
  skip(cursor: Cursor, { size, forms }: Abbrev, sizes: Sizes): void {
    if (size !== undefined) {
      cursor.take(size);
      return;
    }
    for (const form of forms) skipForm(cursor, form, sizes);
  }
}

function readAbbrev(cursor: Cursor, sizes: Sizes): Abbrev {
  const tag = cursor.uleb();
  const children = cursor.u8() !== 0;
  const attributes: number[] = [];
  const forms: number[] = [];
  let constants: Map<number, bigint> | undefined;
  let size: number | undefined = 0;
  for (;;) {
    const attribute = cursor.uleb();
    const form = cursor.uleb();
    if (attribute === 0 && form === 0) break;
    if (form === Form.implicitConst) {
      constants ??= new Map();
      constants.set(forms.length, cursor.sleb());
    }
    attributes.push(attribute);
    forms.push(form);
    const own = fixedSize(form, sizes);
    size = size === undefined || own === undefined ? undefined : size + own;
  }
  return {
    tag,
    children,
    attributes: Uint16Array.from(attributes),
    forms: Uint16Array.from(forms),
    constants,
    size,
  };
}
