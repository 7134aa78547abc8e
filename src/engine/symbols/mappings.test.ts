import { expect, it } from "vitest";
import { executableMappings } from "../kernel/processes.ts";
import { JitMap } from "./jitMap.ts";
import { type Mapping, mappingAt, withMapping } from "./mappings.ts";

it("keeps the executable mappings, with paths that hold spaces", () => {
  const text = [
    "55d0c0a00000-55d0c0a02000 r--p 00000000 08:01 123                        /usr/bin/a b",
    "55d0c0a02000-55d0c0a05000 r-xp 00002000 08:01 123                        /usr/bin/a b\\012c",
    "7f2b00000000-7f2b00021000 rwxp 00000000 00:00 0 ",
    "7ffd1c5f6000-7ffd1c5f8000 r-xp 00000000 00:00 0                          [vdso]",
    "",
  ].join("\n");
  const none = { device: "00:00", inode: 0, fileOffset: 0 };
  expect(executableMappings(text)).toEqual([
    {
      start: 0x55d0c0a02000,
      end: 0x55d0c0a05000,
      fileOffset: 0x2000,
      device: "08:01",
      inode: 123,
      path: "/usr/bin/a b\nc",
    },
    { ...none, start: 0x7f2b00000000, end: 0x7f2b00021000, path: "" },
    { ...none, start: 0x7ffd1c5f6000, end: 0x7ffd1c5f8000, path: "[vdso]" },
  ]);
});

it("takes no part of a path for a line of its own", () => {
  for (const end of ["\r", "\u2028"]) {
    const path = `/tmp/a${end}7f0000000000-7f0000001000 r-xp 00000000 08:01 9 /dev/watchdog`;
    const text = `55d0c0a02000-55d0c0a05000 r-xp 00002000 08:01 123                        ${path}\n`;
    expect(executableMappings(text).map((mapping) => mapping.path)).toEqual([path]);
  }
});

it("puts a mapping in the place of what it lies over", () => {
  const at = (start: number, end: number, path: string): Mapping => ({
    start,
    end,
    fileOffset: start,
    path,
    device: "08:01",
    seen: 0,
  });
  const shown = (mappings: Mapping[]) =>
    mappings.map(({ start, end, fileOffset, path }) => `${start}-${end} ${path}@${fileOffset}`);
  const base = [at(10, 40, "a"), at(50, 60, "b")];
  expect(shown(withMapping(base, at(20, 30, "c")))).toEqual([
    "10-20 a@10",
    "20-30 c@20",
    "30-40 a@30",
    "50-60 b@50",
  ]);
  expect(shown(withMapping(base, at(0, 55, "c")))).toEqual(["0-55 c@0", "55-60 b@55"]);
  expect(shown(withMapping(base, at(40, 50, "c")))).toEqual(["10-40 a@10", "40-50 c@40", "50-60 b@50"]);
  expect(shown(withMapping([], at(1, 2, "c")))).toEqual(["1-2 c@1"]);
  expect(mappingAt(base, 39)?.path).toBe("a");
  expect(mappingAt(base, 40)).toBeUndefined();
  expect(mappingAt(base, 59)?.path).toBe("b");
});

it("reads what JITs write, whatever its order", () => {
  const text =
    "3ef414e0 398 LazyCompile:b /x.js:1\n3ef41400 10 RegExp:(a b)\nnonsense\n3ef41400 20 again\n\n0x10 0x8 hex\n99 1";
  const map = new JitMap(Buffer.from(text));
  expect(map.count).toBe(4);
  const rows: [number, string | undefined][] = [
    [0x3ef413ff, undefined],
    [0x3ef4141f, "again+31"],
    [0x3ef41420, undefined],
    [0x3ef414e0, "LazyCompile:b /x.js:1+0"],
    [0x3ef414e0 + 0x398, undefined],
    [0x17, "hex+7"],
    [0x99, undefined],
  ];
  for (const [address, expected] of rows) {
    const found = map.at(address);
    expect(found && `${found.name}+${found.offset}`).toBe(expected);
  }
});

it("is not led astray by what a hostile process writes", () => {
  const long = `10 8 ${"x".repeat(100_000)}\n`;
  expect(new JitMap(Buffer.from(long)).at(0x10)?.name.length).toBe(512);
  for (const text of [
    "",
    "\n\n",
    "10",
    "10 ",
    "10 8",
    "10 8 ",
    "ffffffffffffffffff 8 x",
    "-1 8 x",
    "1e 1z x",
    " 10 8 x",
  ]) {
    const map = new JitMap(Buffer.from(text));
    expect(map.at(0x10)).toBeUndefined();
    expect(map.at(0x1e)).toBeUndefined();
  }
});
