import { describe, expect, test } from "vitest";
import { archFor } from "./arch.ts";
import { parseCpuList } from "./cpus.ts";
import { Errno, kernelAtLeast, SysError, UnsupportedError } from "./errno.ts";
import { Kallsyms } from "./kallsyms.ts";
import { lastAtMost, sortAddresses } from "./order.ts";
import { parseFieldLine, parseTracepointFormat } from "./tracefs.ts";

test("lists of CPUs", () => {
  expect(parseCpuList("0-3,8\n")).toEqual([0, 1, 2, 3, 8]);
  expect(parseCpuList("0")).toEqual([0]);
  expect(parseCpuList("")).toEqual([]);
});

test("processors", () => {
  const x64 = archFor("x64");
  expect(x64.functionArgs.map((name) => x64.registers[name])).toEqual([112, 104, 96, 88, 72, 64]);
  expect(x64.registers.rip).toBe(128);
  const arm64 = archFor("arm64");
  expect(arm64.functionArgs.map((name) => arm64.registers[name])).toEqual([0, 8, 16, 24, 32, 40, 48, 56]);
  expect(arm64.syscallArgs.map((name) => arm64.registers[name])).toEqual([272, 8, 16, 24, 32, 40]);
  for (const arch of [x64, arm64]) {
    const { stackPointer, framePointer, instructionPointer, returnRegister, syscallNumber } = arch;
    for (const name of [stackPointer, framePointer, instructionPointer, returnRegister, syscallNumber]) {
      expect(arch.registers[name]).toBeGreaterThanOrEqual(0);
    }
  }
  expect(() => archFor("mips")).toThrow("mips");
});

describe("errors say what to do", () => {
  test("call, errno, hint", () => {
    const error = new SysError("perf_event_open(hardware cpu-cycles)", Errno.ENOENT);
    expect(error).toMatchObject({ code: "ENOENT", errno: 2, call: "perf_event_open(hardware cpu-cycles)" });
    expect(error.message).toContain("virtual machines often have no hardware counters");
    expect(new SysError("bpf(BPF_MAP_UPDATE_ELEM, x)", Errno.E2BIG).hint).toContain("maxEntries");
    expect(new SysError("read", 111).message).toBe("read: error 111 (E111)");
  });

  test("the version is named to those who lack it", () => {
    expect(new UnsupportedError("x", "no", "99.1").message).toContain("needs Linux 99.1");
    expect(new UnsupportedError("x", "no", "3.0").message).toBe("x: no");
    expect(kernelAtLeast("3.10")).toBe(true);
    expect(kernelAtLeast("99.0")).toBe(false);
  });
});

describe("fields of tracepoints", () => {
  const rows: [string, object][] = [
    [
      "field:char comm[16];	offset:8;	size:16;	signed:0;",
      { name: "comm", type: "char", offset: 8, size: 16, arrayLength: 16, isArray: true },
    ],
    [
      "field:pid_t pid;	offset:24;	size:4;	signed:1;",
      { name: "pid", type: "pid_t", signed: true, isArray: false },
    ],
    [
      "field:const char * filename;	offset:16;	size:8;	signed:0;",
      { name: "filename", type: "const char *" },
    ],
    [
      "field:__data_loc char[] name;	offset:8;	size:4;	signed:0;",
      { name: "name", type: "char", dataLoc: true, isArray: true },
    ],
    ["field:__rel_loc char[] name;	offset:8;	size:4;	signed:0;", { dataLoc: false, relLoc: true }],
    [
      "field:unsigned long args[6];	offset:16;	size:48;	signed:0;",
      { type: "unsigned long", arrayLength: 6 },
    ],
    [
      "field:__u8 saddr[sizeof(struct sockaddr_in6)];	offset:40;	size:28;	signed:0;",
      { name: "saddr", arrayLength: 0 },
    ],
    ["field:unsigned char common_flags;	offset:2;	size:1;", { name: "common_flags", signed: false }],
  ];
  test.each(rows)("%s", (line, expected) => expect(parseFieldLine(line)).toMatchObject(expected));

  test("a whole file", () => {
    const text = `name: sched_wakeup\nID: 321\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\n\tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n\nprint fmt: "comm=%s", REC->comm\n`;
    const format = parseTracepointFormat("sched", text);
    expect(format).toMatchObject({ category: "sched", name: "sched_wakeup", id: 321 });
    expect(format.fields.map(({ name }) => name)).toEqual(["common_type", "comm"]);
  });
});

describe("kernel symbols", () => {
  const text = Buffer.from(
    [
      "0000000000000000 A fixed_percpu_data",
      "ffffffff81000000 T _stext",
      "ffffffff81000400 T vfs_read",
      "ffffffff81000800 t vfs_read_locked",
      "ffffffff82000000 D jiffies",
      "ffffffffc0001000 t helper\t[ext4]",
      "ffffffffc0000500 t vfs_read\t[odd]",
      "",
    ].join("\n"),
  );
  const symbols = Kallsyms.load(text);

  test("by name", () => {
    expect(symbols.addressOf("vfs_read")).toBe(0xffffffff81000400n);
    expect(symbols.find("vfs_read", "odd")).toMatchObject({
      address: 0xffffffffc0000500n,
      module: "odd",
      type: "t",
    });
    expect(symbols.find("jiffies")).toMatchObject({ type: "D", module: "" });
    expect(symbols.find("vfs")).toBeUndefined();
    expect(symbols.find("helper", "")).toBeUndefined();
  });

  test("by address", () => {
    expect(symbols.symbolAt(0xffffffff810007ffn)).toEqual({ name: "vfs_read", offset: 0x3ff, module: "" });
    expect(symbols.symbolAt(0xffffffffc0000501n)).toEqual({ name: "vfs_read", offset: 1, module: "odd" });
    expect(symbols.symbolAt(0xffffffffc0001000n)).toMatchObject({ name: "helper", module: "ext4" });
    expect(symbols.symbolAt(0xffffffff80000000n)).toBeUndefined();
    expect(symbols.symbolAt(0x400000n)).toBeUndefined();
  });

  test("functions", () => {
    const names: string[] = [];
    symbols.forEachFunction((name, module) => names.push(module ? `${module}:${name}` : name));
    expect(names).toEqual(["_stext", "vfs_read", "vfs_read_locked", "ext4:helper", "odd:vfs_read"]);
  });

  test("addresses of all functions of some names", () => {
    const more = Kallsyms.load(
      Buffer.from(`ffffffff80000000 t vfs_read\n${text.toString("latin1")}ffffffffc0002000 t last\t[odd]`),
    );
    expect(
      more.functionAddresses(new Set(["vfs_read", "odd:vfs_read", "odd:last", "jiffies", "gone"])),
    ).toEqual(
      new Map([
        ["vfs_read", [0xffffffff80000000n, 0xffffffff81000400n]],
        ["odd:vfs_read", [0xffffffffc0000500n]],
        ["odd:last", [0xffffffffc0002000n]],
      ]),
    );
  });

  test("hidden addresses are told", () => {
    const hidden = Kallsyms.load(Buffer.from("0000000000000000 T _stext\n0000000000000000 T vfs_read\n"));
    expect(hidden.hasAddresses).toBe(false);
    expect(hidden.addressOf("vfs_read")).toBeUndefined();
    expect(() => hidden.symbolAt(0xffffffff81000000n)).toThrow("CAP_SYSLOG");
  });
});

test("order by address", () => {
  const base = 0xffff81000000;
  const addresses = Float64Array.from([5, 1, 2 ** 43, 0, 3].map((n) => n + base));
  const { order, sorted } = sortAddresses(addresses, 5, base);
  expect([...order]).toEqual([3, 1, 4, 0, 2]);
  expect([...sorted]).toEqual([0, 1, 3, 5, 2 ** 43].map((n) => n + base));
  const few = Float64Array.of(1, 3, 3, 7);
  expect([0, 1, 2, 3, 6, 7, 9].map((n) => lastAtMost(few, n))).toEqual([-1, 0, 0, 2, 2, 3, 3]);
});

test("order of more than a million addresses", () => {
  const count = 2 ** 20 + 3;
  const addresses = Float64Array.from({ length: count }, (_, i) => 0x400000 + ((i * 7919) % count) * 16);
  const { order, sorted } = sortAddresses(addresses, count, 0);
  expect([0, 1, count - 1].map((i) => sorted[i])).toEqual([0x400000, 0x400010, 0x400000 + (count - 1) * 16]);
  expect(sorted.every((address, i) => address === addresses[order[i]])).toBe(true);
});
