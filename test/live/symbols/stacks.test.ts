/** What is kept of stacks, and the kernel's side of them. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { BpfProgram, kernelAtLeast } from "libbpf-ts";
import * as asm from "libbpf-ts/asm";
import { describe, expect, test } from "vitest";
import { kernelSymbol } from "../../../src/engine/symbols/kernel.ts";
import { CLI, commandPath, finish, isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { atCalls, canTraceC, emulated, looks, start, whole } from "./support.ts";

describe.skipIf(!canTraceC)("stacks", () => {
  test("thousands of different ones are all kept", async () => {
    const walks = kernelAtLeast("5.13");
    const { stdout, losses } = await runScript(
      `config = { max_map_keys=20000 } ${atCalls("@n = count(); @[ustack] = count();")} end { ${walks ? "print(len(@));" : ""} clear(@); }`,
      ["-c", `${whole.path} distinct 12`],
    );
    expect(losses).toMatchObject({ stacksLost: 0, mapsFull: [] });
    expect(stdout).toMatch(walks ? /^4096\n+@n: 4096\n$/ : /^\n*@n: 4096\n$/);
  });

  test.skipIf(emulated)("more than there is room for, of which only the last is held", async () => {
    // By far fewer at a time than there is room for, so that room is made in between.
    const parts = 16;
    const { stdout, losses } = await runScript(atCalls("@n = count(); @last = ustack;"), [], async () => {
      const program = start(whole.path, "distinct", "17", String(2 ** 17 / parts));
      for (let i = 1; i < parts; i++) {
        await program.ready();
        await looks();
        program.go();
      }
      await program.end();
    });
    expect(losses).toMatchObject({ stacksLost: 0 });
    expect(stdout).toMatch(/^@last: \n {8}leaf\+\d+\n( {8}(choose|right)\+\d+\n){35} {8}main\+\d+\n/m);
    expect(stdout).toMatch(/^@n: 131072$/m);
  });

  test("equal ones are one, whichever limit", async () => {
    const { stdout } = await runScript(
      atCalls(
        "@one[ustack(1)] = count(); @two[kstack(3), ustack(127)] = count(); @s = ustack(2); @d = len(ustack(3));",
      ),
      ["-c", `${whole.path} calls 7`],
    );
    expect(stdout.match(/: 7$/gm)).toHaveLength(2);
    expect(stdout).toMatch(/^@s: \n {8}leaf\+\d+\n {8}middle\+\d+$/m);
    expect(stdout).toMatch(/^@d: 3$/m);
  });

  test("more than the kernel walks is refused", async () => {
    const { stderr } = await runScript("begin { print(kstack(128)); }");
    expect(stderr).toMatch(/ERROR: the limit of kstack\(\) is from 1 to 127, and this is 128/);
  });
});

describe.skipIf(!isRoot)("kernel stacks", () => {
  test("kernel threads have no user stack, and that is no loss", async () => {
    const { stdout, losses } = await runScript(
      'tracepoint:sched:sched_switch /strncmp(comm, "rcu_", 4) == 0 || strncmp(comm, "kworker", 7) == 0/ { @[ustack] = count(); @k[kstack(2)] = count(); exit(); }',
    );
    expect(losses?.stacksLost).toBe(0);
    expect(stdout).toMatch(/^@\[\n\]: \d+$/m);
    expect(stdout).toMatch(/^@k\[\n {8}\w+\+\d+\n/m);
  });

  test("ksym and kaddr agree with the stack", async () => {
    const { stdout } = await runScript(
      'tracepoint:sched:sched_process_exec { printf("%s%s", ksym(kaddr("bprm_execve")), kstack(1)); exit(); }',
      ["-c", "/bin/true"],
    );
    expect(stdout).toMatch(/^bprm_execve\n {8}bprm_execve\+\d+\n/);
  });
});

describe.skipIf(!isRoot)("kernel symbols", () => {
  const addressIn = (pattern: RegExp): bigint | undefined => {
    const line = pattern.exec(readFileSync("/proc/kallsyms", "latin1"));
    return line ? BigInt(`0x${line[1]}`) : undefined;
  };

  test("BPF programs, also those loaded later", async () => {
    expect(kernelSymbol(addressIn(/^(\w+) T vfs_read$/m)!)).toMatchObject({ name: "vfs_read", offset: 0 });
    // Of its own: others may run this test, too.
    const name = `known_${process.pid}`;
    using _program = BpfProgram.load({
      type: "raw_tracepoint",
      name,
      instructions: asm.encode([asm.movImm(0, 0), asm.exit()]),
      license: "GPL",
    });
    const address = addressIn(new RegExp(`^(\\w+) t bpf_prog_\\w+_${name}\\t\\[bpf\\]$`, "m"));
    expect(address).toBeDefined();
    // A reading is good for two seconds.
    await new Promise((done) => setTimeout(done, 2100));
    const found = kernelSymbol(address! + 1n);
    expect(found).toMatchObject({ offset: 1, module: "bpf" });
    expect(found?.name).toMatch(new RegExp(`^bpf_prog_[0-9a-f]{16}_${name}$`));
  });

  const inModule = /^([0-9a-f]{16}) t (\w+)\t\[(?!bpf\])(\w+)\]$/m.exec(
    readFileSync("/proc/kallsyms", "latin1"),
  );
  test.skipIf(!inModule)("functions of modules (skipped where none is loaded)", () => {
    const [, address, , module] = inModule!;
    expect(kernelSymbol(BigInt(`0x${address}`))).toMatchObject({ offset: 0, module });
  });

  const restricted = ["setpriv", "--bounding-set", "-syslog", "--inh-caps", "-syslog"];
  test.skipIf(!commandPath("setpriv"))(
    "hidden ones are explained once, and shown as addresses",
    async ({ skip }) => {
      const { status } = spawnSync(restricted[0], [...restricted.slice(1), "true"]);
      skip(status !== 0, "busybox has a setpriv without bounding sets");
      const script = "tracepoint:sched:sched_process_exec { @[kstack(3)] = count(); }";
      const { stdout, stderr } = await finish([
        ...restricted,
        ...CLI,
        "run",
        "-e",
        script,
        "-c",
        "/bin/true",
      ]);
      expect(stdout).toMatch(/@\[\n( {8}0xffff[0-9a-f]{12}\n){3}\]: [1-9]/);
      expect(stderr.match(/kptr_restrict/g)).toHaveLength(1);
    },
  );
});
