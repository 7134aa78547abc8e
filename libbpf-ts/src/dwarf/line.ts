// Line programs: which source line each instruction comes from. A program of one-byte instructions that moves an address
// and a line, and writes a row whenever both are known; one for each unit.
//
//   v2–4: u32 length · u16 version · u32 header length · u8 instruction length · [v4: u8 operations] · u8 is_stmt at first ·
//         i8 line base · u8 line range · u8 first special · u8[] operand counts · directories · files
//   v5:   u8 address size and u8 segment size after the version; directories and files as tables that say their forms

import { skipForm } from "./abbrev.ts";
import { Form } from "./constants.ts";
import { Cursor, DwarfError } from "./cursor.ts";
import type { DwarfFile } from "./file.ts";

export interface LineRow {
  address: number;
  line: number;
  /** 0: not known. */
  column: number;
  /** Where a debugger would stop for this line. */
  isStatement: boolean;
}

export interface LineProgram {
  /** Paths by the number that the program uses; "" where there is none. */
  files: string[];
  /** Runs the program: rows of these files, in the order of addresses within each stretch of code. */
  rows(files: ReadonlySet<number>): LineRow[];
}

/** DW_LNCT_*. */
const PATH = 1;
const DIRECTORY = 2;
/** More than this is not of this world. */
const MAX_ENTRIES = 1 << 20;

const join = (directory: string, name: string): string =>
  name.startsWith("/") || !directory ? name : `${directory.replace(/\/$/, "")}/${name}`;

/** Without "." and "..", as far as they can be resolved. */
export function normalised(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "." || (part === "" && parts.length > 0)) continue;
    const before = parts.at(-1);
    if (part === ".." && before && before !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

interface Header {
  version: number;
  address: number;
  minimum: number;
  isStatement: boolean;
  lineBase: number;
  lineRange: number;
  firstSpecial: number;
  operands: Uint8Array;
  /** Where the instructions begin and end in the section. */
  from: number;
  end: number;
  files: string[];
}

/** The rows of a version 5 table: what each column is → its value. */
function readEntries(
  cursor: Cursor,
  file: DwarfFile,
  version: number,
  address: number,
): Map<number, string | number>[] {
  const formats = Array.from({ length: cursor.u8() }, () => ({ type: cursor.uleb(), form: cursor.uleb() }));
  const count = cursor.uleb();
  if (count > MAX_ENTRIES || (count > 0 && formats.length === 0))
    throw new DwarfError("the debug info is damaged: a table of source files makes no sense");
  return Array.from({ length: count }, () => {
    const entry = new Map<number, string | number>();
    for (const { type, form } of formats) {
      if (form === Form.string) entry.set(type, cursor.text());
      else if (form === Form.lineStrp) entry.set(type, file.sections.need("line_str").text(cursor.u32()));
      else if (form === Form.strp) entry.set(type, file.sections.need("str").text(cursor.u32()));
      else if (form === Form.udata) entry.set(type, cursor.uleb());
      else if (form === Form.data1) entry.set(type, cursor.u8());
      else if (form === Form.data2) entry.set(type, cursor.u16());
      else skipForm(cursor, form, { version, address });
    }
    return entry;
  });
}

function readHeader(cursor: Cursor, base: number, file: DwarfFile, compDir: string): Header {
  const length = cursor.u32();
  if (length === 0xffffffff) throw new DwarfError("line numbers are in the 64-bit format, which is not read");
  const end = base + 4 + length;
  const version = cursor.u16();
  if (version < 2 || version > 5)
    throw new DwarfError(`line numbers are of version ${version}; 2 to 5 are read`);
  let address = 8;
  if (version >= 5) {
    address = cursor.u8();
    cursor.u8();
  }
  const headerLength = cursor.u32();
  const from = base + cursor.at + headerLength;
  const minimum = cursor.u8();
  if (version >= 4) cursor.u8();
  const isStatement = cursor.u8() !== 0;
  const lineBase = cursor.i8();
  const lineRange = cursor.u8();
  const firstSpecial = cursor.u8();
  if (lineRange === 0 || firstSpecial === 0 || from > end)
    throw new DwarfError("the debug info is damaged: a line program makes no sense");
  const operandsAt = cursor.take(firstSpecial - 1);
  const operands = Uint8Array.from(cursor.bytes.subarray(operandsAt, operandsAt + firstSpecial - 1));
  const files: string[] = [];
  if (version >= 5) {
    const directories = readEntries(cursor, file, version, address).map((entry) =>
      String(entry.get(PATH) ?? ""),
    );
    for (const entry of readEntries(cursor, file, version, address)) {
      const directory = directories[Number(entry.get(DIRECTORY) ?? 0)] ?? "";
      const whole = join(join(directories[0] ?? compDir, directory), String(entry.get(PATH) ?? ""));
      files.push(normalised(join(compDir, whole)));
    }
  } else {
    const directories = [compDir];
    for (let name = cursor.text(); name; name = cursor.text()) directories.push(join(compDir, name));
    files.push("");
    for (let name = cursor.text(); name; name = cursor.text()) {
      files.push(normalised(join(directories[cursor.uleb()] ?? "", name)));
      cursor.skipLeb();
      cursor.skipLeb();
    }
  }
  return {
    version,
    address,
    minimum,
    isStatement,
    lineBase,
    lineRange,
    firstSpecial,
    operands,
    from,
    end,
    files,
  };
}

function run(header: Header, bytes: Uint8Array, wanted: ReadonlySet<number>): LineRow[] {
  const rows: LineRow[] = [];
  const cursor = new Cursor(bytes);
  const { minimum, lineBase, lineRange, firstSpecial, operands } = header;
  let address = 0;
  let file = 1;
  let line = 1;
  let column = 0;
  let isStatement = header.isStatement;
  const row = () => {
    if (wanted.has(file)) rows.push({ address, line, column, isStatement });
  };
  const reset = () => {
    address = 0;
    file = 1;
    line = 1;
    column = 0;
    isStatement = header.isStatement;
  };
  while (!cursor.done) {
    const op = cursor.u8();
    if (op >= firstSpecial) {
      const step = op - firstSpecial;
      address += Math.floor(step / lineRange) * minimum;
      line += lineBase + (step % lineRange);
      row();
      continue;
    }
    switch (op) {
      case 0: {
        const size = cursor.uleb();
        const next = cursor.at + size;
        if (size > 0) {
          const kind = cursor.u8();
          if (kind === 1) reset();
          else if (kind === 2) address = cursor.unsigned(size - 1);
        }
        if (next < cursor.at || next > cursor.end)
          throw new DwarfError("the debug info is damaged: a line program makes no sense");
        cursor.at = next;
        break;
      }
      case 1:
        row();
        break;
      case 2:
        address += cursor.uleb() * minimum;
        break;
      case 3:
        line += Number(cursor.sleb());
        break;
      case 4:
        file = cursor.uleb();
        break;
      case 5:
        column = cursor.uleb();
        break;
      case 6:
        isStatement = !isStatement;
        break;
      case 8:
        address += Math.floor((255 - firstSpecial) / lineRange) * minimum;
        break;
      case 9:
        address += cursor.u16();
        break;
      default:
        for (let i = operands[op - 1]; i > 0; i--) cursor.skipLeb();
    }
  }
  return rows;
}

/** The program at an offset of .debug_line, for a unit that was compiled in `compDir`. */
export function readLineProgram(file: DwarfFile, offset: number, compDir: string): LineProgram {
  const section = file.sections.need("line");
  const header = section.parse(offset, (cursor) => readHeader(cursor, offset, file, compDir));
  return {
    files: header.files,
    rows: (wanted) => run(header, section.bytes(header.from, header.end - header.from), wanted),
  };
}
