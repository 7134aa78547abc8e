/** kprobe, kretprobe, fentry and fexit, on kernels that have them: this process reads a file a known number of times. */
import { closeSync, openSync, readSync } from "node:fs";
import { kernelAtLeast } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { compile } from "../../../src/engine/compile/compile.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { LoadedPlan } from "./harness.ts";

const kernel = liveKernel();
const SIZE = 4321;
const READS = 20;

function work(): void {
  const buffer = Buffer.alloc(SIZE);
  const file = openSync("/proc/version", "r");
  for (let i = 0; i < READS; i++) readSync(file, buffer, 0, SIZE, 0);
  closeSync(file);
}

function traced(source: string, check: (loaded: LoadedPlan) => void): void {
  const { plan, diagnostics } = compile(source.replaceAll("PID", String(process.pid)), kernel, {});
  expect(diagnostics.filter((d) => d.severity === "error").map((d) => d.message)).toEqual([]);
  using loaded = new LoadedPlan(plan!, source);
  loaded.attach();
  work();
  check(loaded);
}

const texts = (loaded: LoadedPlan, map: string): string[] =>
  [...loaded.entries(map).keys()].map((key) => Buffer.from(key, "hex").toString().split("\0")[0]);

const KPROBES: [name: string, source: string, check: (loaded: LoadedPlan) => void][] = [
  [
    "arguments are registers",
    `kprobe:vfs_read /pid == PID && arg2 == ${SIZE}/ { @ = count(); }`,
    (loaded) => expect(loaded.words("@")[0]).toBe(BigInt(READS)),
  ],
  [
    "results of kretprobes",
    `kprobe:vfs_read /pid == PID && arg2 == ${SIZE}/ { @in[tid] = 1; }
     kretprobe:vfs_read /@in[tid]/ { @ = count(); @long = sum((int64)retval > 10 ? 1 : 0); delete(@in, tid); }`,
    (loaded) => {
      expect(loaded.words("@")[0]).toBe(BigInt(READS));
      expect(loaded.words("@long")[0]).toBe(BigInt(READS));
    },
  ],
  [
    "structs behind arguments",
    `kprobe:vfs_read /pid == PID && arg2 == ${SIZE}/ { @[str(((struct file *)arg0).f_path.dentry.d_name.name, 64)] = count(); }`,
    (loaded) => expect(texts(loaded, "@")).toEqual(["version"]),
  ],
  [
    "one program for several functions",
    "kprobe:vfs_read,kprobe:vfs_open /pid == PID/ { @[probe] = count(); @f[func] = count(); }",
    (loaded) => {
      expect(loaded.plan.programs).toHaveLength(kernelAtLeast("5.15") ? 1 : 2);
      const counts = loaded.entries("@");
      expect(counts.get("00000000")![0]).toBeGreaterThanOrEqual(BigInt(READS));
      expect(counts.get("01000000")![0]).toBeGreaterThanOrEqual(1n);
      const functions = [...loaded.entries("@f").keys()].map((key) =>
        Buffer.from(key, "hex").readBigUInt64LE(),
      );
      expect(functions).toContain(kernel.symbolAddress("vfs_read"));
      expect(functions).toContain(kernel.symbolAddress("vfs_open"));
    },
  ],
  [
    "stacks",
    `kprobe:vfs_read /pid == PID && arg2 == ${SIZE}/ { @[kstack] = count(); @u[ustack(3)] = count(); @d = len(kstack); }`,
    (loaded) => {
      expect([...loaded.entries("@").values()].reduce((sum, [n]) => sum + n, 0n)).toBe(BigInt(READS));
      expect(loaded.words("@d")[0]).toBeGreaterThan(3n);
    },
  ],
];

describe.skipIf(!kernel.has("kprobes"))("kprobe", () => {
  for (const [name, source, check] of KPROBES) test(name, () => traced(source, check));
});

const FENTRIES: [name: string, source: string, check: (loaded: LoadedPlan) => void][] = [
  [
    "arguments have names and types",
    `fentry:vfs_read /pid == PID && args.count == ${SIZE}/ { @ = count(); @[str(args.file.f_path.dentry.d_name.name, 64)] = count(); }`.replace(
      "@[",
      "@n[",
    ),
    (loaded) => {
      expect(loaded.words("@")[0]).toBe(BigInt(READS));
      expect(texts(loaded, "@n")).toEqual(["version"]);
    },
  ],
  [
    "results beside arguments",
    `fexit:vfs_read /pid == PID && args.count == ${SIZE}/ { @ = sum(retval > 10 ? 1 : 0); }`,
    (loaded) => expect(loaded.words("@")[0]).toBe(BigInt(READS)),
  ],
  [
    "path()",
    "fentry:security_file_open /pid == PID/ { @[path(args.file.f_path, 64)] = count(); }",
    (loaded) => expect(texts(loaded, "@")).toContain("/proc/version"),
  ],
];

describe.skipIf(!kernel.has("fentry"))("fentry and fexit", () => {
  for (const [name, source, check] of FENTRIES) test(name, () => traced(source, check));
});
