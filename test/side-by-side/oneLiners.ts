/**
 * One-liners that Debian's bpftrace (0.17) and tracedeck must answer alike. Rows without `command` do all their work in BEGIN.
 * Raw tracepoints and iterators are not among them: it takes the first for a mistake and finds no iterator in newer kernels.
 */

export interface OneLiner {
  name: string;
  script: string;
  parameters?: string[];
  /** -c: the workload, whose path replaces WORK in the script, and the address of its variable `watched` WATCHED. */
  command?: true;
  /** Asks for USDT probes in the workload. */
  usdt?: true;
  /** bpftrace needs the kernel's types for it. */
  types?: true;
}

const begin = (body: string): string => `BEGIN { ${body} exit(); }`;

const STRUCT = "struct point { int x; short y; unsigned char z[4]; const char *name; struct point *next; }";

export const ONE_LINERS: readonly OneLiner[] = [
  {
    name: "arithmetic",
    script: begin('printf("%d %d %d %d %d\\n", 7 + 3 * 2, 17 / 5, 17 % 5, 1 << 10, 0xff & 0x3c);'),
  },
  { name: "negative numbers", script: begin('$a = -7; printf("%d %d %d\\n", $a, $a + 10, -$a);') },
  { name: "logic and comparison", script: begin('printf("%d %d %d %d\\n", 3 > 2, 3 < 2 || 1, 1 && 0, !5);') },
  { name: "bits", script: begin('printf("%x %x %x\\n", 0xf0 | 0x0f, 0xff ^ 0x0f, 0xff00 >> 4);') },
  { name: "ternary", script: begin('$a = 5; printf("%s\\n", $a > 3 ? "yes" : "no");') },
  {
    name: "if and else",
    script: begin(
      '$a = 5; if ($a == 4) { printf("four\\n"); } else if ($a == 5) { printf("five\\n"); } else { printf("none\\n"); }',
    ),
  },
  { name: "while", script: begin('$i = 0; while ($i < 5) { printf("%d ", $i); $i++; } printf("\\n");') },
  {
    name: "while with break and continue",
    script: begin(
      '$i = 0; while ($i < 10) { $i++; if ($i == 3) { continue; } if ($i == 6) { break; } printf("%d\\n", $i); }',
    ),
  },
  { name: "unroll", script: begin('$i = 1; unroll(4) { $i = $i * 2; } printf("%d\\n", $i);') },
  {
    name: "printf of widths and bases",
    script: begin('printf("[%5d] [%-5d] [%05d] [%x] [%X] [%u]\\n", 42, 42, 42, 255, 255, 42);'),
  },
  { name: "printf of strings", script: begin('printf("[%s] [%8s] [%-8s]\\n", "abc", "abc", "abc");') },
  { name: "printf of characters", script: begin('printf("%c%c %d\\n", 65, 66, 50);') },
  {
    name: "printf of long integers",
    script: begin('printf("%ld %lx %lu\\n", -5, 1234567890123, 18446744073709551615);'),
  },
  {
    name: "printf of narrow integers",
    script: begin('$x = 0x12345678abcdef; printf("%hhx %hx\\n", $x, $x);'),
  },
  { name: "casts", script: begin('printf("%d %d %d\\n", (uint8)300, (int8)200, (uint16)65537);') },
  { name: "scalar map", script: begin("@x = 5; @x += 3; @y = @x * 2;") },
  { name: "string map", script: begin('@s = "hello"; @t["k"] = "world";') },
  { name: "map sorted by value", script: begin('@["a"] = 30; @["b"] = 10; @["c"] = 20;') },
  { name: "negative values sorted", script: begin("@[1] = -5; @[2] = 3; @[3] = -50; @[4] = 0;") },
  { name: "several keys", script: begin('@[1, "a"] = 1; @[2, "b"] = 2; @[1, "b"] = 3;') },
  { name: "increment and decrement", script: begin("@a++; @a++; @b--; $c = 5; $c++; @c = $c;") },
  { name: "count", script: begin("@ = count(); @ = count(); @k[1] = count();") },
  { name: "sum", script: begin("@ = sum(5); @ = sum(-7); @k[1] = sum(100);") },
  { name: "min and max", script: begin("@min = min(5); @min = min(3); @max = max(5); @max = max(9);") },
  { name: "avg", script: begin("@ = avg(10); @ = avg(20); @ = avg(33);") },
  { name: "stats", script: begin("@ = stats(10); @ = stats(20); @k[2] = stats(7);") },
  {
    name: "hist",
    script: begin(
      "@ = hist(-1); @ = hist(0); @ = hist(1); @ = hist(2); @ = hist(3); @ = hist(1000); @ = hist(1024);",
    ),
  },
  {
    name: "hist of large values",
    script: begin("@ = hist(1048576); @ = hist(3000000); @ = hist(1073741824);"),
  },
  { name: "hist by key", script: begin('@["a"] = hist(4); @["b"] = hist(8); @["b"] = hist(9);') },
  {
    name: "lhist",
    script: begin(
      "@ = lhist(-5, 0, 100, 10); @ = lhist(15, 0, 100, 10); @ = lhist(17, 0, 100, 10); @ = lhist(99, 0, 100, 10); @ = lhist(100, 0, 100, 10);",
    ),
  },
  { name: "print of a map", script: begin("@[1] = 10; @[2] = 5; print(@); clear(@);") },
  { name: "print with top", script: begin("@[1] = 10; @[2] = 5; @[3] = 7; print(@, 2); clear(@);") },
  {
    name: "print with top and div",
    script: begin("@[1] = 100; @[2] = 50; @[3] = 77; print(@, 2, 10); clear(@);"),
  },
  { name: "print of values", script: begin('print(5); print("text"); print((1, "a", (2, 3)));') },
  { name: "clear", script: begin("@a = 1; @b[1] = 2; clear(@b);") },
  {
    name: "zero",
    script: begin("@b[1] = 2; @c = count(); zero(@b); zero(@c);").replace("exit", "@d = 1; exit"),
  },
  { name: "delete", script: begin("@b[1] = 2; @b[2] = 3; delete(@b[1]);") },
  { name: "tuples", script: begin('$t = (1, "two", 3); printf("%d %s %d\\n", $t.0, $t.1, $t.2); @ = $t;') },
  {
    name: "string comparison",
    script: begin(
      '$s = "abc"; if ($s == "abc") { printf("same\\n"); } if ($s != "abd") { printf("other\\n"); }',
    ),
  },
  { name: "strncmp", script: begin('printf("%d\\n", strncmp("hello", "help", 3) == 0);') },
  { name: "buf", script: begin('printf("%r %rx\\n", buf("ab\\x01", 3), buf("hi", 2));') },
  { name: "sizeof", script: begin('printf("%d %d\\n", sizeof(uint64), sizeof(int32));') },
  {
    name: "positional parameters",
    script: begin('printf("%d %s %d\\n", $1, str($2), $#);'),
    parameters: ["42", "text"],
  },
  { name: "absent parameters", script: begin('printf("%d [%s] %d\\n", $1, str($2), $#);') },
  { name: "predicate and end", script: 'BEGIN /1 == 1/ { @ = 1; exit(); } END { printf("end %d\\n", @); }' },
  {
    name: "map value as a variable",
    script: begin('@a[1] = 7; $v = @a[1]; $w = @a[2]; printf("%d %d\\n", $v, $w);'),
  },
  {
    name: "interval",
    // It may come once more before the script has ended.
    script: 'interval:ms:10 { if (@ < 3) { @++; if (@ == 3) { printf("%d\\n", @); exit(); } } }',
  },
  {
    name: "tracepoint count",
    script: "tracepoint:syscalls:sys_enter_getppid /pid == cpid/ { @ = count(); }",
    command: true,
  },
  {
    name: "tracepoint arguments",
    script:
      "tracepoint:syscalls:sys_enter_write /pid == cpid/ { @ = hist(args->count); @sum = sum(args->count); }",
    command: true,
  },
  {
    name: "tracepoint return values",
    script: "tracepoint:syscalls:sys_exit_write /pid == cpid/ { @ = sum(args->ret); @max = max(args->ret); }",
    command: true,
  },
  {
    name: "tracepoint string",
    script:
      'tracepoint:syscalls:sys_enter_openat /pid == cpid && str(args->filename) == "/dev/null"/ { printf("%s %d\\n", str(args->filename), args->flags); }',
    command: true,
  },
  {
    name: "pair of tracepoints",
    script:
      "tracepoint:syscalls:sys_enter_write /pid == cpid/ { @start[tid] = args->count; } tracepoint:syscalls:sys_exit_write /@start[tid]/ { @same = sum(@start[tid] == args->ret); delete(@start[tid]); }",
    command: true,
  },
  {
    name: "uprobe arguments",
    script: 'uprobe:WORK:work_number { printf("%d %d\\n", arg0, (int32)arg1); }',
    command: true,
  },
  { name: "uprobe string", script: "uprobe:WORK:work_string { @[str(arg0)] = sum(arg1); }", command: true },
  {
    name: "uprobe string with length",
    script: 'uprobe:WORK:work_string { printf("%s\\n", str(arg0, 16)); }',
    command: true,
  },
  {
    name: "uretprobe",
    script: "uretprobe:WORK:work_string { @ = lhist(retval, 0, 500, 100); }",
    command: true,
  },
  {
    name: "struct members",
    script: `${STRUCT} uprobe:WORK:work_struct { $p = (struct point *)arg0; printf("%d %d %s\\n", $p->x, $p->y, str($p->name)); }`,
    command: true,
  },
  {
    name: "array members",
    script: `${STRUCT} uprobe:WORK:work_struct { $p = (struct point *)arg0; printf("%d %d\\n", $p->z[0], $p->z[3]); @[$p->z] = sum($p->z[0]); }`,
    command: true,
  },
  {
    name: "pointers to structs",
    script: `${STRUCT} uprobe:WORK:work_struct /((struct point *)arg0)->next/ { $p = (struct point *)arg0; printf("%d %s\\n", $p->next->x, str($p->next->name)); }`,
    command: true,
  },
  {
    name: "probe names",
    script: "uprobe:WORK:work_number { @[probe] = count(); } uprobe:WORK:work_struct { @[probe] = count(); }",
    command: true,
  },
  {
    name: "USDT arguments",
    script: "usdt:WORK:work:step { @[str(arg1)] = sum(arg0); @n = count(); }",
    command: true,
    usdt: true,
  },
  {
    name: "USDT without its provider",
    script: 'usdt:WORK:step { printf("%d %s\\n", arg0, str(arg1)); }',
    command: true,
    usdt: true,
  },
  {
    name: "watchpoint",
    script: "watchpoint:0xWATCHED:8:w { @ = count(); } END { @end = 1; }",
    command: true,
  },
  {
    name: "software event",
    script: "software:page-faults:1 /pid == cpid/ { @ = min(1); }",
    command: true,
  },
  { name: "profile", script: 'profile:ms:10 { @ = min(1); exit(); } END { printf("end\\n"); }' },
];
