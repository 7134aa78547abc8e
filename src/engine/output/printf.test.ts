import { describe, expect, test } from "vitest";
import { int, type Type } from "../compile/types.ts";
import { ByteWriter } from "./bytes.ts";
import { formatWriter } from "./printf.ts";
import { type Piece, testContext, text, u32, view } from "./testing.ts";

const string: Type = { kind: "string", size: 16 };
const buffer: Type = { kind: "buffer", size: 4 };
const s64 = int(8, true);
const u64 = int(8, false);
const s8 = int(1, true);

const abc = text("abc", 16);

/** format, one argument, text; as C prints it where C can */
const rows: [format: string, type: Type, bytes: Piece[], text: string][] = [
  ["%d", s64, [-5n], "-5"],
  ["%d", s64, [0x12345678abcdefn], "2024525295"],
  ["%ld", s64, [0x12345678abcdefn], "5124095577148911"],
  ["%lld", s64, [-(1n << 63n)], "-9223372036854775808"],
  ["%i", s8, [0xfe], "-2"],
  ["%u", s8, [0xff], "4294967295"],
  ["%u", s64, [-1n], "4294967295"],
  ["%lu", s64, [-1n], "18446744073709551615"],
  ["%llu", u64, [1n << 63n], "9223372036854775808"],
  ["%x", u64, [0x12345678abcdefn], "78abcdef"],
  ["%hhx", u64, [0x12345678abcdefn], "ef"],
  ["%hx", u64, [0x12345678abcdefn], "cdef"],
  ["%jx", u64, [0x12345678abcdefn], "12345678abcdef"],
  ["%zd", s64, [-4n], "-4"],
  ["%hhd", u64, [255n], "-1"],
  ["%X", u64, [255n], "FF"],
  ["%#x", u64, [255n], "0xff"],
  ["%#X", u64, [255n], "0XFF"],
  ["%#x", u64, [0n], "0"],
  ["%o", u64, [8n], "10"],
  ["%#o", u64, [8n], "010"],
  ["%5d|", s64, [42n], "   42|"],
  ["%-5d|", s64, [42n], "42   |"],
  ["%05d|", s64, [-42n], "-0042|"],
  ["%-05d|", s64, [42n], "42   |"],
  ["%+d", s64, [42n], "+42"],
  ["% d", s64, [42n], " 42"],
  ["%.4d", s64, [42n], "0042"],
  ["%6.4d|", s64, [-42n], " -0042|"],
  ["%08x", u64, [255n], "000000ff"],
  ["%#06x", u64, [18n], "0x0012"],
  ["%p", u64, [16n], "0x10"],
  ["%p", u64, [0n], "0"],
  ["%c%%", s64, [65n], "A%"],
  ["%c", s8, [10], "\n"],
  ["%s", string, abc, "abc"],
  ["%10s|", string, abc, "       abc|"],
  ["%-10s|", string, abc, "abc       |"],
  ["%.2s|", string, abc, "ab|"],
  ["%5.2s|", string, abc, "   ab|"],
  ["%2s|", string, abc, "abc|"],
  ["%s", s64, [7n], "7"],
  ["%5s|", s8, [7], "    7|"],
  ["%d", { kind: "bool" }, [1], "1"],
  ["%s", { kind: "bool" }, [1], "true"],
  ["%r", buffer, [u32(3), "a\x00\x7f", 0], "a\\x00\\x7f"],
  ["%rx", buffer, [u32(2), "ab", 0, 0], "\\x61\\x62"],
  ["%rh", buffer, [u32(3), 10, 254, 0, 0], "0a fe 00"],
  ["%gr", u64, [0xcc0n], "GFP_KERNEL"],
  ["%gr", u64, [0xdc0n], "GFP_KERNEL|__GFP_ZERO"],
  ["%gr", u64, [1n], "GFP_DMA"],
  ["%gr", u64, [0n], "0"],
  ["100%% %d\tä\n", s64, [1n], "100% 1\tä\n"],
  ["%y %d", s64, [1n], "%y 1"],
];

describe("printf", () => {
  test.each(rows)("%j", (format, type, bytes, expected) => {
    const out = new ByteWriter();
    formatWriter(format, [{ type, offset: 8 }])(view(0n, ...bytes), 0, out, testContext);
    expect(out.toString()).toBe(expected);
  });

  test("arguments lie at their offsets from the record's start", () => {
    const out = new ByteWriter();
    const write = formatWriter("%d %s %d\n", [
      { type: int(4, true), offset: 8 },
      { type: string, offset: 12 },
      { type: s64, offset: 32 },
    ]);
    const record = view(0xff, 0n, u32(-7), abc, u32(0), 9n);
    write(record, 1, out, testContext);
    expect(out.toString()).toBe("-7 abc 9\n");
  });

  test("the script's own escapes pass to a terminal, those in data do not", () => {
    const out = new ByteWriter(16, true);
    formatWriter("\x1b[31m%s\x1b[0m\n", [{ type: string, offset: 0 }])(
      view(text("\x1b[2J", 16)),
      0,
      out,
      testContext,
    );
    expect(out.toString()).toBe("\x1b[31m\\x1b[2J\x1b[0m\n");
  });

  test("a line costs well under a microsecond", () => {
    const out = new ByteWriter(64 * 1024);
    const write = formatWriter("%d %s\n", [
      { type: int(4, false), offset: 8 },
      { type: string, offset: 12 },
    ]);
    const record = view(0n, u32(123456), text("some-process", 16));
    const lines = 200_000;
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 5; round++) {
      const start = process.cpuUsage();
      for (let i = 0; i < lines; i++) {
        if (out.length > 60_000) out.clear();
        write(record, 0, out, testContext);
      }
      best = Math.min(best, process.cpuUsage(start).user / 1000);
    }
    expect((best * 1e6) / lines).toBeLessThan(1000);
  });
});
