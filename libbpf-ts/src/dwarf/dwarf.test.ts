import { describe, expect, test } from "vitest";
import { layout, open, signature } from "./fixtures/read.ts";
import { enumerators } from "./types.ts";

const C_FUNCTIONS: readonly [name: string, signature: string][] = [
  ["walk", "long int walk(const struct node *node @0, int depth @1, size most @2)"],
  // A struct of two ints takes one register, one of 32 bytes the stack, a double none of the general ones.
  [
    "mixed",
    "long int mixed(double d @float, int i @0, struct point p @1*1, long int after @2, struct large big @6*4, enum color c @3)",
  ],
  // Where the result goes is a hidden first argument; a struct of a float is in a vector register.
  ["hidden", "struct large hidden(struct node *node @1, boxed box @struct, int n @2)"],
  [
    "many",
    "long int many(int a @0, int b @1, int c @2, int d @3, int e @4, int f @5, long int g @6, char h @7)",
  ],
];

const NODE = [
  "size 112",
  "next@0 struct node *",
  "name@8 char[16]",
  "flag@192:3 unsigned int",
  "level@195:5 int",
  "wide@200:40 size",
  "number@32 int",
  "text@32 char *",
  "part@40 struct <anonymous>",
  "color@44 enum color",
  "callback@48 int (*)(int, const char *)",
  "points@56 struct point[2][3]",
  "ratio@104 volatile const double",
];

for (const name of ["gcc-4", "gcc-5", "gcc-5-types-gz"])
  describe(name, () => {
    const program = open(name);

    test.each(C_FUNCTIONS)("%s", (symbol, expected) => {
      expect(signature(program, symbol)).toBe(expected);
    });

    test("members of a struct, bit-fields and anonymous unions among them", () => {
      expect(layout(program, "node")).toEqual(NODE);
    });

    test("types by name, and those that are not there", () => {
      const { dwarf } = program;
      expect(dwarf.typeNamed("typedef", "boxed")).toBeDefined();
      expect(dwarf.typeNamed("enum", "color")).toBeDefined();
      expect(dwarf.typeNamed("union", "node")).toBeUndefined();
      expect(dwarf.typeNamed("struct", "nod")).toBeUndefined();
    });

    test("enum constants, negative ones too", () => {
      const { dwarf, symbols } = program;
      const near = symbols.find("mixed")!.address;
      expect(dwarf.constantNamed("BELOW", near)?.value).toBe(-3n);
      expect(dwarf.constantNamed("GREEN", near)?.value).toBe(2n);
      expect(dwarf.constantNamed("BLUE", near)).toBeUndefined();
      const color = dwarf.typeNamed("enum", "color")!;
      expect(enumerators(color, true).map((e) => `${e.name} ${e.value}`)).toEqual([
        "RED 1",
        "GREEN 2",
        "BELOW -3",
      ]);
    });

    test("no function where none begins", () => {
      const { dwarf, symbols } = program;
      expect(dwarf.functionAt(symbols.find("walk")!.address + 1, "walk")).toBeUndefined();
      expect(dwarf.functionAt(0x10, "walk")).toBeUndefined();
    });
  });

describe("source lines", () => {
  const program = open("gcc-4");
  const { dwarf, symbols } = program;
  const holder = (address: number) => symbols.at(address)?.name;

  test("the first statement of a line, once for a loop", () => {
    const found = dwarf.sourceLine("shapes.c", 29);
    expect(found).toMatchObject({ kind: "found", path: "/src/shapes.c" });
    expect(found.kind === "found" && found.addresses.map(holder)).toEqual(["walk"]);
  });

  test("a function's own line is where it begins", () => {
    const walk = symbols.find("walk")!.address;
    expect(dwarf.sourceLine("/src/shapes.c", 27)).toEqual({
      kind: "found",
      path: "/src/shapes.c",
      addresses: [walk],
    });
  });

  test("every place where a line was inlined", () => {
    const found = dwarf.sourceLine("src/shapes.c", 23);
    expect(found.kind === "found" && found.addresses.map(holder)).toEqual(["hidden", "many"]);
  });

  test("where an inlined function begins", () => {
    expect(dwarf.inlinedFunction("twice")).toEqual({ path: "/src/shapes.c", line: 23 });
    expect(dwarf.inlinedFunction("walk")).toBeUndefined();
    expect(dwarf.inlinedFunction("twic")).toBeUndefined();
  });

  test("columns tell statements of a line apart", () => {
    const third = dwarf.sourceLine("shapes.c", 29, 47);
    const line = dwarf.sourceLine("shapes.c", 29);
    expect(third.kind === "found" && line.kind === "found" && third.addresses[0] > line.addresses[0]).toBe(
      true,
    );
    expect(dwarf.sourceLine("shapes.c", 29, 70)).toMatchObject({ kind: "no-code", nearest: [29] });
  });

  test("the nearest lines with code where there is none", () => {
    expect(dwarf.sourceLine("shapes.c", 25)).toMatchObject({ kind: "no-code", nearest: [23, 27] });
    expect(dwarf.sourceLine("shapes.c", 900)).toMatchObject({ kind: "no-code", nearest: [58] });
  });

  test("files that are not there, with those of the same name", () => {
    expect(dwarf.sourceLine("other.c", 1)).toEqual({ kind: "no-file", similar: [] });
    expect(dwarf.sourceLine("lib/Shapes.c", 1)).toEqual({ kind: "no-file", similar: ["/src/shapes.c"] });
    expect(dwarf.sourceLine("hapes.c", 29)).toEqual({ kind: "no-file", similar: [] });
  });
});

describe("rust-5: names, addresses and lists by number", () => {
  const program = open("rust-5");

  test("C functions", () => {
    expect(signature(program, "add")).toBe(
      "u64 add(struct Counter *counter @0, u64 amount @1, bool twice @2)",
    );
  });

  test("what follows an aggregate is only known where the debug info gives its register", () => {
    expect(signature(program, "measure")).toMatch(/^u64 measure\(struct &str text @convention, u64 extra @/);
  });

  test("members and lines", () => {
    expect(layout(program, "Counter")).toEqual(["size 16", "id@0 u32", "total@8 u64"]);
    expect(program.dwarf.sourceLine("shapes.rs", 16)).toMatchObject({ kind: "found" });
  });
});

test("types by name where names are numbers", () => {
  const { dwarf } = open("rust-5");
  expect(dwarf.typeNamed("struct", "Counter")).toBeDefined();
  expect(dwarf.typeNamed("typedef", "u64")).toBeDefined();
  expect(dwarf.typeNamed("struct", "Counte")).toBeUndefined();
});
