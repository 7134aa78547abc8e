import { describe, expect, test } from "vitest";
import { int, type StructLayout, type Type } from "../compile/types.ts";
import { ByteWriter } from "./bytes.ts";
import { jsonReader } from "./json.ts";
import { type Piece, testContext, text, u32, view } from "./testing.ts";
import { valueReader, valueWriter } from "./values.ts";

const string = (size: number): Type => ({ kind: "string", size });
const tuple = (...elements: Type[]): Type => ({ kind: "tuple", elements });
const struct = (layout: StructLayout): Type => ({
  kind: "struct",
  name: "s",
  union: false,
  layout: () => layout,
});
const stack = (mode: "bpftrace" | "perf" | "raw"): Type => ({
  kind: "stack",
  space: "kernel",
  mode,
  depth: 127,
});
const color: Type = {
  kind: "int",
  size: 4,
  signed: false,
  enum: { name: "color", names: new Map([[1n, "RED"]]) },
};

const foo = struct({
  size: 12,
  align: 4,
  fields: [
    { name: "m", type: int(4, true), offset: 0 },
    { name: "bits", type: int(4, true), offset: 4, bit: { offset: 3, width: 4 } },
    { name: "name", type: string(4), offset: 8 },
  ],
});

/** type, bytes, text, JSON (when it is not the text as a string) */
const rows: [name: string, type: Type, bytes: Piece[], text: string, json?: string][] = [
  ["u8", int(1, false), [0xff], "255", "255"],
  ["s8", int(1, true), [0xff], "-1", "-1"],
  ["s16", int(2, true), [0xfe, 0xff], "-2", "-2"],
  ["s32", int(4, true), [0, 0, 0, 0x80], "-2147483648", "-2147483648"],
  ["u32", int(4, false), [0, 0, 0, 0x80], "2147483648", "2147483648"],
  ["u64 of 32 bits", int(8, false), [4294967295n], "4294967295", "4294967295"],
  ["u64 of 53 bits", int(8, false), [9007199254740991n], "9007199254740991", "9007199254740991"],
  [
    "u64 beyond a double",
    int(8, false),
    [18446744073709551615n],
    "18446744073709551615",
    '"18446744073709551615"',
  ],
  [
    "u64 that is a double all the same",
    int(8, false),
    [1n << 60n],
    "1152921504606846976",
    "1152921504606846976",
  ],
  ["s64 small", int(8, true), [-5n], "-5", "-5"],
  ["s64 large", int(8, true), [-4503599627370497n], "-4503599627370497", "-4503599627370497"],
  ["s64 least", int(8, true), [-(1n << 63n)], "-9223372036854775808", "-9223372036854775808"],
  ["powers of ten", int(8, false), [1000000000n], "1000000000", "1000000000"],
  ["just above 32 bits", int(8, false), [10000000001n], "10000000001", "10000000001"],
  ["bool", { kind: "bool" }, [1], "true", "true"],
  ["false", { kind: "bool" }, [0], "false", "false"],
  ["enum", color, u32(1), "RED", "1"],
  ["enum without a name", color, u32(9), "9", "9"],
  ["string", string(8), text("abc", 8), "abc"],
  ["empty string", string(4), text("", 4), ""],
  ["cut string", string(4), ["abcd"], "abcd.."],
  ["string with quotes", string(8), text('a"\n\\', 8), 'a"\n\\', '"a\\"\\n\\\\"'],
  ["buffer", { kind: "buffer", size: 8 }, [u32(3), "a\x01b", 0, 0, 0, 0, 0], "a\\x01b", "[97,1,98]"],
  ["pointer", { kind: "pointer", to: { kind: "void" }, space: "kernel" }, [50n], "0x32", "50"],
  ["array", { kind: "array", of: int(2, false), length: 3 }, [1, 0, 2, 0, 3, 0], "[1,2,3]", "[1,2,3]"],
  [
    "array of arrays",
    { kind: "array", of: { kind: "array", of: int(1, false), length: 2 }, length: 2 },
    [5, 6, 7, 8],
    "[[5,6],[7,8]]",
    "[[5,6],[7,8]]",
  ],
  [
    "struct",
    foo,
    [u32(2), u32(0b1111 << 3), text("ab", 4)],
    "{ .m = 2, .bits = -1, .name = ab }",
    '{"m": 2, "bits": -1, "name": "ab"}',
  ],
  ["empty struct", struct({ size: 0, align: 1, fields: [] }), [], "{}", "{}"],
  [
    "tuple",
    tuple(int(1, true), string(4), tuple(int(1, true), int(1, true))),
    [1, text("abc", 4), 5, 6],
    "(1, abc, (5, 6))",
    '[1,"abc",[5,6]]',
  ],
  [
    "tuple with padding",
    tuple(int(1, true), int(8, true)),
    [1, 0, 0, 0, 0, 0, 0, 0, -7n],
    "(1, -7)",
    "[1,-7]",
  ],
  [
    "record",
    { kind: "tuple", elements: [int(1, true), string(4)], names: ["a", "b"] },
    [1, text("x", 4)],
    "{ .a = 1, .b = x }",
    '{"a": 1, "b": "x"}',
  ],
  ["ksym", { kind: "ksym" }, [0xff00n], "vfs_read"],
  ["unknown ksym", { kind: "ksym" }, [0x20n], "0x20"],
  ["usym", { kind: "usym" }, [0x4008n, u32(1), u32(0)], "main"],
  [
    "kstack",
    stack("bpftrace"),
    [7n, u32(0), u32(0)],
    "\n        vfs_read+16\n        0x10\n",
    '"\\n        vfs_read+16\\n        0x10\\n"',
  ],
  [
    "kstack perf",
    stack("perf"),
    [7n, u32(0), u32(0)],
    "\n\tff10 vfs_read+16\n\t10 0x10\n",
    '"\\n\\tff10 vfs_read+16\\n\\t10 0x10\\n"',
  ],
  ["kstack raw", stack("raw"), [7n, u32(0), u32(0)], "\nff10\n10\n", '"\\nff10\\n10\\n"'],
  [
    "ustack with build ids",
    { kind: "stack", space: "user", mode: "build_id", depth: 127 },
    [7n, u32(0), u32(1)],
    "\nab000000000000000000000000000000000000cd 0x1c5\n7f00\n",
    '"\\nab000000000000000000000000000000000000cd 0x1c5\\n7f00\\n"',
  ],
  ["no stack", stack("bpftrace"), [0n, u32(0), u32(0)], "\n", '"\\n"'],
  [
    "lost stack",
    stack("bpftrace"),
    [-7n, u32(0), u32(0)],
    "\n        <stack lost>\n",
    '"\\n        <stack lost>\\n"',
  ],
  ["IPv4", { kind: "inet" }, [u32(2), 127, 0, 0, 1, text("", 12)], "127.0.0.1"],
  ["IPv6 loopback", { kind: "inet" }, [u32(10), text("", 15), 1], "::1"],
  ["IPv6", { kind: "inet" }, [u32(10), 0xfe, 0x80, text("", 12), 0xab, 0xcd], "fe80::abcd"],
  ["IPv6 mapped", { kind: "inet" }, [u32(10), text("", 10), 0xff, 0xff, 10, 0, 0, 1], "::ffff:10.0.0.1"],
  ["IPv6 any", { kind: "inet" }, [u32(10), text("", 16)], "::"],
  [
    "IPv6 one zero group",
    { kind: "inet" },
    [u32(10), 0, 1, 0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7],
    "1:0:2:3:4:5:6:7",
  ],
  ["macaddr", { kind: "macaddr" }, [0, 0x1b, 0xff, 4, 5, 6], "00:1B:FF:04:05:06"],
  ["cgroup path", { kind: "cgroupPath" }, [5n, u32(2), u32(0)], "unified:/slice5"],
  ["cgroup path, any", { kind: "cgroupPath" }, [5n, u32(0), u32(0)], "*:/slice5"],
  ["username", { kind: "username" }, u32(0), "root"],
  ["probe", { kind: "probe" }, u32(1), "tracepoint:syscalls:sys_enter_openat"],
];

describe("values", () => {
  test.each(rows)("%s", (_name, type, bytes, text, json) => {
    const data = view(0xee, ...bytes);
    expect(valueReader(type)(data, 1, testContext)).toBe(text);
    expect(jsonReader(type)(data, 1, testContext)).toBe(json ?? JSON.stringify(text));
  });

  test("timestamp in the local time zone", () => {
    const time = BigInt(new Date(2026, 0, 2, 3, 4, 5).getTime()) * 1_000_000n + 6789n;
    const data = view(time, u32(0), u32(0));
    expect(valueReader({ kind: "timestamp" })(data, 0, testContext)).toBe("2026-01-02 03:04:05.000006");
  });

  test("bytes reach the output unchanged", () => {
    const out = new ByteWriter();
    valueWriter(string(8))(view(0xff, 0x1b, "[m", 0xc3, 0xa4, 0, 0), 0, out, testContext);
    expect([...out.view()]).toEqual([0xff, 0x1b, 0x5b, 0x6d, 0xc3, 0xa4]);
  });
});

describe("data that would drive a terminal", () => {
  const utf8 = (value: string) => [...Buffer.from(value)];
  const shown: [name: string, data: Piece[], text: string][] = [
    ["escape sequence", ["a\x1b[2Jb"], "a\\x1b[2Jb"],
    ["newline", ["a\nb"], "a\\x0ab"],
    ["tab", ["a\tb"], "a\tb"],
    ["8-bit control", [0x9b, "2J"], "\\x9b2J"],
    ["C1 in UTF-8", utf8("\u009b2J"), "\\xc2\\x9b2J"],
    ["letters in UTF-8", utf8("äö€😀"), "äö€😀"],
    ["bidi override", utf8("a\u202eb"), "a\\xe2\\x80\\xaeb"],
    ["cut UTF-8", ["a", 0xe2, 0x82], "a\\xe2\\x82"],
    ["overlong UTF-8", [0xe0, 0x80, 0x9b], "\\xe0\\x80\\x9b"],
    ["delete", [0x7f], "\\x7f"],
  ];
  test.each(shown)("%s", (_name, data, text) => {
    const out = new ByteWriter(8, true);
    const bytes = view(...data);
    out.data(bytes, 0, bytes.byteLength);
    expect(out.toString()).toBe(text);
  });
});
