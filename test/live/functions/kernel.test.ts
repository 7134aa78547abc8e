/** kprobe, kretprobe, fentry and fexit on work whose calls are known, on kernels that have them. */
import { existsSync, readFileSync } from "node:fs";
import {
  BpfProgram,
  BtfObject,
  BtfWriter,
  encodeFuncInfo,
  Kallsyms,
  kernelAtLeast,
  tracefsPath,
} from "libbpf-ts";
import * as asm from "libbpf-ts/asm";
import { describe, expect, test } from "vitest";
import { compile } from "../../../src/engine/compile/compile.ts";
import type { Kernel } from "../../../src/engine/compile/kernel.ts";
import { SessionError } from "../../../src/engine/session/error.ts";
import { runScript } from "../../support/script.ts";
import { LoadedPlan } from "../compile/harness.ts";
import { counts } from "../work/support.ts";
import {
  canFentry,
  canKprobe,
  FENTRY,
  hasTun,
  KPROBE,
  kernel,
  mine,
  OPENS,
  onlyIf,
  openTun,
  READS,
  readFile,
  SIZE,
  without,
} from "./kernel.ts";

const EACH = `/pid == PID && arg2 == ${SIZE}/`;

/** Runs a script around some work; it must not complain. */
async function traced(script: string, work: () => unknown = readFile, args: readonly string[] = []) {
  const run = await runScript(mine(script), args, work);
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
  return run.stdout;
}
/** Why a script cannot start. */
async function refusal(script: string, args: readonly string[] = []): Promise<string> {
  try {
    return (await runScript(mine(script), args, readFile)).stderr;
  } catch (error) {
    if (error instanceof SessionError) return error.message;
    throw error;
  }
}
const table = (out: string, name: string): Record<string, number> => Object.fromEntries(counts(out, name));
const total = (out: string, name: string): number =>
  [...counts(out, name).values()].reduce((sum, n) => sum + n, 0);

/** Functions of which the kernel has several. */
function severalOf(): string[] {
  const seen = new Map<string, number>();
  for (const name of kernel.functions().get("vmlinux") ?? []) seen.set(name, (seen.get(name) ?? 0) + 1);
  return [...seen].flatMap(([name, n]) => (n > 1 && !name.includes(".") ? [name] : []));
}

describe.skipIf(!canKprobe)(KPROBE, () => {
  test("calls, arguments, and the function's name", async () => {
    const out = await traced(
      `kprobe:vfs_read ${EACH} { @[probe, probetype, func] = count(); @size = sum(arg2); }
       kprobe:do_sys_openat2 /pid == PID/ { @open[str(uptr((int8 *)arg1), 64)] = count(); }`,
    );
    expect(table(out, "@")).toEqual({ "kprobe:vfs_read, kprobe, vfs_read": READS });
    expect(counts(out, "@size").get("")).toBe(READS * SIZE);
    expect(counts(out, "@open").get("/proc/version")).toBe(1);
  });

  test("results, beside what was kept at entry", async () => {
    let got = 0;
    const out = await traced(
      `kprobe:vfs_read ${EACH} { @in[tid] = 1; }
       kretprobe:vfs_read /@in[tid]/ { @ = count(); @got = sum(retval); @f[func, probetype] = count(); delete(@in, tid); }
       kretprobe:do_sys_openat2 /pid == PID && (int32)retval < 0/ { @failed[(int32)retval] = count(); }`,
      () => {
        got = readFile();
        for (let i = 0; i < 3; i++) existsSync("/") && expect(() => readFileSync("/no/such")).toThrow();
      },
    );
    expect(counts(out, "@").get("")).toBe(READS);
    expect(counts(out, "@got").get("")).toBe(READS * got);
    expect(table(out, "@f")).toEqual({ "vfs_read, kretprobe": READS });
    expect(table(out, "@failed")).toEqual({ "-2": 3 });
  });

  test("an instruction within a function", async () => {
    const attempts: string[] = [];
    for (const offset of [4, 5, 9, 11]) {
      const script = `kprobe:vfs_read+${offset} /pid == PID/ { @[probe, func] = count(); @ip = min(reg("ip")); }`;
      attempts.push(await refusal(script));
      if (attempts.at(-1) !== "") continue;
      const [[key, n]] = counts(await traced(script), "@");
      expect(key).toBe(`kprobe:vfs_read+${offset}, vfs_read`);
      expect(n).toBeGreaterThanOrEqual(READS);
      return;
    }
    expect(attempts).toContain("");
  });

  test("a place inside an instruction, or outside of the function, is named", async () => {
    expect(await refusal("kprobe:vfs_read+1 { @ = count(); }")).toContain("cannot attach kprobe:vfs_read+1");
    expect(await refusal("kprobe:vfs_read+1000000 { @ = count(); }")).toContain("vfs_read is not that long");
  });

  test("an address, for those who insist", async () => {
    const address = `0x${kernel.symbolAddress("vfs_read")!.toString(16)}`;
    const script = mine(`kprobe:${address} ${EACH} { @[func] = count(); }`);
    expect((await runScript(script)).stderr).toContain("--unsafe");
    const out = await traced(script, readFile, ["--unsafe"]);
    expect(table(out, "@")).toEqual({ vfs_read: READS });
  });

  test("a wildcard is one program, and every probe has its name", async () => {
    const out = await traced(
      "kprobe:vfs_[or]* /pid == PID/ { @[probe, func] = count(); } kretprobe:vfs_re* /pid == PID/ { @r[func] = count(); }",
    );
    const calls = counts(out, "@");
    expect(calls.get("kprobe:vfs_read, vfs_read")).toBeGreaterThanOrEqual(READS);
    expect(calls.get("kprobe:vfs_open, vfs_open")).toBeGreaterThanOrEqual(1);
    expect(counts(out, "@r").get("vfs_read")).toBeGreaterThanOrEqual(READS);
    const { plan } = compile("kprobe:vfs_[or]* { @[probe] = count(); }", kernel, {});
    expect(plan!.probes.length).toBeGreaterThan(5);
    expect(plan!.programs).toHaveLength(kernelAtLeast("5.15") ? 1 : plan!.probes.length);
    expect(new Set(plan!.probes.map(({ via }) => via))).toEqual(
      new Set([kernel.has("kprobe_multi") ? "kprobe-multi" : "kprobe"]),
    );
  });

  test("stacks begin in the function", async () => {
    const out = await traced(`kprobe:vfs_read ${EACH} { @[kstack(2)] = count(); }`);
    expect(out).toMatch(/@\[\n\s+vfs_read\+\d+\n/);
    expect(out).toMatch(new RegExp(`\\]: ${READS}\\n`));
  });

  test.runIf(hasTun)(
    onlyIf(hasTun, "functions of modules, alone and by wildcard", "the module tun cannot be loaded"),
    async () => {
      const script = `kprobe:tun_chr_open /pid == PID/ { @a[probe] = count(); }
        kprobe:tun:tun_chr_open /pid == PID/ { @b[probe, func] = count(); }
        kprobe:tun:tun_chr_* /pid == PID/ { @c[probe, func] = count(); }
        kretprobe:t?n:tun_chr_open /pid == PID/ { @r[probe, (int32)retval] = count(); }`;
      const out = await traced(script, openTun);
      expect(table(out, "@a")).toEqual({ "kprobe:tun_chr_open": OPENS });
      expect(table(out, "@b")).toEqual({ "kprobe:tun:tun_chr_open, tun_chr_open": OPENS });
      const all = counts(out, "@c");
      expect(all.get("kprobe:tun:tun_chr_open, tun_chr_open")).toBe(OPENS);
      expect(all.get("kprobe:tun:tun_chr_close, tun_chr_close")).toBe(OPENS);
      expect(table(out, "@r")).toEqual({ "kretprobe:tun:tun_chr_open, 0": OPENS });
      const wrong = await runScript("kprobe:tun:vfs_read { @ = count(); }");
      expect(wrong.stderr).toContain("kprobe:vmlinux:vfs_read");
    },
  );

  test("several functions of one name are attached together", () => {
    const [name] = severalOf();
    const { plan, diagnostics } = compile(`kprobe:${name} { @ = count(); }`, kernel, {});
    expect(diagnostics).toEqual([]);
    using loaded = new LoadedPlan(plan!);
    loaded.attach();
    expect(plan!.probes[0].attach).toMatchObject({ several: true });
  });

  test("functions that the compiler made parts of have names with dots", () => {
    const dotted = [...kernel.functions().values()]
      .flat()
      .find((name) => /\.(isra|constprop)\.0$/.test(name))!;
    const { plan, diagnostics } = compile(`kprobe:${dotted} { @ = count(); }`, kernel, {});
    expect(diagnostics).toEqual([]);
    {
      using loaded = new LoadedPlan(plan!);
      loaded.attach();
    }
    expect(readFileSync(`${tracefsPath()}/kprobe_events`, "latin1")).not.toContain(
      `libbpf_ts_${process.pid}`,
    );
  });

  test("a function that the kernel refuses is named, and nothing stays attached", async () => {
    const list = (how: string) =>
      mine(`config = { missing_probes=${how} }
        kprobe:vfs_read,kprobe:vfs_open,kprobe:vfs_write+1 /pid == PID/ { @[probe] = count(); }`);
    expect(await refusal(list("error"))).toContain("cannot attach kprobe:vfs_write+1");
    const warned = await runScript(list("warn"), [], readFile);
    expect(warned.stderr).toContain("cannot attach kprobe:vfs_write+1");
    expect(counts(warned.stdout, "@").get("kprobe:vfs_read")).toBeGreaterThanOrEqual(READS);
    const ignored = await runScript(list("ignore"), [], readFile);
    expect(ignored.stderr).toBe("");
    expect(total(ignored.stdout, "@")).toBeGreaterThanOrEqual(READS + 1);
  });
});

describe.skipIf(!canKprobe || !kernel.has("kprobe_multi"))(
  onlyIf(kernel.has("kprobe_multi"), "kprobe_multi", "this kernel has no kprobe_multi"),
  () => {
    /** A function of the kernel that it keeps out of its list. */
    const refused = () => {
      const known = new Set([...kernel.functions().values()].flat());
      let found: string | undefined;
      Kallsyms.load().forEachFunction((name, module) => {
        if (module === "" && !known.has(name) && !kernel.blacklisted!(name) && /^[a-z]\w+$/.test(name))
          found ??= name;
      });
      return found;
    };

    test("what is refused in a list is found and named, the rest is attached where the script wants so", async () => {
      const name = refused();
      expect(name).toBeDefined();
      const list = (how: string) =>
        mine(`config = { missing_probes=${how} }
          kprobe:vfs_read,kprobe:${name},kprobe:vfs_open,kprobe:vfs_write /pid == PID/ { @[probe] = count(); }`);
      expect(await refusal(list("error"), ["--unsafe"])).toContain(`cannot attach kprobe:${name}`);
      const warned = await runScript(list("warn"), ["--unsafe"], readFile);
      expect(warned.stderr).toContain(`cannot attach kprobe:${name}`);
      const calls = counts(warned.stdout, "@");
      expect(calls.get("kprobe:vfs_read")).toBeGreaterThanOrEqual(READS);
      expect(calls.get("kprobe:vfs_open")).toBeGreaterThanOrEqual(1);
    });

    test("ten thousand functions by one link, of which each is told apart", () => {
      const { plan, diagnostics } = compile(
        mine(
          "config = { max_probes=30000 } kprobe:[a-f]*,kprobe:[s-v]* /pid == PID/ { @[probe] = count(); }",
        ),
        kernel,
        {},
      );
      expect(diagnostics).toEqual([]);
      expect(plan!.probes.length).toBeGreaterThan(10_000);
      expect(plan!.programs).toHaveLength(1);
      using loaded = new LoadedPlan(plan!);
      loaded.attach();
      // Names that several functions have are attached by their addresses, in links of their own.
      expect(Math.max(...loaded.links.map(({ probes }) => probes.length))).toBeGreaterThan(10_000);
      readFile();
      loaded.disable();
      const calls = new Map(
        [...loaded.entries("@")].map(([key, [count]]) => [
          plan!.probes[Buffer.from(key, "hex").readUInt32LE()].name,
          Number(count),
        ]),
      );
      expect(calls.get("kprobe:vfs_read")).toBeGreaterThanOrEqual(READS);
      expect(calls.get("kprobe:vfs_open")).toBeGreaterThanOrEqual(1);
      expect(calls.get("kprobe:do_sys_openat2")).toBeGreaterThanOrEqual(1);
    });
  },
);

describe.skipIf(!canFentry)(FENTRY, () => {
  test("arguments have names and types", async () => {
    const out = await traced(
      `fentry:vfs_read /pid == PID && args.count == ${SIZE}/ {
         @[str(args.file.f_path.dentry.d_name.name, 64), args.count] = count(); @arg = sum(arg2); @f[probe, func] = count(); }`,
    );
    expect(table(out, "@")).toEqual({ [`version, ${SIZE}`]: READS });
    expect(counts(out, "@arg").get("")).toBe(READS * SIZE);
    expect(table(out, "@f")).toEqual({ "fentry:vmlinux:vfs_read, vfs_read": READS });
  });

  test("results beside arguments, signed as they are", async () => {
    let got = 0;
    const out = await traced(
      `fexit:vfs_read /pid == PID && args.count == ${SIZE}/ { @got = sum(retval); }
       kretfunc:do_sys_openat2 /pid == PID && retval < 0/ { @failed[retval, str(uptr(args.filename), 64)] = count(); }`,
      () => {
        got = readFile();
        for (let i = 0; i < 3; i++) expect(() => readFileSync("/no/such")).toThrow();
      },
    );
    expect(counts(out, "@got").get("")).toBe(READS * got);
    expect(table(out, "@failed")).toEqual({ "-2, /no/such": 3 });
  });

  test("a wildcard is a program for each function, of one code where the kernel has cookies", async () => {
    const script = "fentry:vfs_re* /pid == PID/ { @[probe, func] = count(); }";
    const calls = counts(await traced(script), "@");
    expect(calls.get("fentry:vmlinux:vfs_read, vfs_read")).toBeGreaterThanOrEqual(READS);
    const { plan } = compile(mine(script), kernel, {});
    expect(plan!.programs.length).toBe(plan!.probes.length);
    const code = new Set(plan!.programs.map(({ instructions }) => instructions));
    expect(code.size).toBe(kernelAtLeast("5.19") ? 1 : plan!.programs.length);
  });

  test("functions whose arguments lie differently share no code", async () => {
    const out = await traced(
      `fentry:vfs_read,fentry:vfs_write /pid == PID && args.count == ${SIZE}/ { @[probe] = count(); }
       fentry:vfs_open,fentry:vfs_read /pid == PID && arg1 != 0/ { @b[probe] = count(); }`,
    );
    expect(table(out, "@")).toEqual({ "fentry:vmlinux:vfs_read": READS });
    expect(counts(out, "@b").get("fentry:vmlinux:vfs_open")).toBeGreaterThanOrEqual(1);
  });

  const canModule = hasTun && kernel.functionPrototype("tun_chr_open", "tun") !== undefined;
  test.runIf(canModule)(
    onlyIf(canModule, "functions of modules", "there is no module tun with types"),
    async () => {
      const out = await traced(
        `fentry:tun_chr_open /pid == PID/ { @a[probe, args.inode != 0] = count(); }
         fentry:tun:tun_chr_* /pid == PID/ { @b[func] = count(); }
         fexit:tun:tun_chr_open /pid == PID/ { @r[retval] = count(); }`,
        openTun,
      );
      expect(table(out, "@a")).toEqual({ "fentry:tun:tun_chr_open, true": OPENS });
      expect(counts(out, "@b").get("tun_chr_open")).toBe(OPENS);
      expect(counts(out, "@b").get("tun_chr_close")).toBe(OPENS);
      expect(table(out, "@r")).toEqual({ "0": OPENS });
    },
  );

  test("functions of BPF programs", async () => {
    const RUNS = 5;
    const types = new BtfWriter();
    const integer = types.int("int", 4, { signed: true });
    const main = types.func("traced_main", types.funcProto(integer, [{ name: "ctx", type: types.ptr(0) }]));
    using object = BtfObject.load(types.build());
    using program = BpfProgram.load({
      type: "raw_tracepoint",
      name: "traced_main",
      instructions: asm.encode([asm.movImm(0, 7), asm.exit()]),
      btfFd: object.fd,
      funcInfo: encodeFuncInfo([{ insnOff: 0, typeId: main }]),
    });
    const { id } = program.info();
    // The helper for it came with Linux 5.17.
    const result = kernelAtLeast("5.17") ? "retval" : "7";
    const out = await traced(
      `fentry:bpf:traced_main { @in[probe] = count(); }
       fexit:bpf:${id}:traced_m* { @out[probe, ${result}] = count(); }`,
      () => {
        for (let i = 0; i < RUNS; i++) program.testRun();
      },
    );
    expect(table(out, "@in")).toEqual({ [`fentry:bpf:${id}:traced_main`]: RUNS });
    expect(table(out, "@out")).toEqual({ [`fexit:bpf:${id}:traced_main, 7`]: RUNS });
    const missing = await runScript("fentry:bpf:traced_mein { @ = count(); }");
    expect(missing.stderr).toContain("did you mean traced_main");
  });
});

/** A script on a kernel that is seen without a feature. */
function onKernel(own: Kernel, source: string, check: (loaded: LoadedPlan) => void): string {
  const script = mine(`config = { kernel_function_fallback=true } ${source}`);
  const { plan, diagnostics } = compile(script, own, {});
  expect(diagnostics.filter((d) => d.severity === "error").map((d) => d.message)).toEqual([]);
  using loaded = new LoadedPlan(plan!, script);
  loaded.attach();
  readFile();
  check(loaded);
  return diagnostics.map(({ message }) => message).join("\n");
}

const READ_BY = `fentry:vfs_read /pid == PID && args.count == ${SIZE}/ { @ = sum(args.count); }
  fexit:vfs_read /pid == PID && retval > 10/ { @r = count(); }`;

describe.skipIf(!canKprobe)(
  onlyIf(canKprobe, "kprobe in place of fentry", "this kernel has no kprobes"),
  () => {
    test("has the same arguments and results, and says so", () => {
      const own = without("fentry", "fexit");
      const said = onKernel(own, READ_BY, (loaded) => {
        expect(loaded.plan.probes.map(({ via }) => via)).toEqual(["kprobe", "kprobe"]);
        expect(loaded.words("@")[0]).toBe(BigInt(READS * SIZE));
        expect(loaded.words("@r")[0]).toBeGreaterThanOrEqual(BigInt(READS));
      });
      expect(said).toContain("kprobe stands in for fentry here");
      expect(said).toContain("kretprobe stands in for fexit here");
    });
  },
);

describe.skipIf(!canFentry)(
  onlyIf(canFentry, "fentry in place of kprobe", "this kernel has no fentry"),
  () => {
    test("has the same arguments and results, and says so", () => {
      const own = without("kprobes", "kprobe_multi");
      const said = onKernel(
        own,
        `kprobe:vfs_read ${EACH} { @ = sum(arg2); } kretprobe:vfs_read /pid == PID && retval > 10/ { @r = count(); }`,
        (loaded) => {
          expect(loaded.plan.probes.map(({ via }) => via)).toEqual(["fentry", "fentry"]);
          expect(loaded.words("@")[0]).toBe(BigInt(READS * SIZE));
          expect(loaded.words("@r")[0]).toBeGreaterThanOrEqual(BigInt(READS));
        },
      );
      expect(said).toContain("fentry stands in for kprobe here");
    });
  },
);

test.skipIf(canKprobe || canFentry)(
  onlyIf(!canKprobe && !canFentry, "a kernel with neither says so", "this kernel has one of them"),
  async () => {
    for (const probe of ["kprobe:vfs_read", "fentry:vfs_read", "kretprobe:vfs_read", "fexit:vfs_read"]) {
      const { stderr, status } = await runScript(`${probe} { @ = count(); }`);
      expect(status).toBe(1);
      expect(stderr).toMatch(/this kernel (has no kprobes|lets no f\w+ program attach)/);
      expect(stderr).toMatch(/nor does f?\w+ work here/);
      expect(stderr).toContain("tracepoint");
    }
  },
);
