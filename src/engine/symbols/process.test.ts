import { expect, it } from "vitest";
import { parseMaps, parsePerfMap } from "./process.ts";

it("keeps the executable mappings, with paths that hold spaces", () => {
  const text = [
    "55d0c0a00000-55d0c0a02000 r--p 00000000 08:01 123                        /usr/bin/a b",
    "55d0c0a02000-55d0c0a05000 r-xp 00002000 08:01 123                        /usr/bin/a b",
    "7f2b00000000-7f2b00021000 rwxp 00000000 00:00 0 ",
    "7ffd1c5f6000-7ffd1c5f8000 r-xp 00000000 00:00 0                          [vdso]",
    "",
  ].join("\n");
  expect(parseMaps(text)).toEqual([
    { start: 0x55d0c0a02000, end: 0x55d0c0a05000, fileOffset: 0x2000, path: "/usr/bin/a b" },
    { start: 0x7f2b00000000, end: 0x7f2b00021000, fileOffset: 0, path: "" },
    { start: 0x7ffd1c5f6000, end: 0x7ffd1c5f8000, fileOffset: 0, path: "[vdso]" },
  ]);
});

it("reads what JITs write, whatever its order", () => {
  const text = "3ef414e0 398 LazyCompile:b /x.js:1\n3ef41400 10 RegExp:(a b)\nnonsense\n3ef41400 20 again\n";
  expect(parsePerfMap(text)).toEqual([
    { start: 0x3ef41400, end: 0x3ef41420, name: "again" },
    { start: 0x3ef414e0, end: 0x3ef414e0 + 0x398, name: "LazyCompile:b /x.js:1" },
  ]);
});
