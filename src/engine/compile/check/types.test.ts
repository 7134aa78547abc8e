import { expect, describe as group, it } from "vitest";
import { checked } from "../testing/check.ts";
import type { TypedProgram, TypedStatement } from "../typed.ts";
import { describe } from "./describe.ts";

const PROBE = "kprobe:vfs_read";

/** The type that `@r` takes from an assignment; `before` stands in front of it. */
function typeOf(expression: string, before = "", probe = PROBE): string {
  const program = checked(`${probe} { ${before} @r = ${expression}; }`);
  return describe(program.maps.find((map) => map.name === "@r")!.value);
}

const maps = (program: TypedProgram): Record<string, string> =>
  Object.fromEntries(
    program.maps.map((map) => [
      map.name,
      `${map.key ? `${describe(map.key)} → ` : ""}${describe(map.value)}`,
    ]),
  );

group("literals", () => {
  it.each([
    ["0", "int8"],
    ["-1", "int8"],
    ["127", "int8"],
    ["128", "int16"],
    ["-129", "int16"],
    ["40000", "int32"],
    ["5000000000", "int64"],
    ["18446744073709551615", "uint64"],
    ["1 + 2", "int8"],
    ["100 * 100", "int16"],
    ["~0", "int8"],
    ["true", "bool"],
    ["1 == 2", "bool"],
    ['"hello"', "string[6]"],
    ["1s", "int32"],
    ["(uint16)1", "uint16"],
    ["(uint8)-1", "uint8"],
    ["sizeof(uint32)", "uint64"],
    ["sizeof(curtask.comm) == 16 ? 1 : 1000", "int8"],
    ["bswap((uint32)1)", "uint32"],
  ])("%s is %s", (expression, type) => expect(typeOf(expression)).toBe(type));
});

group("operators", () => {
  it.each([
    ["pid + 1", "", "uint64"],
    ["pid + tid", "", "uint64"],
    ["nsecs - 5", "", "int64"],
    ["nsecs * -1", "", "int64"],
    ["nsecs / 1000", "", "uint64"],
    ["$a + 1", "$a = (int32)5;", "int64"],
    ["$a << 3", "$a = (uint32)1;", "uint64"],
    ["pid == 5", "", "bool"],
    ["!pid", "", "bool"],
    ["-pid", "", "int64"],
    ["pid > 5 && tid > 6", "", "bool"],
    ["pid ? 1 : 300", "", "int16"],
    ['pid ? "a" : "longer"', "", "string[7]"],
    ["comm == $c", "$c = comm;", "bool"],
    ['(1, "x").1', "", "string[2]"],
    ["(a=1, b=comm).b", "", "string[16]"],
    ["(1, 2)[1]", "", "int8"],
  ])("%s is a %3$s", (expression, before, type) => expect(typeOf(expression, before)).toBe(type));
});

group("names grow", () => {
  it.each([
    ["$a = 1; $a = 1000;", "int16"],
    ["$a = 1; $a = -1000;", "int16"],
    ["$a = 1; $a = (uint64)2;", "uint64"],
    ["$a = (uint64)1; $a = (int64)-1;", "int64"],
    ["$a = (uint32)1; $a = (int32)-1;", "int64"],
    ["$a = (uint8)1; $a = (int32)-1;", "int32"],
    ["$a = 0; $a++;", "int64"],
    ["$a = 0; $a += 1;", "int64"],
    ['$a = "x"; $a = "longer";', "string[7]"],
    ['$a = (1, "x"); $a = (1000, "longer");', "(int16, string[7])"],
    ["let $a; if (pid) { $a = 3 }", "int8"],
    ["let $a: uint16 = 3;", "uint16"],
    ["let $a: string[20] = comm;", "string[20]"],
  ])("%s makes %s", (source, type) => expect(typeOf("$a", source)).toBe(type));

  it("through other names, whatever the order", () => {
    const program = checked(`${PROBE} { $x = @a; @b = $x; } ${PROBE} { @a = 1; @a = (uint32)5; }`);
    expect(maps(program)).toEqual({ "@b": "uint32", "@a": "uint32" });
  });

  it("keys too", () => {
    const program = checked(
      `${PROBE} { @m[1, "a"] = 1; @m[pid, comm] = 2; delete(@m, (3, "abc")); @n[tid]++; @n[(int64)-1]++; }`,
    );
    expect(maps(program)).toEqual({ "@m": "(uint32, string[16]) → int8", "@n": "int64 → int64" });
  });
});

group("maps", () => {
  it.each<[string, Record<string, string>]>([
    ["@ = count();", { "@": "count()" }],
    ["@[comm] = hist(arg2);", { "@": "string[16] → hist()" }],
    ["@x = lhist(arg2, 0, 100, 10);", { "@x": "lhist()" }],
    ["@s = sum(-1); @s = sum(arg0);", { "@s": "sum()" }],
    ["@c = count(); @y = (uint64)@c;", { "@c": "count()", "@y": "uint64" }],
    ["@c = count(); @y = 1; @y = @c;", { "@c": "count()", "@y": "uint64" }],
    ["@[dw_ustack(perf, 5)] = count();", { "@": "ustack(perf, 5) → count()" }],
    ["@[kstack(3), ustack(perf)] = count();", { "@": "(kstack(bpftrace, 3), ustack(perf, 127)) → count()" }],
    ["@s[tid] = nsecs; @ns = hist(nsecs - @s[tid]);", { "@s": "uint32 → uint64", "@ns": "hist()" }],
    ["@x++;", { "@x": "int64" }],
    ["@x = @x + 1;", { "@x": "int64" }],
    ["@x = @y; @y = @x;", { "@x": "int8", "@y": "int8" }],
    ["@x[pid] = @x[tid] ? 5 : 1000;", { "@x": "uint32 → int16" }],
    ["@ = { let $a = 100; avg($a) };", { "@": "avg()" }],
    ["@x -= 3;", { "@x": "int64" }],
  ])("%s", (source, expected) => expect(maps(checked(`${PROBE} { ${source} }`))).toEqual(expected));

  it("that the kernel must merge are marked", () => {
    const program = checked(`${PROBE} { @a = count(); @b = count(); if (@a > 5) { exit(); } }`);
    expect(program.maps.map((map) => map.readInKernel)).toEqual([true, false]);
  });

  it("walked by for give key and value", () => {
    const program = checked(
      `${PROBE} { @m[pid, comm] = sum(arg2); for ($kv : @m) { @r = $kv.0.1; @s = $kv.1; } }`,
    );
    expect(maps(program)).toMatchObject({ "@r": "string[16]", "@s": "uint64" });
  });

  it("declared with a kind and a size keep them", () => {
    const program = checked("let @a = lruhash(100); begin { @a[1] = 2; }");
    expect(program.maps[0].declared).toEqual({ mapType: "lruhash", maxEntries: 100 });
  });
});

group("kernel types", () => {
  it.each([
    ["curtask", "struct task_struct *"],
    ["curtask.comm", "string[17]"],
    ["curtask.real_parent.pid", "int32"],
    ["((struct file *)arg0).f_path.dentry.d_name.name", "uint8 *"],
    ["((struct sock *)arg0).__sk_common.skc_daddr", "uint32"],
    ["((struct sock *)arg0)->__sk_common.skc_reuse", "uint8"],
    ["*(struct path *)arg0", "struct path"],
    ["((int32 *)arg0)[2]", "int32"],
    ["*(uint16 *)arg0", "uint16"],
    ["(size_t)arg0", "uint64"],
    ["(int8[8])nsecs", "int8[8]"],
    ['(uint32)pton("127.0.0.1")', "uint32"],
    ["offsetof(struct task_struct, comm)", "uint64"],
    ["TCP_ESTABLISHED == 1", "bool"],
    ["PIDTYPE_TGID", "enum pid_type"],
  ])("%s is %s", (expression, type) => expect(typeOf(expression)).toBe(type));

  it("reads bit-fields by place and width", () => {
    const program = checked(`${PROBE} { @r = ((struct sock_common *)arg0).skc_reuseport; }`);
    const [statement] = program.actions[0].body.statements as (TypedStatement & { op: "set-map" })[];
    expect(statement.value).toMatchObject({
      op: "field",
      field: { offset: 19, bit: { offset: 4, width: 1 } },
    });
  });

  it("gives structs of the script C's layout", () => {
    const source =
      "struct s { char a; int b; short c : 3; short d : 6; union { long e; char f[3]; }; struct { char g; } h; };";
    for (const [path, offset] of Object.entries({ b: 4, e: 16, f: 16, h: 24, "h.g": 24 })) {
      const program = checked(`${source} begin { @ = offsetof(struct s, ${path}); @s = sizeof(struct s); }`);
      const values = program.actions[0].body.statements.map(
        (s) => (s as TypedStatement & { op: "set-map" }).value,
      );
      expect(values).toMatchObject([{ value: BigInt(offset) }, { value: 32n }]);
    }
  });
});

group("functions", () => {
  it.each([
    ["str(arg0)", "string[1024]"],
    ["str(arg0, 3)", "string[3]"],
    ["str(arg0, arg2)", "string[1024]"],
    ["buf(arg0, 8)", "buffer[8]"],
    ["ksym(arg0)", "ksym"],
    ["ntop(arg0)", "inet"],
    ['strncmp(comm, "ab", 2)', "int64"],
    ['strftime("%H", nsecs)', "timestamp"],
    ['kaddr("avenrun")', "uint64"],
    ["macaddr(arg0)", "macaddr"],
    ['reg("ip")', "uint64"],
    ["username", "username"],
    ["probe", "probe"],
    ["func", "ksym"],
    ["nsecs(monotonic)", "uint64"],
    ["comm", "string[16]"],
    ["cgroup", "uint64"],
    ['cgroupid("/sys/fs/cgroup")', "uint64"],
    ["ncpus", "uint64"],
    ["rand", "uint32"],
    ["ppid", "int32"],
    ["strerror(2)", "string[26]"],
    ["strerror(arg0)", "enum error"],
    ["syscall_name(257)", "string[7]"],
    ["arg0", "uint64"],
  ])("%s is %s", (expression, type) => expect(typeOf(expression)).toBe(type));

  it("find() sets its variable and tells", () => {
    const program = checked(`${PROBE} { @m[1] = comm; let $v; if (find(@m, 1, $v)) { @r = $v; } }`);
    expect(maps(program)).toMatchObject({ "@r": "string[16]" });
  });
});

group("parameters", () => {
  const value = (expression: string, options: object) => {
    const program = checked(`begin { @r = ${expression}; }`, options);
    const { value } = program.actions[0].body.statements[0] as TypedStatement & { op: "set-map" };
    return "value" in value ? value.value : undefined;
  };

  it.each<[string, object, unknown]>([
    ["$1", { positional: ["42"] }, 42n],
    ["$1", { positional: ["0x10"] }, 16n],
    ["$1", { positional: ["0755"] }, 493n],
    ["$1", { positional: ["5s"] }, "5s"],
    ["$1", { positional: ["text"] }, "text"],
    ["str($1)", { positional: ["42"] }, "42"],
    ["str($1 + 1)", { positional: ["hello"] }, "ello"],
    ["$2", { positional: ["1"] }, 0n],
    ["str($2)", { positional: ["1"] }, ""],
    ["$#", { positional: ["a", "b"] }, 2n],
    ['getopt("n", 5)', {}, 5n],
    ['getopt("n", 5)', { named: { n: "7" } }, 7n],
    ['getopt("s", "x")', { named: { s: "y" } }, "y"],
    ['getopt("b")', {}, 0n],
    ['getopt("b")', { named: { b: true } }, 1n],
  ])("%s with %o is %s", (expression, options, expected) =>
    expect(value(expression, options)).toEqual(expected),
  );

  it("named ones are collected", () => {
    const program = checked('begin { print(getopt("limit", 10, "How many")); print(getopt("all")); }');
    expect(program.options.map(({ span: _, ...option }) => option)).toEqual([
      { name: "limit", type: "int", default: "10", description: "How many" },
      { name: "all", type: "bool", default: "false" },
    ]);
  });

  it("decide branches before the script runs", () => {
    const program = checked('begin { if (getopt("x")) { @a = 1; } else { @b = 1; } }');
    expect(Object.keys(maps(program))).toEqual(["@b"]);
  });
});
