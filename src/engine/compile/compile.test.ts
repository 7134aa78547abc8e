/** Source → IR, for the shapes whose cost matters, against a recorded kernel. */
import { describe, expect, test } from "vitest";
import { compile } from "./compile.ts";
import type { Kernel } from "./kernel.ts";
import type { Plan } from "./plan.ts";
import { recordedKernel } from "./testing/recordedKernel.ts";

function compiled(source: string, overrides: Partial<Kernel> = {}): { plan: Plan; ir: string } {
  const { plan, diagnostics, stages } = compile(source, recordedKernel(overrides));
  expect(diagnostics.filter((d) => d.severity === "error").map((d) => d.message)).toEqual([]);
  return { plan: plan!, ir: stages.ir!() };
}

const count = (text: string, part: string): number => text.split(part).length - 1;
const READ = "tracepoint:syscalls:sys_enter_read";

describe("what an event costs", () => {
  test("@ = count() is one look-up in a per-CPU array", () => {
    const { plan, ir } = compiled(`${READ} { @ = count(); }`);
    expect(plan.maps[0].type).toBe("percpu_array");
    expect(ir).toMatchInlineSnapshot(`
      "program sys_enter_read
      main main(%0)
        slot0: 8 bytes (index)
      entry.0:
        %1 = u32[&globals]
        if %1 == 0 goto then.1 else body.4
      then.1: (cold)
        return 0
      body.4:
        u32[&slot0] = 0
        %2 = map_lookup_elem(map(@), &slot0)
        if %2 != 0 goto then.5 else after.6
      then.5:
        %3 = u64[%2]
        %4 = %3 + 1
        u64[%2] = %4
        return 0
      after.6:
        return 0"
    `);
  });

  test("a keyed count looks up once when the key is there", () => {
    const { ir } = compiled(`${READ} { @[pid] = count(); }`);
    expect(count(ir, "map_lookup_elem")).toBe(2);
    const hot = ir.slice(0, ir.indexOf("(cold)", ir.indexOf("map_lookup_elem")));
    expect(count(hot, "map_lookup_elem")).toBe(1);
  });

  test("a plain scalar needs no helper", () => {
    const { plan, ir } = compiled(`${READ} { @x++; @y = @x; }`);
    expect(plan.maps[0].type).toBe("array");
    expect(ir).not.toContain("map_lookup_elem");
  });

  test("pid and tid come from one call", () => {
    const { ir } = compiled(`${READ} /pid != 1/ { @[pid, tid] = count(); }`);
    expect(count(ir, "get_current_pid_tgid")).toBe(1);
  });

  test("a histogram is one value with all its buckets", () => {
    const { plan, ir } = compiled(`${READ} { @[pid] = hist(args.count); }`);
    expect(plan.maps[0].valueSize).toBe(66 * 8);
    expect(count(ir.slice(0, ir.indexOf("(cold)", ir.indexOf("map_lookup"))), "map_lookup_elem")).toBe(1);
  });

  test("comm is compared in words", () => {
    const { ir } = compiled(`${READ} /comm == "bash"/ { @ = count(); }`);
    expect(ir).toContain("= u32[&slot0]");
    expect(ir).toContain(`!= ${0x68736162}`);
    expect(ir).toContain("= u8[&slot0+4]");
  });

  test("printf writes into the record", () => {
    const { ir } = compiled(`${READ} { printf("%d %s", pid, comm); }`);
    expect(ir).toMatch(/get_current_comm\(%\d+, 16\)/);
    expect(ir).toMatch(/ringbuf_submit\(%\d+, 1\)/);
  });
});

describe("programs", () => {
  test("two system calls share a raw tracepoint, one has its own", () => {
    const two = compiled(
      "tracepoint:syscalls:sys_enter_read,tracepoint:syscalls:sys_enter_openat { @ = count(); }",
    );
    expect(two.plan.programs.map((p) => [p.type, p.expectedAttach])).toEqual([["tracing", "trace_raw_tp"]]);
    expect(two.plan.probes.map((p) => p.via)).toEqual(["raw-syscall", "raw-syscall"]);
    expect(compiled(`${READ} { @ = count(); }`).plan.probes[0].via).toBe("tracepoint");
  });

  test("without BTF the registers are read, not loaded", () => {
    const { plan, ir } = compiled(
      "config = { syscall_attach=raw } tracepoint:syscalls:sys_enter_read { @ = sum(args.count); }",
      { hasBtf: false, rawTracepoint: () => undefined },
    );
    expect(plan.programs[0].type).toBe("raw_tracepoint");
    expect(plan.programs[0].expectedAttach).toBeUndefined();
    expect(ir).toContain("probe_read_kernel");
  });

  test("without cookies every probe has a program", () => {
    const source = 'tracepoint:sched:sched_switch,tracepoint:sched:sched_process_exec { printf("x"); }';
    expect(compiled(source).plan.programs).toHaveLength(1);
    expect(compiled(source, { version: [5, 10, 0] }).plan.programs).toHaveLength(2);
  });

  test("two strings fit the short keys of old kernels, unless the script wants them longer", () => {
    const source =
      "tracepoint:syscalls:sys_enter_openat { @[str(args.filename), str(args.filename), comm] = count(); }";
    const keySize = (text: string, minor: number) =>
      compiled(text, { version: [5, minor, 0] }).plan.maps.find(({ name }) => name === "@")!.keySize;
    expect([keySize(source, 10), keySize(source, 11)]).toEqual([416, 2064]);
    const long = `config = { max_strlen = 512 } ${source}`;
    const { diagnostics } = compile(long, recordedKernel({ version: [5, 10, 0] }));
    expect(diagnostics.map(({ message }) => message).join()).toContain(
      "before Linux 5.11 a key has at most 512",
    );
  });

  test("without bpf_loop loops are plain", () => {
    const source = "begin { for ($i : 0..100) { @ = sum($i); } }";
    expect(compiled(source).plan.programs[0].functions).toHaveLength(2);
    expect(compiled(source, { version: [5, 10, 0] }).plan.programs[0].functions).toHaveLength(1);
  });

  test("big per-CPU maps are allocated key by key", () => {
    const source = "begin { @[pid] = hist(1); }";
    expect(compiled(source).plan.maps[0].flags).toBe(0);
    expect(compiled(source, { possibleCpus: 128 }).plan.maps[0].flags).toBe(1);
  });

  test("signed division is done on magnitudes before 6.6", () => {
    const source = "begin { $x = -7; $y = @a; @r = $x / $y; @a = -2; }";
    expect(compiled(source).ir).toContain("s/");
    expect(compiled(source, { version: [6, 1, 0] }).ir).not.toContain("s/");
  });
});

describe("the stack", () => {
  test("what does not fit moves to per-CPU memory", () => {
    const locals = Array.from({ length: 30 }, (_, i) => `$a${i} = (comm, ${i}); @u[${i}] = $a${i};`).join(
      " ",
    );
    const { plan } = compiled(`config = { on_stack_limit=64 } begin { ${locals} }`);
    expect(plan.maps.map((m) => m.role)).toContain("scratch");
    expect(plan.config.onStackLimit).toBe(64);
  });

  test("what cannot move is said before the kernel says it", () => {
    const names = Array.from({ length: 90 }, (_, i) => `$a${i}`);
    const set = names.map((name, i) => `${name} = nsecs + ${i};`).join(" ");
    const source = `begin { ${set} for ($i : 0..50) { @y = ${names.join(" + ")}; } @z = ${names.join(" + ")}; }`;
    const { diagnostics } = compile(source, recordedKernel());
    expect(diagnostics.map((d) => d.code)).toContain("stack-too-big");
  });
});

test.each([
  ["nothing", ""],
  ["an unclosed block", "begin { @ = "],
  ["deep nesting", `begin { @ = ${"(".repeat(20000)}1${")".repeat(20000)}; }`],
  ["many operators", `begin { @ = 1${"+1".repeat(20000)}; }`],
  ["binary", "\0\x01\x02\ufffd"],
])("%s gives diagnostics, not an exception", (_name, source) => {
  const { diagnostics } = compile(source, recordedKernel());
  for (const d of diagnostics) expect(d.code).not.toBe("internal-error");
});

describe("where tracefs can't be read", () => {
  const kernel = recordedKernel({
    tracepointCategories: () => [],
    tracepoints: () => [],
    tracepointFormat: () => undefined,
  });
  const codes = (source: string) => compile(source, kernel).diagnostics.map(({ code }) => code);

  test("a known event's script is checked but for its arguments", () => {
    expect(codes("tracepoint:sched:sched_switch { @[args.prev_comm] = count(); }")).toEqual([
      "tracepoint-unread",
    ]);
    expect(compile("tracepoint:sched:sched_switch { @ = count(); }", kernel).plan).toBeUndefined();
  });

  test("other mistakes are found all the same", () => {
    expect(codes("tracepoint:sched:sched_switch { print($x); }")).toEqual([
      "tracepoint-unread",
      "undefined-variable",
    ]);
    expect(codes("tracepoint:sched:no_such_event { }")).toEqual(["no-tracepoints"]);
  });
});
