/** The functions of the reference, each called with values whose answer is known. */
import { readFileSync } from "node:fs";
import { prints } from "./rows.ts";

prints("bytes and addresses", [
  [
    "print((bswap((uint8)0x12), bswap((uint16)0x1234), bswap((uint32)0x12345678)))",
    "(18, 13330, 2018915346)",
  ],
  ['$a = (uint64)0x0102030405060708; printf("%lx\\n", bswap($a))', "807060504030201"],
  ['$a = (uint16)0x1234; $b = (uint32)0x12345678; printf("%x %x\\n", bswap($a), bswap($b))', "3412 78563412"],
  ["print((ntop(0x0100007f), ntop(2, 0x0100007f)))", "(127.0.0.1, 127.0.0.1)"],
  ['print(ntop(pton("192.168.1.200")))', "192.168.1.200"],
  ['print(ntop(pton("fe80::1:2")))', "fe80::1:2"],
  ['print(ntop(10, pton("2001:db8::ff00:42:8329")))', "2001:db8::ff00:42:8329"],
  ['print((uint32)pton("127.0.0.1") == 0x0100007f)', "true"],
  ['@[ntop(pton("1.2.3.4"))] = 1', "@[1.2.3.4]: 1"],
  ['print(kaddr("vfs_read") == kaddr("vfs_read"))', "true"],
  ['print(ksym(kaddr("vfs_read"))); @[ksym(kaddr("vfs_write"))] = 1', "vfs_read\n@[vfs_write]: 1"],
  ['print(cgroupid("/sys/fs/cgroup") >= 0)', "true"],
]);

prints("types", [
  ["print((is_ptr(curtask), is_ptr(1), is_literal(1), is_literal(pid)))", "(true, false, true, false)"],
  [
    "print((is_array((int8[2])(uint16)1), is_array(1), is_unsigned_integer((uint8)1), is_unsigned_integer(-1)))",
    "(true, false, true, false)",
  ],
  [
    "struct point { int x; struct { char c; long d; } in; } begin { print((sizeof(struct point), offsetof(struct point, in), offsetof(struct point, in.d))) }",
    "(24, 8, 16)",
  ],
  ["print((sizeof(struct task_struct) > 1000, offsetof(struct task_struct, comm) > 0))", "(true, true)"],
  ['print(sizeof("four"))', "5"],
  ["let $a: typeof((uint16)1); print(sizeof($a))", "2"],
]);

prints("time", [
  ['print(strftime("%Y", nsecs))', String(new Date().getFullYear())],
  ['printf("%s\\n", strftime("%d/%m/%Y", nsecs))', /^\d\d\/\d\d\/\d{4}\n$/],
  ['time("%Y\\n")', String(new Date().getFullYear())],
  ['print(strftime("%H:%M:%S.%f", nsecs))', /^\d\d:\d\d:\d\d\.\d{6}\n$/],
  ["time()", /^\d\d:\d\d:\d\d\n$/],
  ["$a = nsecs; $b = nsecs; print(($b >= $a, $b - $a < 1s))", "(true, true)"],
  ["$m = nsecs(monotonic); $b = nsecs(boot); print(($m > 0, $b >= $m))", "(true, true)"],
  ["print(nsecs(tai) > 1600000000000000000)", "true"],
  ["print(elapsed < 10s)", "true"],
]);

prints("output", [
  ['cat("/proc/sys/kernel/ostype")', readFileSync("/proc/sys/kernel/ostype", "utf8").trimEnd()],
  ['cat("/proc/sys/kernel/%s", "ostype")', readFileSync("/proc/sys/kernel/ostype", "utf8").trimEnd()],
  ['system("echo %s %d", "a b", 5)', "a b 5\n", ["--unsafe"]],
  ['system("printf one; printf two")', /^onetwo/, ["--unsafe"]],
  ['config = { max_cat_bytes=3 } begin { cat("/proc/sys/kernel/ostype") }', "Lin"],
]);
