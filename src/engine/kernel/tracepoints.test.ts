import { parseTracepointFormat } from "libbpf-ts";
import { expect, it } from "vitest";
import type { Field } from "../compile/types.ts";
import { fieldOf, type TypeLookup } from "./tracepoints.ts";

const lookup: TypeLookup = {
  named: (name) => (name === "special_t" ? { kind: "int", size: 2, signed: true } : undefined),
  struct: () => ({ size: 16, align: 8, fields: [] }),
  enumNamed: (name) => ({ name, names: new Map([[1n, "ONE"]]) }),
};

function field(line: string, syscall: boolean): Field {
  const [parsed] = parseTracepointFormat("c", `name: x\nID: 1\nformat:\n\tfield:${line}\n`).fields;
  return fieldOf(parsed, syscall, lookup);
}

const int = (size: number, signed: boolean) => ({ kind: "int", size, signed });

it.each<[string, boolean, object]>([
  ["pid_t pid;\toffset:16;\tsize:8;\tsigned:0;", true, { type: int(4, true), offset: 16 }],
  ["size_t count;\toffset:32;\tsize:8;\tsigned:0;", true, { type: int(8, false) }],
  ["umode_t mode;\toffset:40;\tsize:8;\tsigned:0;", true, { type: int(2, false) }],
  ["special_t x;\toffset:40;\tsize:8;\tsigned:0;", true, { type: int(2, true) }],
  ["unknown_t x;\toffset:40;\tsize:8;\tsigned:0;", true, { type: int(8, false) }],
  ["special_t x;\toffset:40;\tsize:4;\tsigned:1;", false, { type: int(4, true) }],
  ["dev_t dev;\toffset:8;\tsize:4;\tsigned:0;", false, { type: int(4, false) }],
  [
    "const char * filename;\toffset:24;\tsize:8;\tsigned:0;",
    true,
    { type: { kind: "pointer", to: int(1, true), space: "user" } },
  ],
  [
    "const void * call_site;\toffset:8;\tsize:8;\tsigned:0;",
    false,
    { type: { kind: "pointer", to: { kind: "void" }, space: "kernel" } },
  ],
  [
    "char comm[16];\toffset:8;\tsize:16;\tsigned:0;",
    false,
    { type: { kind: "array", of: int(1, true), length: 16 } },
  ],
  [
    "__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;",
    false,
    { type: { kind: "array", of: int(1, true), length: 0 }, dataLoc: true },
  ],
  [
    "__u8 saddr_v6[16];\toffset:8;\tsize:16;\tsigned:0;",
    false,
    { type: { kind: "array", of: int(1, false), length: 16 } },
  ],
])("%s (syscall: %s)", (line, syscall, expected) => {
  expect(field(line, syscall)).toMatchObject(expected);
});

it("looks an enum's constants up when they are wanted", () => {
  const { type } = field("enum colour c;\toffset:8;\tsize:4;\tsigned:0;", false);
  expect(type.kind === "int" && type.enum?.names.get(1n)).toBe("ONE");
});
