/** ELF files made in memory, for tests. */

export function words(...values: (bigint | number)[]): Buffer {
  return Buffer.from(BigUint64Array.from(values, BigInt).buffer);
}

export function symbol(name: number, info: number, section: number, value: number, size: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(name, 0);
  head[4] = info;
  head.writeUInt16LE(section, 6);
  return Buffer.concat([head, words(value, size)]);
}

/** A library whose code is loaded at 0x401000 from file offset 0x1000, its data at 0x603000 from 0x2000. */
export function library(
  sections: { name: string; type: number; addr?: number; link?: number; data: Buffer }[],
): Buffer {
  const all = [
    { name: "", type: 0, data: Buffer.alloc(0) },
    ...sections,
    { name: ".shstrtab", type: 3, data: Buffer.alloc(0) },
  ];
  const names = Buffer.from(`\0${all.map(({ name }) => name).join("\0")}\0`);
  all[all.length - 1].data = names;
  const segments = [
    [1, 5, 0x1000, 0x401000, 0x800],
    [1, 6, 0x2000, 0x603000, 0x100],
  ];
  const header = Buffer.alloc(64);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  header.writeUInt16LE(3, 16);
  header.writeUInt16LE(62, 18);
  header.writeBigUInt64LE(64n, 32);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(segments.length, 56);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(all.length, 60);
  header.writeUInt16LE(all.length - 1, 62);
  const program = segments.map(([type, flags, offset, vaddr, size]) =>
    Buffer.concat([
      Buffer.from(Uint32Array.of(type, flags).buffer),
      words(offset, vaddr, vaddr, size, size, 4096),
    ]),
  );
  let at = 64 + 56 * segments.length;
  const headers = all.map(({ name, type, addr = 0, link = 0, data }) => {
    const nameOffset = names.indexOf(`\0${name}\0`) + 1;
    const entry = Buffer.concat([
      Buffer.from(Uint32Array.of(nameOffset, type).buffer),
      words(2, addr, at, data.length),
      Buffer.from(Uint32Array.of(link, 0).buffer),
      words(1, 24),
    ]);
    at += data.length;
    return entry;
  });
  header.writeBigUInt64LE(BigInt(at), 40);
  const whole = Buffer.concat([header, ...program, ...all.map(({ data }) => data), ...headers]);
  return Buffer.concat([whole], Math.max(0x3000, whole.length));
}
