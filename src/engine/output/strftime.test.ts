import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { strftime } from "./strftime.ts";

const seconds = (time: Date): bigint => BigInt(Math.floor(time.getTime() / 1000));

/** Days on which week numbers, leap days and years end. */
const times = [
  new Date(2026, 0, 1, 0, 0, 0),
  new Date(2024, 1, 29, 23, 59, 59),
  new Date(2021, 0, 3, 12, 30, 5),
  new Date(2020, 11, 31, 1, 2, 3),
  new Date(2012, 6, 8, 13, 0, 0),
];

const CONVERSIONS = "a A b B c C d D e F g G h H I j m M n p P r R s S t T u U V w W x X y Y z %".split(" ");

describe("strftime", () => {
  test.each(times)("as date(1) has it: %s", (time) => {
    const format = CONVERSIONS.map((letter) => `%${letter}`).join("|");
    const expected = execFileSync("date", ["-d", `@${seconds(time)}`, `+${format}`], {
      encoding: "utf8",
      env: { ...process.env, LC_ALL: "C" },
    });
    expect(`${strftime(format, seconds(time) * 1_000_000_000n)}\n`).toBe(expected);
  });

  test("parts of a second", () => {
    expect(strftime("%S.%f %k %l", 5_123_456_789n)).toBe("05.123456 123456789 123");
  });

  test("what it does not know stays", () => {
    expect(strftime("%Q %", 0n)).toBe("%Q %");
  });
});
