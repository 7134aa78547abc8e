/** printf: every conversion with its flags, widths and precisions, of every kind of argument. */
import { prints } from "./rows.ts";

const f = (format: string, ...args: string[]): string =>
  `printf("${format}\\n"${args.map((a) => `, ${a}`).join("")})`;

prints("integers", [
  [f("%d %i %u", "-5", "-6", "7"), "-5 -6 7"],
  [f("[%5d] [%-5d] [%05d] [%+d] [% d]", "42", "42", "42", "42", "42"), "[   42] [42   ] [00042] [+42] [ 42]"],
  [f("[%.3d] [%8.4d]", "7", "42"), "[007] [    0042]"],
  [f("%x %X %o %#x %#o", "255", "255", "8", "255", "8"), "ff FF 10 0xff 010"],
  [
    f("%hhx %hx %x %jx", "0x12345678abcdef", "0x12345678abcdef", "0x12345678abcdef", "0x12345678abcdef"),
    "ef cdef 78abcdef 12345678abcdef",
  ],
  [f("%hhd %hd %d %ld %lld", "200", "40000", "-1", "-1", "-1"), "-56 -25536 -1 -1 -1"],
  [
    f("%lu %llu %zu", "18446744073709551615", "18446744073709551615", "5"),
    "18446744073709551615 18446744073709551615 5",
  ],
  [f("%ld", "9223372036854775807"), "9223372036854775807"],
  [f("%p", "0x1234"), "0x1234"],
  [f("%c%c%c", "72", "105", "33"), "Hi!"],
  [f("%d%%", "50"), "50%"],
  [f("%d %d", "true", "false"), "1 0"],
  [f("%s %s", "true", "false"), "true false"],
  [f("%-10lld|%10lld|", "-3", "-3"), "-3        |        -3|"],
  [f("%llx", "-1"), "ffffffffffffffff"],
  [f("%016lx", "0xabc"), "0000000000000abc"],
]);

prints("strings and other values", [
  [
    f("[%s] [%8s] [%-8s] [%.2s] [%6.3s]", '"abc"', '"abc"', '"abc"', '"abc"', '"abcdef"'),
    "[abc] [     abc] [abc     ] [ab] [   abc]",
  ],
  [f("%s", '(1, "a", (2, 3))'), "(1, a, (2, 3))"],
  [f("%d %s %d", "1", '"x"', "2"), "1 x 2"],
  [f("no arguments"), "no arguments"],
  [f("a\\tb\\\\c\\x21"), "a\tb\\c!"],
  [f("%s", "comm"), /\S/],
  [f("%s %d", "probe", "pid > 0"), "begin 1"],
  [f("%r %rx %rh", 'buf("a\\n", 2)', 'buf("a\\n", 2)', 'buf("a\\n", 2)'), "a\\x0a \\x61\\x0a 61 0a"],
  [f("%s", "ntop(0x0100007f)"), "127.0.0.1"],
  [f("%s", 'macaddr((int8[6])"abcde")'), "61:62:63:64:65:00"],
  [f("%s %d", "(int8[4])(uint32)0x04030201", "1"), "[1,2,3,4] 1"],
  ['$a = "x"; printf("%s", $a); printf("%s\\n", "y")', "xy"],
]);

prints("enums", [
  ['enum color { RED = 3, BLUE = 5 } begin { $c = RED; printf("%s %d %s\\n", $c, $c, BLUE) }', "RED 3 BLUE"],
  ["enum { ONE = 1, TWO = 2 } begin { @[ONE] = TWO; print(ONE) }", "ONE\n@[ONE]: TWO"],
  [
    "enum { ONE = 1, TWO = 2 } begin { @ = (ONE, TWO); @k[ONE, TWO] = -1 }",
    "@: (ONE, TWO)\n@k[ONE, TWO]: -1",
  ],
  ["enum { ONE = 1, TWO = 2 } begin { @[ONE + 1] = TWO - 1 }", "@[2]: 1"],
  ["enum color { RED = 3 } begin { print((enum color)3); print((enum color)4) }", "RED\n4"],
  [
    "enum color { RED, GREEN, BLUE = RED + 10 } begin { print(((int64)GREEN, (int64)BLUE, GREEN == 1)) }",
    "(1, 10, true)",
  ],
]);

prints("flags of memory allocations", [[f("%gr", "0"), /^\S*$/m]]);

prints("print of values", [
  ['print(1); print("text"); print(true); print((1, "x")); print(-5)', "1\ntext\ntrue\n(1, x)\n-5"],
  ["print((uint8)255); print((int8)255)", "255\n-1"],
  ['print(pton("10.1.2.3"))', "[10,1,2,3]"],
  ['print(ntop(pton("::1")))', "::1"],
  ["print((int8 *)16)", "0x10"],
  ['print(ksym(kaddr("vfs_read")))', "vfs_read"],
]);
