import { expect, it } from "vitest";
import { isLibrary, parseLdCache } from "./ldCache.ts";

/** A cache file as ldconfig writes it: entries of {flags, name, path}. */
function cache(entries: [flags: number, name: string, path: string][], before = 0): Buffer {
  const strings: Buffer[] = [];
  let offset = 48 + entries.length * 24;
  const place = (text: string) => {
    const at = offset;
    const bytes = Buffer.from(`${text}\0`);
    strings.push(bytes);
    offset += bytes.length;
    return at;
  };
  const head = Buffer.alloc(48 + entries.length * 24);
  head.write("glibc-ld.so.cache1.1", "latin1");
  head.writeUInt32LE(entries.length, 20);
  entries.forEach(([flags, name, path], i) => {
    head.writeUInt32LE(flags, 48 + i * 24);
    head.writeUInt32LE(place(name), 52 + i * 24);
    head.writeUInt32LE(place(path), 56 + i * 24);
  });
  return Buffer.concat([Buffer.alloc(before, "x"), head, ...strings]);
}

it.each([0, 128])("takes the libraries of the architecture, behind %d bytes of the old format", (before) => {
  const bytes = cache(
    [
      [0x0303, "libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6"],
      [0x0803, "libc.so.6", "/lib32/libc.so.6"],
      [0x0a03, "libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6"],
    ],
    before,
  );
  expect(parseLdCache(bytes, "x64")).toEqual([
    { name: "libc.so.6", path: "/lib/x86_64-linux-gnu/libc.so.6" },
  ]);
  expect(parseLdCache(bytes, "arm64")).toEqual([
    { name: "libc.so.6", path: "/lib/aarch64-linux-gnu/libc.so.6" },
  ]);
});

it("has nothing to say about other files", () => {
  expect(parseLdCache(Buffer.from("not a cache"), "x64")).toEqual([]);
});

it("costs no more than the file's size where all entries have one name without an end", () => {
  const many = 100_000;
  const bytes = cache(Array.from({ length: many }, () => [0x0303, "", ""]));
  bytes.fill("x", 48 + many * 24);
  const before = process.cpuUsage();
  const entries = parseLdCache(bytes, "x64");
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(5000);
  expect(entries[0].name).toHaveLength(4096);
  expect(entries.length).toBeLessThan(many / 10);
});

it.each([
  ["libc", "libc.so.6", true],
  ["libc", "libc.so", true],
  ["libc", "libc.musl-x86_64.so.1", true],
  ["libc", "ld-musl-x86_64.so.1", true],
  ["libc.so.6", "libc.so.6", true],
  ["libc", "libcap.so.2", false],
  ["libm", "ld-musl-x86_64.so.1", false],
  ["libssl", "libssl.so.3", true],
])("%s means %s: %s", (name, file, expected) => {
  expect(isLibrary(name, file)).toBe(expected);
});
