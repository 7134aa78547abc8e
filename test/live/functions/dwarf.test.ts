/** Programs with debug info: arguments by name, types, source lines and separate debug files, checked on known calls. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { writeArguments } from "../../../src/engine/list/index.ts";
import { ByteWriter } from "../../../src/engine/output/bytes.ts";
import { commandPath, isRoot, tracedeck } from "../../support/cli.ts";
import { canBuildWith, canCompile, cProgram, type Program } from "../../support/programs.ts";
import { runScript } from "../../support/script.ts";

const source = (name: string) => join(import.meta.dirname, name);
const c = (...flags: string[]) => cProgram(source("dwarf.c"), { flags });
const cpp = (...flags: string[]) => cProgram(source("dwarf.cpp"), { compiler: "g++", flags });

function argumentLines(probe: string): string[] {
  const text = new ByteWriter();
  writeArguments(text, liveKernel(), probe.split(":"));
  const lines = text.toString().split("\n");
  return lines.slice(0, -1).map((line) => line.trim());
}

const BUILDS: readonly [name: string, program: Program][] = [
  ["DWARF 4, -O0", c("-g", "-gdwarf-4", "-O0")],
  ["DWARF 5, -O0", c("-g", "-gdwarf-5", "-O0")],
  ["DWARF 4, -O2", c("-g", "-gdwarf-4", "-O2")],
  ["DWARF 5, -O2", c("-g", "-gdwarf-5", "-O2")],
  ["compressed", c("-g", "-gz", "-O1")],
  ["types in units of their own", c("-g", "-fdebug-types-section", "-O1")],
  ["linked at link time (LTO)", c("-g", "-flto", "-O1")],
];
const plain = BUILDS[1][1];
const optimised = BUILDS[3][1];
const bare = c("-O1");
const split = c("-g", "-O1", "-gsplit-dwarf");
const CPP_BUILDS: readonly [name: string, program: Program][] = [
  ["-O0", cpp("-g", "-O0")],
  ["-O2", cpp("-g", "-O2")],
];

async function run({ path }: Program, script: string, times = 1): Promise<string[]> {
  const { stdout, stderr } = await runScript(script.replaceAll("WORK", path), ["-c", `${path} ${times}`]);
  expect(stderr).toBe("");
  return stdout.split("\n").filter(Boolean);
}

const canTrace = isRoot && canCompile;

describe.skipIf(!canTrace).each(BUILDS)("%s", (_, program) => {
  test("arguments by name, through pointers, with their widths and signs", async () => {
    const script = `uprobe:WORK:walk {
      printf("%s %d %s %d|", args.node->name, args.depth, str(args.label), args.deep);
      printf("%d %d %s %d\\n", args.node->number, args.node->next->number, args.node->next->name, args.node->part.inner);
    }`;
    expect(await run(program, script, 2)).toEqual([
      "first 0 label 0|10 20 second -7",
      "first 1 label 1|10 20 second -7",
    ]);
  });

  test("bit-fields, enums, arrays of structs", async () => {
    const script = `uprobe:WORK:walk {
      $n = args.node->next;
      printf("%d %d %llx %d\\n", $n->flag, $n->level, $n->wide, $n->on);
      print(args.node->color);
      print($n->points);
      @[$n->color] = count();
      if ($n->color == GREEN) { printf("%d\\n", $n->points[2].y); }
    }`;
    expect(await run(program, script)).toEqual([
      "5 -3 8000000001 1",
      "BELOW",
      "[{ .x = 1, .y = 2 },{ .x = 3, .y = 4 },{ .x = 5, .y = 6 }]",
      "6",
      "@[GREEN]: 1",
    ]);
  });

  test("more arguments than registers, of every width", async () => {
    const script = "uprobe:WORK:many { print(args); @h = sum(args.h); }";
    expect(await run(program, script, 3)).toEqual([
      ...[0, 1, 2].map(
        (i) =>
          `{ .a = -1, .b = 200, .c = -3, .d = 60000, .e = -5, .f = 4000000000, .g = 1099511627776, .h = ${-100 - i}, .i = GREEN }`,
      ),
      "@h: -303",
    ]);
  });

  test("arguments between those that BPF can't read", async () => {
    const script = 'uprobe:WORK:mixed { printf("%d %d %d\\n", args.i, args.after, args.c); }';
    expect(await run(program, script, 3)).toEqual(["0 77 2", "1 77 2", "2 77 2"]);
  });

  test("structs by value: in a register, and on the stack", async () => {
    const script =
      'uprobe:WORK:mixed { printf("%d %d %d %d\\n", args.p.x, args.p.y, args.big.words[0], args.big.words[3]); }';
    expect(await run(program, script, 3)).toEqual(["3 4 1 0", "3 4 1 0", "3 4 1 0"]);
  });

  test("arguments behind a hidden one for the result", async () => {
    const script = 'uprobe:WORK:hidden { printf("%d %s\\n", args.n, args.node->name); }';
    expect(await run(program, script, 2)).toEqual(["0 first", "1 first"]);
  });

  test("casts to the program's types, also of what was kept and of results", async () => {
    const script = `uprobe:WORK:walk { @kept[tid] = arg0; printf("%d ", ((struct node *)arg0)->next->number); }
      uretprobe:WORK:walk { printf("%d\\n", ((node_t *)@kept[tid])->number); delete(@kept, tid); }`;
    expect(await run(program, script, 2)).toEqual(["20 10", "20 10"]);
  });

  test("a source line fires as often as it runs", async () => {
    // Line 56 begins helper(), which runs once in every round.
    const script = "uprobe:WORK@live/functions/dwarf.c:56 { @ = count(); }";
    expect(await run(program, script, 5)).toEqual(["@: 5"]);
  });

  test("an inlined line fires wherever it was inlined", async () => {
    const script = "uprobe:WORK@dwarf.c:28 { @[func] = count(); }";
    expect((await run(program, script, 4)).sort()).toEqual(["@[helper]: 4", "@[hidden]: 4"]);
  });

  test("list -v shows the declarations", () => {
    expect(argumentLines(`uprobe:${program.path}:walk`)).toEqual([
      "const node_t * node",
      "int depth",
      "const char * label",
      "_Bool deep",
    ]);
  });
});

describe.skipIf(!canTrace)("lines of a loop", () => {
  test("its own line once for each start, its body for each turn", async () => {
    const script = "uprobe:WORK@dwarf.c:35 { @loop = count(); } uprobe:WORK@dwarf.c:36 { @body = count(); }";
    expect((await run(plain, script, 3)).sort()).toEqual(["@body: 6", "@loop: 3"]);
  });

  test("args where the line is a function's beginning", async () => {
    const script = "uprobe:WORK@dwarf.c:56 { @ = sum(args.n); }";
    expect(await run(plain, script, 4)).toEqual(["@: 6"]);
  });
});

describe.skipIf(!canTrace)("functions that were inlined", () => {
  test("are named with the line that attaches to them", async () => {
    const { stderr } = await runScript(`uprobe:${plain.path}:twice { }`);
    const hint = /uprobe:\S+dwarf\.c:\d+/.exec(stderr)?.[0];
    expect(hint).toMatch(/dwarf\.c:28$/);
    expect((await run(plain, `${hint} { @ = count(); }`, 3)).sort()).toEqual(["@: 6"]);
  });

  test("in the program of -c, without its name", async () => {
    expect((await run(plain, "uprobe:@dwarf.c:28 { @[func] = count(); }", 3)).sort()).toEqual([
      "@[helper]: 3",
      "@[hidden]: 3",
    ]);
  });
});

describe.skipIf(!canTrace)("copies that the compiler made", () => {
  test("what it took out can't be read, the rest can", async () => {
    const { stderr } = await runScript(`uprobe:${optimised.path}:cloned.constprop.0 { print(args.always); }`);
    expect(stderr).toContain("args.always was taken out of this copy");
    const script = "uprobe:WORK:cloned.constprop.0 { @ = sum(args.n); }";
    expect(await run(optimised, script, 5)).toEqual(["@: 10"]);
  });
});

describe.skipIf(!(isRoot && canBuildWith("g++"))).each(CPP_BUILDS)("C++, %s", (_, program) => {
  test("this, base classes, references, templates, classes passed by address", async () => {
    const script = `uprobe:WORK:_ZN4shop4Item4sellEiPKc { print((args.this->id, args.this->count, args.n, str(args.who))); }
      uprobe:WORK:_ZN4shop4Item5total* { print((args.item->count, args.extra, ((struct Base *)arg0)->id)); }
      uprobe:WORK:_Z5scale* { @scale[func] = sum(args.value * args.by); }
      uprobe:WORK:_Z5label*Mode { print(args.mode); }
      uprobe:WORK:_Z7byvalue* { print(args.n); }
      uprobe:WORK:_Z5boxed* { print((args.n, args.m)); }`;
    const lines = await run(program, script);
    expect(lines.filter((line) => !line.startsWith("@"))).toEqual([
      "(7, 70, 3, me)",
      "(67, 5, 7)",
      "Fast",
      "11",
      "(5, 6)",
    ]);
    expect(lines.filter((line) => line.startsWith("@")).sort()).toEqual([
      "@scale[int scale<int>(int, int)]: 6",
      "@scale[long scale<long>(long, int)]: 8",
    ]);
  });

  test("list -v by the names that were written", () => {
    const probe = `uprobe:${program.path}:cpp:"shop::Item::sell(int, char const*)"`;
    expect(argumentLines(probe)).toEqual(["class Item * this", "int n", "const char * who"]);
  });

  test("a template's line is in each of its functions", async () => {
    const lines = await run(program, "uprobe:WORK@dwarf.cpp:26 { @[func] = count(); }");
    expect(lines.sort()).toEqual(["@[int scale<int>(int, int)]: 1", "@[long scale<long>(long, int)]: 1"]);
  });
});

describe.skipIf(!canTrace)("no debug info", () => {
  test("args says what to do, and where it looked", async () => {
    const { stderr } = await runScript(`uprobe:${bare.path}:walk { print(args.depth); }`);
    expect(stderr).toContain(`args is not known: ${bare.path} has no debug info`);
    expect(stderr).toMatch(/build it with -g.*\/usr\/lib\/debug\/\.build-id\/..\/[0-9a-f]+\.debug/);
    expect(stderr).toContain("arg0, arg1, … work without");
    const listed = await tracedeck(["list", "-v", `uprobe:${split.path}:walk`]);
    expect(listed.stdout).toBe(`uprobe:${split.path}:walk\n`);
    expect(listed.stderr).toMatch(/^WARNING: not all arguments are known: .*build without -gsplit-dwarf\n$/);
  });

  test("so do source lines, and lines without code name their neighbours", async () => {
    const none = await runScript(`uprobe:${bare.path}@dwarf.c:35 { }`);
    expect(none.stderr).toContain("has no debug info, so its source lines are not known");
    const empty = await runScript(`uprobe:${plain.path}@dwarf.c:26 { }`);
    expect(empty.stderr).toContain("the nearest lines with code are dwarf.c:28");
  });
});

const objcopy = commandPath("objcopy");

describe.skipIf(!(canTrace && objcopy))("separate debug files", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tracedeck-debug-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** The program without debug info and local symbols, linked to a file that holds them. */
  function split(name: string): { stripped: string; debug: string } {
    const stripped = join(folder, name, "traced");
    const debug = join(folder, name, "traced.debug");
    mkdirSync(join(folder, name));
    execFileSync("objcopy", ["--only-keep-debug", plain.path, debug]);
    execFileSync("objcopy", ["--strip-all", `--add-gnu-debuglink=${debug}`, plain.path, stripped]);
    return { stripped, debug };
  }

  const script = (path: string) =>
    `uprobe:${path}:walk { @ = sum(args.depth); } uprobe:${path}@dwarf.c:36 { @body = count(); }`;

  test("beside the program", async () => {
    const { stripped } = split("beside");
    const { stdout, stderr } = await runScript(script(stripped), ["-c", `${stripped} 4`]);
    expect(stderr).toBe("");
    expect(stdout.trim().split("\n").filter(Boolean).sort()).toEqual(["@: 6", "@body: 8"]);
  });

  test("in a directory of --debuginfo, by its build id", async () => {
    const { stripped, debug } = split("given");
    const elsewhere = join(folder, "elsewhere");
    mkdirSync(elsewhere);
    execFileSync("mv", [debug, elsewhere]);
    const without = await runScript(script(stripped));
    expect(without.status).toBe(1);
    const { stdout } = await runScript(script(stripped), [
      "--debuginfo",
      `/nowhere:+${elsewhere}`,
      "-c",
      `${stripped} 4`,
    ]);
    expect(stdout.trim().split("\n").filter(Boolean).sort()).toEqual(["@: 6", "@body: 8"]);
  });

  test("of another build is not taken", async () => {
    const { stripped, debug } = split("other");
    execFileSync("objcopy", ["--only-keep-debug", optimised.path, debug]);
    const { status, stderr } = await runScript(script(stripped));
    expect(status).toBe(1);
    expect(stderr).toContain("walk");
  });
});
