// .eh_frame: how a function's caller is found from any of its instructions. It is loaded with every program, stripped ones
// too, as exceptions need it; the unwind table of a file (`table.ts`) is made from it.
//
//   CIE  u32 length, u32 0, u8 version, augmentation\0, uleb code alignment, sleb data alignment, return address register,
//        [uleb length, augmentation data], instructions that hold for all its FDEs
//   FDE  u32 length, u32 distance back to its CIE, first address, number of bytes, [uleb length, data], instructions
//   A length of 0 ends the section; 0xffffffff has a u64 length behind it.

import { Cursor, DwarfError } from "../dwarf/cursor.ts";
import { type ElfFile, SectionType, SegmentType } from "../elf/file.ts";

/** Common information entry. */
export interface Cie {
  codeAlignment: number;
  dataAlignment: number;
  returnRegister: number;
  /** How its FDEs write addresses. */
  encoding: number;
  /** Its FDEs have augmentation data. */
  augmented: boolean;
  /** Of code that a signal returns to: its caller was interrupted, and made no call. */
  signal: boolean;
  /** Of its instructions. */
  from: number;
  end: number;
}

export interface EhFrame {
  bytes: Buffer;
  /** Where the first byte is loaded. */
  address: number;
}

/** DW_EH_PE_…: the low four bits are a format, the others what the number counts from. */
const Pe = { absolute: 0, data2: 2, data4: 3, data8: 4, sdata2: 10, sdata4: 11, sdata8: 12 } as const;
const PC_RELATIVE = 0x10;
const INDIRECT = 0x80;
const OMIT = 0xff;

/** More than the biggest programs have. */
const LARGEST_SECTION = 64 << 20;
const LARGEST_CIE = 1 << 12;

const GNU_EH_FRAME = 0x6474e550;
const X86_64_UNWIND = 0x70000001;
const PROGBITS = 1;

function bounded(size: number): number {
  if (size > LARGEST_SECTION) throw new DwarfError(`.eh_frame has ${size} bytes; that many are not read`);
  return size;
}

/** The section, or what the loader is told where there are no section headers; undefined: the file has none. */
export function ehFrameOf(elf: ElfFile): EhFrame | undefined {
  const section = elf.section(".eh_frame");
  if (section && (section.type === PROGBITS || section.type === X86_64_UNWIND) && bounded(section.size) > 0)
    return { bytes: elf.sectionData(section), address: section.addr };
  if (section?.type === SectionType.nobits) return undefined;
  const header = elf.segments.find(({ type }) => type === GNU_EH_FRAME);
  if (!header || header.fileSize < 8) return undefined;
  const bytes = elf.read(header.offset, Math.min(header.fileSize, 16));
  // Version 1, then three encodings; the address of .eh_frame comes first.
  if (bytes[0] !== 1) return undefined;
  const at = new Cursor(bytes, 4);
  const address = readAddress(at, bytes[1], header.vaddr);
  const segment = elf.segments.find(
    ({ type, vaddr, fileSize }) =>
      type === SegmentType.load && address >= vaddr && address < vaddr + fileSize,
  );
  if (!segment) return undefined;
  const from = address - segment.vaddr;
  return { bytes: elf.read(segment.offset + from, bounded(segment.fileSize - from)), address };
}

/** `base`: address of the cursor's first byte. */
function readAddress(at: Cursor, encoding: number, base: number): number {
  const place = base + at.at;
  const value = readNumber(at, encoding);
  const address = (encoding & 0x70) === PC_RELATIVE ? place + value : value;
  if (encoding & INDIRECT || !Number.isSafeInteger(address))
    throw new DwarfError("an address of .eh_frame is written in a way that is not read here");
  return address;
}

/** In two's complement, a number of eight bytes. */
function signed64(at: Cursor): number {
  const low = at.u32();
  const high = at.u32();
  return (high | 0) * 2 ** 32 + low;
}

function readNumber(at: Cursor, encoding: number): number {
  switch (encoding & 0xf) {
    case Pe.absolute:
    case Pe.data8:
    case Pe.sdata8:
      return signed64(at);
    case Pe.data2:
      return at.u16();
    case Pe.data4:
      return at.u32();
    case Pe.sdata2:
      return (at.u16() << 16) >> 16;
    case Pe.sdata4:
      return at.u32() | 0;
    default:
      throw new DwarfError(`.eh_frame has an address of encoding ${encoding}`);
  }
}

function readCie(bytes: Buffer, at: Cursor): Cie {
  const version = at.u8();
  if (version !== 1 && version !== 3) throw new DwarfError(`.eh_frame has version ${version}`);
  const augmentation = at.text();
  if (augmentation !== "" && !augmentation.startsWith("z"))
    throw new DwarfError(`.eh_frame has the augmentation ${JSON.stringify(augmentation)}`);
  const codeAlignment = at.uleb();
  const dataAlignment = Number(at.sleb());
  const returnRegister = version === 1 ? at.u8() : at.uleb();
  let encoding: number = Pe.absolute;
  let from = at.at;
  if (augmentation !== "") {
    const size = at.uleb();
    from = at.at + size;
    encoding = fdeEncoding(augmentation, new Cursor(bytes, at.at, Math.min(from, at.end)));
  }
  return {
    codeAlignment,
    dataAlignment,
    returnRegister,
    encoding,
    augmented: augmentation !== "",
    signal: augmentation.includes("S"),
    from: Math.min(from, at.end),
    end: at.end,
  };
}

/** The augmentation data lies in the order of the letters. */
function fdeEncoding(augmentation: string, data: Cursor): number {
  let encoding: number = Pe.absolute;
  for (const letter of augmentation.slice(1)) {
    if (letter === "R") encoding = data.u8();
    else if (letter === "L") data.u8();
    else if (letter === "P") {
      const personality = data.u8();
      if (personality !== OMIT) readNumber(data, personality);
    } else if (letter !== "S" && letter !== "B") break;
  }
  return encoding;
}

/** Frame description entry: of the code from `start` up to `end`. */
export type VisitFde = (start: number, end: number, cie: Cie, instructions: number, to: number) => void;

/** Visits every FDE in the order of the section. Throws DwarfError where it is damaged. */
export function visitFdes({ bytes, address }: EhFrame, visit: VisitFde): void {
  const cies = new Map<number, Cie>();
  // CIEs lie apart. Where they would take more than the section they overlap, so that reading them has no end.
  let room = bytes.length;
  for (let at = 0; at + 4 <= bytes.length; ) {
    const head = new Cursor(bytes, at);
    let length = head.u32();
    if (length === 0) return;
    if (length === 0xffffffff) length = head.u64();
    const from = head.at;
    const end = from + length;
    if (!(length >= 4) || end > bytes.length) throw new DwarfError(`.eh_frame is damaged at byte ${at}`);
    at = end;
    const back = head.u32();
    if (back === 0) continue;
    const cieAt = from - back;
    let cie = cies.get(cieAt);
    if (!cie) {
      cie = cieAtByte(bytes, cieAt);
      cies.set(cieAt, cie);
      room -= cie.end - cieAt;
      if (room < 0) throw new DwarfError(".eh_frame is damaged: its CIEs overlap");
    }
    const fde = new Cursor(bytes, from + 4, end);
    const start = readAddress(fde, cie.encoding, address);
    const size = readNumber(fde, cie.encoding & 0xf);
    if (cie.augmented) fde.take(fde.uleb());
    if (size > 0) visit(start, start + size, cie, fde.at, end);
  }
}

/** Any byte may be named as a CIE's: it sees no more of the section than one of its own. */
function cieAtByte(bytes: Buffer, at: number): Cie {
  const head = new Cursor(bytes, at);
  let length = head.u32();
  if (length === 0xffffffff) length = head.u64();
  const from = head.at;
  if (length > LARGEST_CIE || from + length > bytes.length)
    throw new DwarfError(`.eh_frame is damaged: there is no CIE at byte ${at}`);
  const own = bytes.subarray(from, from + length);
  const cie = new Cursor(own);
  if (cie.u32() !== 0) throw new DwarfError(`.eh_frame is damaged: there is no CIE at byte ${at}`);
  const read = readCie(own, cie);
  return { ...read, from: from + read.from, end: from + length };
}
