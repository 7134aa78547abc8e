import { describe, expect, test } from "vitest";
import { type ParameterChoice, ParameterWriter } from "./parameters.ts";
import { Btf, BtfError } from "./reader.ts";
import { BtfWriter, encodeFuncInfo, encodeLineInfo } from "./writer.ts";

function sample() {
  const w = new BtfWriter();
  const int = w.int("int", 4, { signed: true });
  const char = w.int("char", 1, { signed: true, char: true });
  const u64 = w.int("unsigned long", 8);
  const bool = w.int("_Bool", 1, { bool: true });
  const comm = w.array(char, u64, 16);
  const inner = w.union("", 8, [
    { name: "pid", type: int, bitOffset: 0 },
    { name: "stamp", type: u64, bitOffset: 0 },
  ]);
  const flags = w.struct("flags", 4, [
    { name: "a", type: int, bitOffset: 0, bitSize: 3 },
    { name: "b", type: int, bitOffset: 3, bitSize: 29 },
  ]);
  const pid = w.typedef("pid_t", int);
  const task = w.struct("task", 48, [
    { name: "comm", type: comm, bitOffset: 0 },
    { name: "", type: inner, bitOffset: 128 },
    { name: "fl", type: flags, bitOffset: 192 },
    { name: "parent", type: 0, bitOffset: 256 },
    { name: "id", type: pid, bitOffset: 320 },
  ]);
  const constTask = w.const(w.volatile(task));
  const pointer = w.ptr(constTask);
  const state = w.enum(
    "state",
    4,
    [
      { name: "RUNNING", value: 0 },
      { name: "GONE", value: -2 },
    ],
    true,
  );
  const proto = w.funcProto(pointer, [
    { name: "t", type: pointer },
    { name: "ok", type: bool },
  ]);
  const func = w.func("task_of", proto, "global");
  const sec = w.datasec(".data", 4, [{ type: w.var("counter", int), offset: 0, size: 4 }]);
  w.fwd("opaque");
  return {
    bytes: w.build(),
    int,
    comm,
    inner,
    flags,
    pid,
    task,
    constTask,
    pointer,
    state,
    proto,
    func,
    sec,
  };
}

describe("what the writer builds, the reader reads", () => {
  const s = sample();
  const btf = Btf.parse(s.bytes);

  test("names", () => {
    expect(btf.findByName("task")).toBe(s.task);
    expect(btf.findByName("task", "func")).toBeUndefined();
    expect(btf.findByName("task_of", "func")).toBe(s.func);
    expect(btf.findByName("tas")).toBeUndefined();
    expect(btf.findByName("")).toBeUndefined();
    for (let i = 0; i < 20; i++)
      expect(btf.findByName(i % 2 ? "pid_t" : "state")).toBe(i % 2 ? s.pid : s.state);
  });

  test("types", () => {
    expect(btf.typeById(s.int)).toMatchObject({
      kind: "int",
      name: "int",
      size: 4,
      bits: 32,
      signed: true,
      bool: false,
    });
    expect(btf.typeById(s.comm)).toMatchObject({ kind: "array", count: 16 });
    expect(btf.typeById(s.state)).toMatchObject({
      kind: "enum",
      signed: true,
      values: [
        { name: "RUNNING", value: 0n },
        { name: "GONE", value: -2n },
      ],
    });
    expect(btf.typeById(s.func)).toMatchObject({ kind: "func", type: s.proto, linkage: "global" });
    expect(btf.typeById(s.proto)).toMatchObject({
      returns: s.pointer,
      params: [{ name: "t" }, { name: "ok" }],
    });
    expect(btf.typeById(s.sec)).toMatchObject({ kind: "datasec", entries: [{ offset: 0, size: 4 }] });
    expect(btf.typeById(0)).toEqual({ kind: "void", id: 0, name: "" });
    expect([...btf.idsOfKind("struct")]).toEqual([s.flags, s.task]);
    expect(btf.findEnumValue("GONE")).toEqual({ value: -2n, type: s.state });
    expect(btf.findEnumValue("task")).toBeUndefined();
  });

  test("members, through anonymous ones and paths", () => {
    const rows: [string, number, number][] = [
      ["comm", 0, 0],
      ["pid", 128, 0],
      ["stamp", 128, 0],
      ["fl.b", 195, 29],
      ["id", 320, 0],
    ];
    for (const [path, bitOffset, bitSize] of rows) {
      expect(btf.findMember(s.task, path)).toMatchObject({ bitOffset, bitSize });
      expect(btf.findMember(s.constTask, path)).toMatchObject({ bitOffset, bitSize });
    }
    expect(btf.findMember(s.task, "fl.c")).toBeUndefined();
    expect(btf.findMember(s.int, "x")).toBeUndefined();
  });

  test("sizes and names in C", () => {
    expect(
      [s.int, s.comm, s.task, s.constTask, s.pointer, s.pid, s.proto].map((id) => btf.sizeOf(id)),
    ).toEqual([4, 16, 48, 48, 8, 4, 0]);
    expect(btf.typeName(s.pointer)).toBe("const volatile struct task *");
    expect(btf.typeName(s.comm)).toBe("char[16]");
    expect(btf.typeName(s.proto)).toBe("const volatile struct task * (const volatile struct task *, _Bool)");
    expect(btf.skipModifiers(s.constTask)).toBe(s.task);
    expect(btf.resolve(s.pid)).toBe(s.int);
  });

  test("bytes that begin anywhere", () => {
    const shifted = new Uint8Array(s.bytes.length + 1);
    shifted.set(s.bytes, 1);
    expect(Btf.parse(shifted.subarray(1)).findByName("task")).toBe(s.task);
  });
});

/** A module's BTF: built whole, then cut into the kernel's part and what goes on top. */
test("a module goes on where the kernel ends", () => {
  const base = Btf.parse(sample().bytes);
  const w = new BtfWriter();
  const own = new BtfWriter();
  own.struct("mine", 4, [{ name: "x", type: 1, bitOffset: 0 }]);
  w.struct("mine", 4, [{ name: "x", type: 1, bitOffset: 0 }]);
  const bytes = w.build();
  // String offsets of a module count from the end of the kernel's strings.
  const view = new DataView(bytes.buffer);
  const stringsOfBase = new DataView(sample().bytes.buffer).getUint32(20, true);
  view.setUint32(24, view.getUint32(24, true) + stringsOfBase, true);
  view.setUint32(36, view.getUint32(36, true) + stringsOfBase, true);
  const module = Btf.parse(bytes, base);
  const mine = module.findByName("mine", "struct")!;
  expect(mine).toBe(base.endId);
  expect(module.findMember(mine, "x")).toMatchObject({ type: 1, bitOffset: 0 });
  expect(module.typeName(1)).toBe("int");
  expect(module.findByName("task")).toBe(base.findByName("task"));
});

test("damaged BTF is refused", () => {
  const good = sample().bytes;
  expect(() => Btf.parse(new Uint8Array(3))).toThrow(BtfError);
  expect(() => Btf.parse(new Uint8Array(64))).toThrow("magic");
  expect(() => Btf.parse(good.subarray(0, good.length - 1))).toThrow("beyond its end");
  const wrongKind = good.slice();
  new DataView(wrongKind.buffer).setUint32(28, 31 << 24, true);
  expect(() => Btf.parse(wrongKind)).toThrow("unknown kind 31");
  const loop = new BtfWriter();
  loop.const(1);
  expect(() => Btf.parse(loop.build()).resolve(1)).toThrow("refers to itself");
  expect(() => Btf.parse(loop.build()).typeName(1)).toThrow("refers to itself");
  expect(() => Btf.parse(loop.build()).typeById(7)).toThrow(RangeError);
});

test("records of functions and lines", () => {
  expect([...new Uint32Array(encodeFuncInfo([{ insnOff: 3, typeId: 9 }]).buffer)]).toEqual([3, 9]);
  const line = encodeLineInfo([{ insnOff: 1, fileNameOff: 2, lineOff: 3, line: 40, column: 5 }]);
  expect([...new Uint32Array(line.buffer)]).toEqual([1, 2, 3, (40 << 10) | 5]);
});

describe("parameters as text", () => {
  const writer = new BtfWriter();
  const int = writer.int("int", 4, { signed: true });
  const sock = writer.ptr(writer.struct("sock", 8, []));
  const send = writer.func(
    "send",
    writer.funcProto(int, [
      { name: "sk", type: sock },
      { name: "flags", type: int },
      { name: "", type: 0 },
    ]),
  );
  const close = writer.func("close", writer.funcProto(0, [{ name: "sk", type: sock }]));
  const btf = Btf.parse(writer.build());

  function written(id: number, choice: Partial<ParameterChoice>): string {
    const text = {
      bytes: new Uint8Array(0),
      length: 0,
      reserve(count: number) {
        const more = new Uint8Array(this.length + count);
        more.set(this.bytes);
        this.bytes = more;
      },
    };
    const parameters = new ParameterWriter(btf, "  ", {
      parameters: true,
      result: false,
      skip: 0,
      ...choice,
    });
    parameters.write(text, id);
    const once = text.length;
    parameters.write(text, id);
    expect(text.bytes.subarray(once, text.length)).toEqual(text.bytes.subarray(0, once));
    text.length = once;
    return new TextDecoder().decode(text.bytes.subarray(0, text.length));
  }

  test("one a line, the result last", () => {
    expect(written(send, { result: true })).toBe("  struct sock * sk\n  int flags\n  ...\n  int retval\n");
  });
  test("without the first", () => expect(written(send, { skip: 1 })).toBe("  int flags\n  ...\n"));
  test("the result alone", () =>
    expect(written(send, { parameters: false, result: true })).toBe("  int retval\n"));
  test("a function without a result has none", () =>
    expect(written(close, { parameters: false, result: true })).toBe(""));
});
