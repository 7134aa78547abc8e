// Versions of symbols: a library may have several functions of one name, each for programs linked at another time.

import { type ElfFile, nameOffsets, SectionType, stringAt } from "./file.ts";

const GNU_VERSYM = 0x6fffffff;
const GNU_VERDEF = 0x6ffffffd;
const SYMBOL = 24;
const LONGEST_VERSION = 256;

/** Version index → "GLIBC_2.14". */
function definedVersions(elf: ElfFile): Map<number, string> {
  const versions = new Map<number, string>();
  const section = elf.sections.find(({ type }) => type === GNU_VERDEF);
  const strings = section && elf.sections[section.link];
  if (!section || !strings) return versions;
  const bytes = elf.sectionData(section);
  const names = elf.sectionData(strings);
  for (let at = 0; at + 20 <= bytes.length; ) {
    const aux = at + bytes.readUInt32LE(at + 12);
    if (aux + 4 > bytes.length) break;
    versions.set(bytes.readUInt16LE(at + 4), stringAt(names, bytes.readUInt32LE(aux), LONGEST_VERSION));
    const next = bytes.readUInt32LE(at + 16);
    if (next === 0) break;
    at += next;
  }
  return versions;
}

/** Address (as linked) → versions of the defined dynamic symbols of this name. */
export function symbolVersions(elf: ElfFile, name: string): Map<number, string[]> {
  const found = new Map<number, string[]>();
  const dynamic = elf.sections.find(({ type }) => type === SectionType.dynsym);
  const indexes = elf.sections.find(({ type }) => type === GNU_VERSYM);
  const strings = dynamic && elf.sections[dynamic.link];
  if (!dynamic || !indexes || !strings) return found;
  const symbols = elf.sectionData(dynamic);
  const offsets = nameOffsets(elf.sectionData(strings), name);
  const index = elf.sectionData(indexes);
  const versions = definedVersions(elf);
  for (let i = 0; (i + 1) * SYMBOL <= symbols.length && i * 2 + 2 <= index.length; i++) {
    const at = i * SYMBOL;
    if (symbols.readUInt16LE(at + 6) === 0 || !offsets.has(symbols.readUInt32LE(at))) continue;
    const version = versions.get(index.readUInt16LE(i * 2) & 0x7fff);
    if (version === undefined) continue;
    const address = Number(symbols.readBigUInt64LE(at + 8));
    const known = found.get(address);
    if (known) known.push(version);
    else found.set(address, [version]);
  }
  return found;
}
