import { describe, expect, it } from "vitest";
import { fullValue, shortValue, unitOf } from "./unit.ts";

describe("the unit in a map's name", () => {
  it.each([
    ["@us", "us"],
    ["@read_us", "us"],
    ["@usecs", "us"],
    ["@wait_ns_by_cpu", "ns"],
    ["@bytes", "bytes"],
    ["@io_bytes", "bytes"],
    ["@size", "bytes"],
    ["@ms", "ms"],
    ["@", "none"],
    ["@bus", "none"],
    ["@per_second", "none"],
    ["@calls", "none"],
  ])("%s → %s", (name, unit) => expect(unitOf(name)).toBe(unit));
});

describe("values", () => {
  it.each([
    [1500, "us", "1.5ms"],
    [0, "us", "0"],
    [2048, "bytes", "2.0KiB"],
    [1234567, "none", "1.2M"],
    [Number.POSITIVE_INFINITY, "us", "∞"],
  ] as const)("%d %s → %s", (value, unit, text) => expect(shortValue(value, unit)).toBe(text));

  it("keeps all digits of counts", () => expect(fullValue(1234567, "none")).toBe("1,234,567"));
  it("is plain without Unicode", () => expect(shortValue(15, "us", false)).toBe("15us"));
});
