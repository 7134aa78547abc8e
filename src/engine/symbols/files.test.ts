/** Names as people know them, from files made in memory. */
import { ElfFile } from "libbpf-ts";
import { expect, it } from "vitest";
import { library, symbol } from "../../../libbpf-ts/src/elf/testing.ts";
import { symbolsOf } from "./files.ts";

it.each([
  ["clock_gettime@@GLIBC_2.17", { name: "clock_gettime", offset: 4 }],
  ["memcpy@GLIBC_2.2.5", { name: "memcpy", offset: 4 }],
  ["odd@", { name: "odd@", offset: 4 }],
  [
    "_ZNSs4swapERSs@@GLIBCXX_3.4",
    { name: expect.stringMatching(/swap\(/), mangled: "_ZNSs4swapERSs", offset: 4 },
  ],
])("%s", (name, expected) => {
  const bytes = library([
    {
      name: ".symtab",
      type: 2,
      link: 2,
      data: Buffer.concat([symbol(0, 0, 0, 0, 0), symbol(1, 0x12, 1, 0x401000, 8)]),
    },
    { name: ".strtab", type: 3, data: Buffer.from(`\0${name}\0`) },
  ]);
  using symbols = symbolsOf(ElfFile.of(bytes, "memory"), "");
  expect(symbols.at(0x1004)).toEqual(expected);
  expect(symbols.at(0x1008)).toBeUndefined();
});
