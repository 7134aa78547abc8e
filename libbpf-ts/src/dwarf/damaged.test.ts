// Programs come from anywhere: whatever their bytes are, reading them ends, in an answer or in an error that says so.
import { expect, test } from "vitest";
import { ElfError } from "../elf/file.ts";
import { DwarfError } from "./cursor.ts";
import { bytesOf, layout, openBytes, PROGRAMS, signature } from "./fixtures/read.ts";
import { enumerators } from "./types.ts";

const FUNCTIONS = ["walk", "mixed", "hidden", "many", "add", "measure", "_start"];
/** Milliseconds of the processor that no file of a few kilobytes may take. */
const SLOW = 2000;

/** Every question there is; the number that got an answer. */
function askAll(bytes: Uint8Array): number {
  let answers = 0;
  const ask = (question: () => unknown) => {
    try {
      if (question()) answers++;
    } catch (error) {
      if (!(error instanceof DwarfError) && !(error instanceof ElfError)) throw error;
    }
  };
  ask(() => {
    const program = openBytes(bytes);
    const { dwarf, symbols } = program;
    for (const name of FUNCTIONS) ask(() => signature(program, name));
    for (const name of ["node", "point", "Counter"]) ask(() => layout(program, name).length);
    ask(() => dwarf.typeNamed("typedef", "boxed"));
    ask(() => {
      const color = dwarf.typeNamed("enum", "color");
      return color && dwarf.read(() => enumerators(color, true)).length;
    });
    ask(() => dwarf.constantNamed("GREEN", symbols.find("walk")?.address ?? 0));
    ask(() => dwarf.inlinedFunction("twice"));
    ask(() => dwarf.sourceLine("shapes.c", 23).kind === "found");
    ask(() => dwarf.sourceLine("shapes.rs", 16, 5).kind === "found");
  });
  return answers;
}

/** Numbers below a limit, the same in every run (xorshift32). */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

function timed(bytes: Uint8Array): number {
  const start = process.cpuUsage();
  const answers = askAll(bytes);
  expect(process.cpuUsage(start).user / 1000).toBeLessThan(SLOW);
  return answers;
}

test.each(PROGRAMS)("%s: whole, it answers", (name) => {
  expect(askAll(bytesOf(name))).toBeGreaterThan(4);
});

test.each(PROGRAMS)(
  "%s: cut off anywhere",
  (name) => {
    const whole = bytesOf(name);
    for (let size = 0; size < whole.length; size += 173) {
      // The section headers are at the end: what is cut out of the middle is zero.
      timed(whole.subarray(0, size));
      const hollow = Buffer.from(whole);
      hollow.fill(0, size, Math.min(whole.length, size + 173));
      timed(hollow);
    }
  },
  60_000,
);

test.each(PROGRAMS)(
  "%s: with bits flipped",
  (name) => {
    const whole = bytesOf(name);
    const next = numbers(name.length * 7919);
    let answered = 0;
    for (let round = 0; round < 120; round++) {
      const bytes = Buffer.from(whole);
      const flips = 1 + next(4);
      for (let i = 0; i < flips; i++) bytes[64 + next(bytes.length - 64)] ^= 1 << next(8);
      answered += Number(timed(bytes) > 0);
    }
    expect(answered).toBeGreaterThan(40);
  },
  60_000,
);

test.each(PROGRAMS)(
  "%s: with numbers made as large as can be",
  (name) => {
    const whole = bytesOf(name);
    const next = numbers(name.length * 104729);
    for (let round = 0; round < 60; round++) {
      const bytes = Buffer.from(whole);
      const at = 64 + next(bytes.length - 72);
      bytes.fill(0xff, at, at + 1 + next(8));
      timed(bytes);
    }
  },
  60_000,
);
