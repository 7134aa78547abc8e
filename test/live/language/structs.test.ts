/** Pointers, structures, arrays, bit-fields, unions and enums in a program's memory and in the kernel's. */
import { describe, expect, test } from "vitest";
import { canTraceC, program, traced } from "../work/support.ts";
import { prints, type Row } from "./rows.ts";

const TYPES = `
enum color { RED = 1, GREEN = 5 };
struct inner { int8_t tiny; uint16_t small; };
struct item {
  int32_t id;
  uint32_t low : 3, middle : 7, high : 6;
  int32_t negative : 4;
  struct inner in;
  uint8_t bytes[4];
  int32_t numbers[3];
  char name[12];
  const char *text;
  struct item *next;
  union { uint32_t word; uint8_t octets[4]; } u;
  enum color color;
  _Bool flag;
};
`;

/** Statements about $i, the program's `struct item *`, and what they print. */
const MEMBERS: readonly Row[] = [
  ["print($i.id)", "-7"],
  ["print($i->id)", "-7"],
  ["print((*$i).id)", "-7"],
  ["print(((struct item *)arg0).id)", "-7"],
  ["print(($i.low, $i.middle, $i.high, $i.negative))", "(5, 100, 33, -3)"],
  ["print($i.in.tiny + $i.in.small)", "64992"],
  ["print(($i.in.tiny, $i.in.small))", "(-8, 65000)"],
  ["print($i.bytes)", "[1,2,3,250]"],
  ["print(($i.bytes[0], $i.bytes[3]))", "(1, 250)"],
  ["$n = 3; print($i.bytes[$n])", "250"],
  ["print($i.numbers)", "[-1,0,70000]"],
  ["for ($k : 0..3) { print($i.numbers[$k]) }", "-1\n0\n70000"],
  ["print($i.name)", "a name"],
  ['print(($i.name == "a name", $i.name == "another"))', "(true, false)"],
  ["print(str($i.text))", "the text"],
  ["print(($i.next.id, $i.next->id, str($i.next.text)))", "(2, 2, second)"],
  ["print(($i.next != 0, $i.next.next == 0))", "(true, true)"],
  ["print(($i.u.word, $i.u.octets[0], $i.u.octets[3]))", "(67305985, 1, 4)"],
  ["print(($i.color, $i.next.color))", "(GREEN, RED)"],
  ["print(($i.color == GREEN, (int32)$i.color))", "(true, 5)"],
  ["print($i.flag)", "true"],
  ["$s = *$i; print(($s.id, $s.name, $s.in.small))", "(-7, a name, 65000)"],
  ["$in = $i.in; print($in.tiny)", "-8"],
  ["print($i.in)", "{ .tiny = -8, .small = 65000 }"],
  ["@ = $i.in; print(@.small); clear(@)", "65000"],
  ["@[$i.bytes] = 1", "@[[1,2,3,250]]: 1"],
  ["@[$i.in.tiny, $i.name] = $i.id", "@[-8, a name]: -7"],
  ["@ = $i.numbers; $n = @; print($n[2]); clear(@)", "70000"],
  ["$p = $i.next; print($p.id); $p = (struct item *)0; print($p == 0)", "2\ntrue"],
  ["$p = (int32 *)arg0; print(*$p)", "-7"],
  ["$p = (uint8 *)arg0; print((*$p, *($p + 1), $p[1]))", "(249, 255, 255)"],
  ["$a = (struct item *)arg0; $b = $a + 1; print((uint64)$b - (uint64)$a == sizeof(struct item))", "true"],
  [
    "print((sizeof($i.bytes), sizeof(*$i), offsetof(struct item, in.small) - offsetof(struct item, in)))",
    "(4, 72, 2)",
  ],
  ["print(((uint32)$i.bytes, (uint8[4])$i.u.word))", "(4194501121, [1,2,3,4])"],
  ['printf("%r\\n", buf($i.bytes))', "\\x01\\x02\\x03\\xfa"],
  ['printf("%r\\n", buf($i.text, 3))', "the"],
  ["print($i.numbers == $i.next.numbers)", "false"],
  ["print(str($i.text, 4))", /^the/],
  ["print(container_of((int8 *)arg0 + offsetof(struct item, in), typeof(struct item), in).id)", "-7"],
];

describe.skipIf(!canTraceC)("members of a program's structure", () => {
  const work = program("work.c");

  test.each(MEMBERS.map(([script, output]) => [script, output] as const))("%s", async (script, output) => {
    const { stdout, stderr } = await traced(
      work,
      "items",
      `${TYPES} uprobe:WORK:take { $i = (struct item *)arg0; ${script} }`,
    );
    expect(stderr).toBe("");
    if (typeof output === "string") expect(stdout).toBe(`${output}\n`);
    else expect(stdout).toMatch(output);
  });
});

prints("the kernel's structures", [
  ["print(((struct task_struct *)curtask).pid == tid)", "true"],
  ["print((curtask.pid == tid, curtask->tgid == pid))", "(true, true)"],
  ["print(curtask.comm == comm)", "true"],
  ["print(curtask.real_parent.tgid == ppid)", "true"],
  ["print(curtask.group_leader.pid == pid)", "true"],
  ["print((int64)curtask.nsproxy.uts_ns.name.sysname[0])", String("L".charCodeAt(0))],
  ["print(curtask.nsproxy.uts_ns.name.sysname)", "Linux"],
  ["print(str(curtask.mm.owner.comm) == comm)", "true"],
  ["$t = curtask; $t = $t.group_leader; print($t.tgid == pid)", "true"],
  ["$t = (struct task_struct *)0; print($t.pid)", "0"],
  ["print(sizeof(struct list_head))", "16"],
  ["print(curtask.files.fdt.max_fds >= 64)", "true"],
  ["$i = (struct inode *)0; print(($i.i_ino, $i.i_sb.s_dev))", "(0, 0)"],
  ["print(curtask.se.avg.load_avg >= 0)", "true"],
]);

prints("addresses of variables and maps", [
  ["$a = 5; $p = &$a; print(*$p)", "5"],
  ["$a = (1, 2); $p = &$a; print((*$p).1)", "2"],
  ["@a = 7; $p = &@a; print(*$p); clear(@a)", "7"],
  ["$p = (int8 *)0; print($p ? 1 : 2); print(!$p)", "2\ntrue"],
  ["$p = (int64 *)8; $q = $p + 2; print($q); print($q > $p)", "0x18\ntrue"],
]);

prints("pointers that are counted", [
  ["$p = (int32 *)8; $q = $p; $q--; print(($p, $q)); $r = $q++; print(($q, $r))", "(0x8, 0x4)\n(0x8, 0x4)"],
  ["@p = (int64 *)64; @p++; print(@p--); print(--@p); clear(@p);", "0x48\n0x38"],
  ["$p = (int16 *)16; @p = $p; @p++; @p++; print((@p, $p)); clear(@p);", "(0x14, 0x10)"],
  ["let $n; $n++; @n--; print(($n, @n)); clear(@n);", "(1, -1)"],
]);
