import { describe, expect, it } from "vitest";
import type { Kernel } from "../kernel.ts";
import { checked, checkSource, fullKernel } from "../testing/check.ts";
import type { Attach } from "../typed.ts";

/** Functions as kernels list them: "module:name", the kernel proper first. */
function kernelWith(functions: readonly string[], overrides: Partial<Kernel> = {}): Kernel {
  const modules = new Map<string, string[]>();
  for (const one of functions) {
    const [module, name] = one.includes(":") ? one.split(":") : ["vmlinux", one];
    modules.set(module, [...(modules.get(module) ?? []), name]);
  }
  return fullKernel({ functions: () => modules, ...overrides });
}

const FUNCTIONS = [
  "vfs_read",
  "vfs_write",
  "vfs_open",
  "do_nanosleep",
  "init_once",
  "init_once",
  "rcu_note_context_switch",
  "copy_data.isra.0",
  "fuse:init_once",
  "fuse:fuse_open",
  "kvm:kvm_init",
];
const kernel = kernelWith(FUNCTIONS);

const probesOf = (spec: string, own = kernel, options = {}) =>
  checked(`${spec} { @ = count(); }`, options, own).actions.flatMap((action) => action.probes);
const namesOf = (spec: string, own = kernel): string[] => probesOf(spec, own).map((probe) => probe.name);
const attachOf = (spec: string, own = kernel, options = {}): Attach => probesOf(spec, own, options)[0].attach;

describe("names of kernel functions", () => {
  it.each<[string, string[]]>([
    ["kprobe:vfs_*", ["kprobe:vfs_read", "kprobe:vfs_write", "kprobe:vfs_open"]],
    ["kretprobe:vfs_[rw]*", ["kretprobe:vfs_read", "kretprobe:vfs_write"]],
    ["kprobe:fuse:*", ["kprobe:fuse:init_once", "kprobe:fuse:fuse_open"]],
    ["kprobe:*:init_once", ["kprobe:vmlinux:init_once", "kprobe:fuse:init_once"]],
    ["kprobe:init_*", ["kprobe:init_once"]],
    ["kprobe:k*m:*init", ["kprobe:kvm:kvm_init"]],
    ["kprobe:copy_data*", ["kprobe:copy_data.isra.0"]],
    ["fentry:vfs_re*", ["fentry:vmlinux:vfs_read"]],
    ["kfunc:vfs_read", ["fentry:vmlinux:vfs_read"]],
    ["kretfunc:vfs_read", ["fexit:vmlinux:vfs_read"]],
  ])("%s", (spec, names) => expect(namesOf(spec)).toEqual(names));

  it.each<[string, object]>([
    ["kprobe:vfs_read+8", { function: "vfs_read", offset: 8 }],
    ["kprobe:vfs_read+0x10", { offset: 16 }],
    ["kprobe:fuse:fuse_open", { function: "fuse_open", module: "fuse" }],
    ["kprobe:init_once", { function: "init_once", several: true }],
    ["kprobe:fuse:init_once", { function: "init_once", module: "fuse" }],
    ["fentry:vfs_read", { kind: "fentry", function: "vfs_read", module: "vmlinux", exit: false }],
  ])("%s", (spec, attach) => expect(attachOf(spec)).toMatchObject(attach));

  it("one function of a module is not several", () =>
    expect(attachOf("kprobe:fuse:init_once")).not.toHaveProperty("several"));

  it("fentry says that it reaches one of several", () => {
    const own = kernelWith(["vfs_read", "vfs_read"]);
    const { diagnostics } = checkSource("fentry:vfs_read { @ = count(); }", {}, own);
    expect(diagnostics).toMatchObject([{ severity: "warning", hint: "kprobe takes them all" }]);
  });

  it("leave out of wildcards what tracing itself goes through, and what the kernel forbids", () => {
    expect(checkSource("kprobe:rcu_* { @ = count(); }", {}, kernel).diagnostics[0].code).toBe("no-match");
    expect(namesOf("kprobe:rcu_note_context_switch")).toHaveLength(1);
    const own = kernelWith(FUNCTIONS, { blacklisted: (name) => name === "vfs_open" });
    expect(namesOf("kprobe:vfs_*", own)).toEqual(["kprobe:vfs_read", "kprobe:vfs_write"]);
  });

  it("may be addresses for those who insist", () => {
    const address = { kind: "kprobe", address: 0xffffffff81000000n, offset: 0, return: false };
    expect(attachOf("kprobe:0xffffffff81000000", kernel, { unsafe: true })).toMatchObject(address);
    expect(attachOf("kretprobe:0xffffffff81000000", kernel, { unsafe: true })).toMatchObject({
      ...address,
      return: true,
    });
  });
});

describe("what is said of functions that can't be had", () => {
  const symbols: Partial<Kernel> = {
    symbolAddress: (name) => (["vfs_read", "notrace_me"].includes(name) ? 0xffffffff81001000n : undefined),
    functionAt: (address) =>
      address < 0xffffffff81001040n
        ? { name: "vfs_read", module: "", offset: Number(address - 0xffffffff81001000n) }
        : { name: "vfs_write", module: "", offset: Number(address - 0xffffffff81001040n) },
    blacklisted: (name) => name === "do_nanosleep",
  };
  const own = kernelWith(FUNCTIONS, symbols);

  it.each<[spec: string, code: string, message: string, hint: string]>([
    ["kprobe:vfs_reed", "unknown-function", "no kernel function vfs_reed", "kprobe:vfs_read"],
    ["kprobe:wholly_unheard_of", "unknown-function", "no kernel function", "inlined"],
    ["kprobe:copy_data", "unknown-function", "copy_data.isra.0", "kprobe:copy_data.isra.0"],
    ["kprobe:notrace_me", "unknown-function", "cannot be traced", "calls it"],
    ["kprobe:do_nanosleep", "blacklisted", "permits no kprobe in do_nanosleep", "blacklist"],
    ["kprobe:nosuch:vfs_read", "unknown-function", "no module nosuch", "kprobe:vmlinux:vfs_read"],
    ["kprobe:kvm:fuse_open", "unknown-function", "no function kvm:fuse_open", "kprobe:fuse:fuse_open"],
    ["kprobe:copy_data.part.*", "no-match", "matches copy_data.part.*", "kprobe:copy_data.isra.0"],
    ["kprobe:zzz*", "no-match", "matches zzz*", "tracedeck list 'kprobe:*'"],
    ["kprobe:nosuch:*", "no-match", "no module nosuch", ""],
    ["fentry:init_once", "ambiguous-function", "vmlinux and fuse", "fentry:fuse:init_once"],
    ["fentry:fuse_open", "no-prototype", "BTF has no prototype of fuse_open", "kprobe"],
    ["kprobe:vfs_read+64", "offset-outside", "+64 is in vfs_write", ""],
    ["kretprobe:vfs_read+4", "probe-syntax", "takes no offset", "kprobe"],
    ["fentry:0xffffffff81000000", "probe-syntax", "no address", "kprobe"],
    ["kprobe:0xffffffff81000000", "unsafe", "crash", "--unsafe"],
    ["kprobe:a:b:c", "probe-syntax", "kprobe:MODULE:FUNCTION", ""],
  ])("%s", (spec, code, message, hint) => {
    const [found] = checkSource(`${spec} { @ = count(); }`, {}, own).diagnostics;
    expect(found).toMatchObject({ severity: "error", code });
    expect(found.message).toContain(message);
    expect(found.hint ?? "").toContain(hint);
  });

  it("--unsafe tries what the kernel keeps out of its list", () =>
    expect(attachOf("kprobe:notrace_me", own, { unsafe: true })).toMatchObject({ function: "notrace_me" }));

  it("say how to go on with the rest, where there is one", () => {
    const notesOf = (specs: string) => checkSource(`${specs} { @ = count(); }`, {}, own).diagnostics[0].notes;
    expect(notesOf("kprobe:nosuch")).toBeUndefined();
    expect(notesOf("kprobe:nosuch,kprobe:vfs_read")![0].message).toContain("missing_probes=warn");
  });

  it("missing_probes=warn and ignore leave the rest", () => {
    for (const [how, severities] of [
      ["warn", ["warning"]],
      ["ignore", []],
    ] as const) {
      const source = `config = { missing_probes=${how} } kprobe:nosuch,kprobe:vfs_read { @ = count(); }`;
      const { program, diagnostics } = checkSource(source, {}, own);
      expect(diagnostics.map(({ severity }) => severity)).toEqual(severities);
      expect(program!.actions[0].probes).toHaveLength(1);
    }
  });
});

describe("kernels with one of kprobe and fentry", () => {
  const without = (...missing: string[]) =>
    kernelWith(FUNCTIONS, { has: (feature) => !missing.includes(feature), whyNot: () => "for a reason" });
  const noKprobes = without("kprobes", "kprobe_multi");
  const noFentry = without("fentry", "fexit");
  const FALLBACK = "config = { kernel_function_fallback=true }";
  const hintOf = (source: string, own: Kernel) => checkSource(source, {}, own).diagnostics[0].hint ?? "";

  it("say which of the two works", () => {
    expect(hintOf("kprobe:vfs_read { @ = count(); }", noKprobes)).toContain("write fentry:vfs_read");
    expect(hintOf("fexit:vfs_read { @ = count(); }", noFentry)).toContain("write kretprobe:vfs_read");
    const neither = without("kprobes", "fentry", "fexit");
    expect(hintOf("kprobe:vfs_read { @ = count(); }", neither)).toContain("nor does fentry work here");
    expect(hintOf("kprobe:sched_switch { @ = count(); }", neither)).toContain("rawtracepoint:sched_switch");
  });

  const standIn = (source: string, own: Kernel) => {
    const { program, diagnostics } = checkSource(`${FALLBACK} ${source}`, {}, own);
    expect(diagnostics.map(({ code, severity }) => [code, severity])).toEqual([["stand-in", "warning"]]);
    return program!.actions[0];
  };
  const storedBy = (source: string, own: Kernel) => {
    const [statement] = standIn(source, own).body.statements;
    return statement.op === "set-map" ? statement.value : undefined;
  };

  it("let kprobe stand in for fentry, with its arguments, and say so", () => {
    const action = standIn("fentry:vfs_read { @ = args.count; }", noFentry);
    expect(action.probes[0]).toMatchObject({
      name: "fentry:vmlinux:vfs_read",
      attach: { kind: "kprobe", function: "vfs_read", typed: true, return: false },
    });
    expect(storedBy("fentry:vfs_read { @ = args.count; }", noFentry)).toMatchObject({ op: "arg", index: 2 });
    expect(storedBy("fexit:vfs_read { @ = retval; }", noFentry)).toMatchObject({
      op: "cast",
      operand: { op: "retval" },
      type: { kind: "int", size: 8, signed: true },
    });
    expect(storedBy("fentry:vfs_read { @ = probetype; }", noFentry)).toMatchObject({ value: "fentry" });
  });

  it("know that kretprobe has no arguments to stand in with", () => {
    const { diagnostics } = checkSource(`${FALLBACK} fexit:vfs_read { @ = args.count; }`, {}, noFentry);
    expect(diagnostics.find(({ severity }) => severity === "error")!.message).toContain(
      "stands in for fexit",
    );
  });

  it("let fentry stand in for kprobe", () => {
    const action = standIn("kprobe:vfs_read { @ = arg2; }", noKprobes);
    expect(action.probes[0]).toMatchObject({
      name: "kprobe:vfs_read",
      attach: { kind: "fentry", untyped: true, exit: false },
    });
    expect(storedBy("kprobe:vfs_read { @ = arg2; }", noKprobes)).toMatchObject({ op: "arg", index: 2 });
    expect(storedBy("kretprobe:vfs_read { @ = retval; }", noKprobes)).toMatchObject({
      op: "retval",
      slot: 4,
      type: { kind: "int", size: 8, signed: false },
    });
  });

  it("stand in for single functions that have no prototype", () => {
    const action = standIn("fentry:fuse_open { @ = count(); }", kernel);
    expect(action.probes[0].attach).toMatchObject({ kind: "kprobe", function: "fuse_open", module: "fuse" });
  });
});

describe("functions of BPF programs", () => {
  const own = kernelWith(FUNCTIONS, {
    bpfFunctions: () => [
      { program: 12, name: "handle_exec", btfId: 7 },
      { program: 12, name: "helper_of_it", btfId: 9 },
      { program: 30, name: "handle_exec", btfId: 7 },
    ],
  });
  it.each<[string, string[]]>([
    ["fentry:bpf:handle_exec", ["fentry:bpf:12:handle_exec", "fentry:bpf:30:handle_exec"]],
    ["fexit:bpf:30:handle_exec", ["fexit:bpf:30:handle_exec"]],
    ["fentry:bpf:12:*", ["fentry:bpf:12:handle_exec", "fentry:bpf:12:helper_of_it"]],
    ["fentry:bpf:*:helper*", ["fentry:bpf:12:helper_of_it"]],
  ])("%s", (spec, names) => expect(namesOf(spec, own)).toEqual(names));

  it("carry the program and the function's type", () =>
    expect(attachOf("fentry:bpf:12:helper_of_it", own)).toMatchObject({ program: 12, btfId: 9 }));

  it.each<[string, string, string]>([
    ["fentry:bpf:handle_exek", "no BPF program", "did you mean handle_exec?"],
    ["fentry:bpf:99:x", "no BPF program 99", "12:handle_exec"],
    ["fentry:bpf:many:x", "no program's id", ""],
  ])("%s", (spec, message, hint) => {
    const [found] = checkSource(`${spec} { @ = count(); }`, {}, own).diagnostics;
    expect(found.message).toContain(message);
    expect(found.hint ?? "").toContain(hint);
  });
});
