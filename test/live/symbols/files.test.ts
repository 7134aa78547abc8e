/** Names from wherever a binary's symbols are. */
import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { ElfFile, ElfSymbols } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { runScript } from "../../support/script.ts";
import {
  atCalls,
  canStrip,
  canTraceC,
  linked,
  linkedByChecksum,
  looked,
  packed,
  separate,
  stacksOf,
  stripped,
  whole,
} from "./support.ts";

const KNOWN = new Map([["leaf middle outer main", 3]]);

describe.skipIf(!canTraceC)("user stacks", () => {
  test("by the binary's own symbols", async () => {
    const { stdout, stderr } = await runScript(atCalls("@[ustack(4)] = count();"), [
      "-c",
      `${whole.path} calls 3`,
    ]);
    expect(stderr).toBe("");
    expect(stacksOf(stdout)).toEqual(KNOWN);
  });

  test("a build id and an offset in the file", async () => {
    const { stdout } = await runScript(atCalls("@[ustack(build_id, 1)] = count();"), [
      "-c",
      `${whole.path} calls 3`,
    ]);
    using elf = ElfFile.open(whole.path);
    const [, id, offset] = /^([0-9a-f]{40}) 0x([0-9a-f]+)$/m.exec(stdout) ?? [];
    expect(id).toBe(elf.buildId());
    expect(ElfSymbols.read(elf).at(elf.address(Number.parseInt(offset, 16))!)?.name).toBe("leaf");
    expect(stdout).toMatch(/^\]: 3$/m);
  });

  test("as perf shows them, and bare", async () => {
    const { stdout } = await runScript(
      atCalls('print(ustack(perf, 2)); print(ustack(raw, 2)); printf("[%s]", ustack(1));'),
      ["-c", `${whole.path} calls 1`],
    );
    const lines = stdout.split("\n").filter((line) => line !== "");
    expect(lines[0]).toMatch(new RegExp(`^\\t[0-9a-f]+ leaf\\+\\d+ \\(${whole.path}\\)$`));
    expect(lines[1]).toMatch(/^\t[0-9a-f]+ middle\+\d+ \(/);
    expect(lines[2]).toBe(lines[0].trim().split(" ")[0]);
    expect(stdout).toMatch(/\[\n {8}leaf\+\d+\n\]/);
  });

  test("config: the mode of all stacks", async () => {
    const { stdout } = await runScript(`config = { stack_mode=raw } ${atCalls("@[ustack(2)] = count();")}`, [
      "-c",
      `${whole.path} calls 1`,
    ]);
    expect(stdout).toMatch(/^@\[\n[0-9a-f]+\n[0-9a-f]+\n\]: 1$/m);
  });

  test("usym, uaddr and func agree with the stack", async () => {
    const { stdout } = await runScript(
      `uprobe:${whole.path}:leaf { printf("%s %s %s%s", func, usym(reg("ip")), usym(uaddr("middle")), ustack(1)); exit(); }`,
      [],
      () => looked(whole.path, "linger", "1"),
    );
    expect(stdout).toMatch(/^leaf leaf middle\n {8}leaf\+\d+$/m);
  });
});

describe.skipIf(!canStrip)("stripped binaries", () => {
  const stacks = async (path: string) =>
    stacksOf((await runScript(atCalls("@[ustack(4)] = count();"), ["-c", `${path} calls 3`])).stdout);

  test("without symbols there are addresses", async () => {
    const [[frames]] = await stacks(stripped.path);
    expect(frames).toMatch(/^0x[0-9a-f]+ 0x[0-9a-f]+ 0x[0-9a-f]+ /);
  });

  test("symbols packed into .gnu_debugdata", async () => {
    expect(await stacks(packed.path)).toEqual(KNOWN);
  });

  test("a debug file that the binary names", async () => {
    expect(await stacks(linked.path)).toEqual(KNOWN);
    expect(await stacks(linkedByChecksum.path)).toEqual(KNOWN);
  });

  test("a debug file of another build is none", async () => {
    const folder = join(dirname(stripped.path), "other");
    mkdirSync(folder, { recursive: true });
    const binary = join(folder, "known");
    copyFileSync(linked.path, binary);
    copyFileSync(join(dirname(linkedByChecksum.path), "known.debug"), join(folder, "known.debug"));
    const [[frames]] = await stacks(binary);
    expect(frames).toMatch(/^0x/);
    rmSync(folder, { recursive: true });
  });

  test("a debug file by build id", async () => {
    using elf = ElfFile.open(separate.path);
    const id = elf.buildId()!;
    const place = `/usr/lib/debug/.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug`;
    const made = existsSync(dirname(place)) ? place : dirname(place);
    mkdirSync(dirname(place), { recursive: true });
    copyFileSync(join(dirname(separate.path), "known.debug"), place);
    try {
      expect(await stacks(separate.path)).toEqual(KNOWN);
    } finally {
      rmSync(made, { recursive: true });
    }
  });
});
