/** What a probe on a user function may not do, and what --unsafe makes of it. */
import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { cProgram } from "../../support/programs.ts";
import { runScript } from "../../support/script.ts";
import { counts } from "../work/support.ts";
import { canTraceC, userProgram } from "./support.ts";

const called = (stdout: string) => Object.fromEntries(counts(stdout, "@"));

describe.skipIf(!canTraceC)("limits of user functions", () => {
  const program = userProgram("userfns");
  const stripped = userProgram("userfns-stripped", "-s");
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-limits-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const functionOf = (name: string) => {
    const [binary] = liveKernel().binaries(program.path);
    return { binary, symbol: binary.functions(name)[0] };
  };
  const trace = (script: string, path: string, ...args: string[]) =>
    runScript(script, ["-c", `${path} 3`, ...args]);

  test("every instruction of a function can be probed, none within one", async () => {
    const { binary, symbol } = functionOf("user_alpha");
    const offsets = Array.from({ length: symbol.size - 1 }, (_, i) => i + 1);
    const inside = offsets.filter((offset) => binary.beginsInstruction!(symbol, offset));
    const between = offsets.filter((offset) => !inside.includes(offset));
    expect(inside.length).toBeGreaterThan(2);
    const script = inside
      .map((offset) => `uprobe:${program.path}:user_alpha+${offset} { @[${offset}] = count(); }`)
      .join("\n");
    const { stdout, stderr, status } = await trace(script, program.path);
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(called(stdout)).toEqual(Object.fromEntries(inside.map((offset) => [offset, 3])));
    for (const spec of [`user_alpha+${between[0]}`, `0x${(symbol.address + between[0]).toString(16)}`]) {
      const refused = await trace(`uprobe:${program.path}:${spec} { @ = count(); }`, program.path);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain(`user_alpha+${between[0]} is in the middle of an instruction`);
      expect(refused.stderr).toContain("--unsafe forces it");
    }
  });

  test("no further than the function reaches, and returns from its start only", async () => {
    const { symbol } = functionOf("user_beta");
    const beyond = await trace(
      `uprobe:${program.path}:user_beta+${symbol.size} { @ = count(); }`,
      program.path,
    );
    expect(beyond.stderr).toContain(`user_beta has ${symbol.size} bytes`);
    const inside = await trace(`uretprobe:${program.path}:user_beta+4 { @ = count(); }`, program.path);
    expect(inside.stderr).toContain("uretprobe takes no offset");
    const address = `0x${(symbol.address + 4).toString(16)}`;
    const at = await trace(`uretprobe:${program.path}:${address} { @ = count(); }`, program.path);
    expect(at.stderr).toContain("user_beta+4");
  });

  test("an address where no function is known is an offset in the file, with --unsafe", async () => {
    const { symbol } = functionOf("user_beta");
    const script = `uprobe:${stripped.path}:0x${symbol.offset.toString(16)} { @ = count(); }`;
    const refused = await trace(script, stripped.path);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("no function of");
    const { stdout, stderr } = await trace(script, stripped.path, "--unsafe");
    expect(stderr).toContain("taken as an offset in the file");
    expect(stdout).toBe("@: 6\n");
  });

  test("a stripped program says so", async () => {
    const { stderr } = await trace(`uprobe:${stripped.path}:user_beta { @ = count(); }`, stripped.path);
    expect(stderr).toMatch(/there is no function user_beta|has no symbols/);
  });

  test("libraries' functions that only choose another one are explained", async () => {
    const { stderr } = await trace("uprobe:libc:strlen { @ = count(); }", program.path);
    expect(stderr).toContain("strlen only chooses, when a program starts, which variant is called");
  });

  test("of a wildcard, what the kernel can't probe is left out and said; by name it is refused", {
    skip: process.arch !== "x64",
  }, async () => {
    const script = (spec: string) => `uprobe:${locked.path}:${spec} { @[func] = count(); }`;
    const { stdout, stderr } = await trace(script("lock_*"), locked.path);
    expect(stderr).toContain(`lock_first of ${locked.path} is left out`);
    expect(called(stdout)).toEqual({ lock_none: 3, lock_other: 3 });
    const named = await trace(script("lock_first"), locked.path);
    expect(named.status).toBe(1);
    expect(named.stderr).toContain("begins with an instruction that the kernel can't probe");
  });

  test("what is no program is refused by its path", async () => {
    const path = join(folder, "text");
    writeFileSync(path, "just text\n".repeat(20));
    const { stderr, status } = await runScript(`uprobe:${path}:main { @ = count(); }`);
    expect(status).toBe(1);
    expect(stderr).toContain("not an ELF file");
  });

  test("programs of Go give no returns, unless forced", async () => {
    // What tells a Go program apart is a section; nothing else of it is needed here.
    const go = join(folder, "go");
    copyFileSync(goLike.path, go);
    const script = `uretprobe:${go}:user_alpha { @ = count(); }`;
    const refused = await trace(script, go);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain("is a Go program: a return probe would crash it");
    expect(refused.stderr).toContain("Go moves its stacks");
    const forced = await trace(script, go, "--unsafe");
    expect(forced.stderr).toContain("a return probe may crash it");
    expect(forced.stdout).toBe("@: 3\n");
    const entry = await trace(`uprobe:${go}:user_alpha { @ = count(); }`, go);
    expect(entry.stderr).toBe("");
    expect(entry.stdout).toBe("@: 3\n");
    // Of many binaries those of Go are passed over.
    const many = await trace(
      `uretprobe:{GO,WORK}:user_alpha { @ = count(); }`.replace("{GO,WORK}", `${folder}/g*`),
      go,
    );
    expect(many.stderr).toContain("no function of");
  });

  test.each([
    ["uprobe:/bin/sh:main", "/bin/sh"],
    ["uprobe:*:main", "programs and libraries"],
    ["usdt:libc:*", "libc"],
    ["usdt:*:*", "*"],
  ])("%s of a process that ended meanwhile", async (spec, what) => {
    const child = spawn("true");
    await new Promise((done) => child.on("close", done));
    const { stderr, status } = await runScript(`${spec} { }`, ["-p", String(child.pid)]);
    expect(stderr).toContain(`ERROR: ${what} can't be looked for: process ${child.pid} has ended`);
    expect(status).toBe(1);
  });
});

/** One of its functions begins with a locked instruction, which uprobes do not take on x86-64. */
const locked = cProgram(
  `#include <stdlib.h>
long counter;
__asm__(".text; .globl lock_first; .type lock_first, @function; lock_first: lock incq counter(%rip); ret; .size lock_first, . - lock_first");
void lock_first(void);
__attribute__((noinline, used, noipa)) long lock_none(long value) { return value * 2; }
__attribute__((noinline, used, noipa)) long lock_other(long value) { return value * 3; }
int main(int argc, char **argv) {
  for (int i = 0; i < atoi(argv[1]); i++) lock_none(i), lock_other(i), lock_first();
  return argc < 1;
}
`,
  { name: "locked" },
);

/** Its section makes it look like a program of Go. */
const goLike = cProgram(
  `__asm__(".pushsection .note.go.buildid, \\"a\\", @note; .long 4, 4, 4; .asciz \\"Go\\"; .balign 4; .long 0; .popsection");
#include <stdlib.h>
__attribute__((noinline, used, noipa)) long user_alpha(long value) { return value * 2; }
int main(int argc, char **argv) {
  for (int i = 0; i < atoi(argv[1]); i++) user_alpha(i);
  return argc < 1;
}
`,
  { name: "golike" },
);
