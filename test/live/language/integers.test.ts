/** Integers: literals, widths and signs, every operator, casts. */
import { prints, warns } from "./rows.ts";

prints("integer literals", [
  ["print((0, 7, -7, 1_000_000, 0x1f, 0XFF, 0755))", "(0, 7, -7, 1000000, 31, 255, 493)"],
  ["print((1e3, 2e6, 9e0))", "(1000, 2000000, 9)"],
  ["print((10U, 10UL, 10ULL, 10L, 10LL, 10u))", "(10, 10, 10, 10, 10, 10)"],
  ["print((5ns, 5us, 5ms, 5s))", "(5, 5000, 5000000, 5000000000)"],
  ["print((2m, 3h, 1d))", "(120000000000, 10800000000000, 86400000000000)"],
  ["print(9223372036854775807)", "9223372036854775807"],
  ["print(-9223372036854775808)", "-9223372036854775808"],
  ["print(18446744073709551615)", "18446744073709551615"],
  ["print((true, false))", "(true, false)"],
  ["print((sizeof(0), sizeof(127), sizeof(128), sizeof(32768), sizeof(2147483648)))", "(1, 1, 2, 4, 8)"],
  ["print((sizeof(-128), sizeof(-129), sizeof(-32769), sizeof(-2147483649)))", "(1, 2, 4, 8)"],
]);

prints("widths", [
  ["print((sizeof(bool), sizeof(int8), sizeof(int16), sizeof(int32), sizeof(int64)))", "(1, 1, 2, 4, 8)"],
  ["print((sizeof(uint8), sizeof(uint16), sizeof(uint32), sizeof(uint64)))", "(1, 2, 4, 8)"],
  ["print((sizeof(uint64_t), sizeof(int32_t), sizeof(size_t)))", "(8, 4, 8)"],
  [
    "print((sizeof(int), sizeof(long), sizeof(short), sizeof(char), sizeof(unsigned long)))",
    "(4, 8, 2, 1, 8)",
  ],
  ["print(sizeof(uint32 *[10]))", "80"],
  ["print(sizeof({ $a = (int16)1; $a }))", "2"],
  ["$a = 1; $a = (uint64)2; print(sizeof($a))", "8"],
  ["$a = 1; $b = -1000; $a = $b; print((sizeof($a), $a))", "(2, -1000)"],
  ["print((sizeof((uint32)5 + (uint8)3), (uint32)5 + (uint8)3))", "(8, 8)"],
]);

prints("arithmetic", [
  ["print((7 + 3, 7 - 10, 6 * 7, 17 / 5, 17 % 5))", "(10, -3, 42, 3, 2)"],
  ["print((1 + 2 * 3, (1 + 2) * 3, 20 - 5 - 3, 100 / 5 / 2, 2 + 20 % 6))", "(7, 9, 12, 10, 4)"],
  ["$a = -17; print(($a / 5, $a % 5, $a / -5, $a % -5))", "(-3, -2, 3, -2)"],
  ["$a = 17; print(($a / -5, $a % -5))", "(-3, 2)"],
  ["$a = (uint64)18446744073709551615; print(($a / 10, $a % 10))", "(1844674407370955161, 5)"],
  ["$a = (uint8)250; print($a + (uint8)5)", "255"],
  ["$a = (uint64)1; $b = (uint64)2; print($a - $b)", "-1"],
  ["$a = (uint64)1; $b = (uint64)2; print((uint64)($a - $b))", "18446744073709551615"],
  ["$a = (int64)9223372036854775807; print($a + 1)", "-9223372036854775808"],
  ["$a = 3; print((-$a, -(-$a), +$a))", "(-3, 3, 3)"],
  ["$a = (int64)1 << 62; print($a * 2)", "-9223372036854775808"],
  ["$a = 5; print($a * $a * $a - $a / 2)", "123"],
]);

prints("bits", [
  ["print((0xf0 & 0x3c, 0xf0 | 0x0f, 0xff ^ 0x0f))", "(48, 255, 240)"],
  ["$a = (uint32)0; print((uint32)~$a)", "4294967295"],
  ["print(~0)", "-1"],
  ["$a = 5; print(~$a)", "-6"],
  ["print((1 << 4, 1 << 40, 256 >> 4, 1 << 0))", "(16, 1099511627776, 16, 1)"],
  ["$a = -16; print($a >> 2)", "-4"],
  ["$a = (uint64)18446744073709551615; print($a >> 60)", "15"],
  ["$s = 33; print(1 << $s)", "8589934592"],
  ["print((1 | 2 ^ 3 & 4, (1 | 2) ^ 3))", "(3, 0)"],
  ["print((1 << 2 + 1, 7 & 3 == 3))", "(8, 1)"],
]);

prints("logic and comparison", [
  [
    "print((1 < 2, 2 < 1, 2 <= 2, 3 > 2, 2 >= 3, 2 == 2, 2 != 2))",
    "(true, false, true, true, false, true, false)",
  ],
  ["$a = -1; print(($a < 0, $a < 1, $a > -2, $a == -1))", "(true, true, true, true)"],
  ["$a = (uint64)18446744073709551615; $b = (uint64)1; print(($a > $b, $a < $b))", "(true, false)"],
  ["$a = (int8)-1; $b = (int64)-1; print($a == $b)", "true"],
  ["print((1 && 1, 1 && 0, 0 || 0, 0 || 5, !0, !5))", "(true, false, false, true, true, false)"],
  ["$a = 0; $b = 3; print(($a && $b, $a || $b, !$a, !$b))", "(false, true, true, false)"],
  ["$a = 0; $b = ($a != 0 && 10 / $a > 1); print($b)", "false"],
  ["@n = 0; if (0 && { @n = 1; 1 }) {} if (1 || { @n = 2; 1 }) {} print(@n); clear(@n);", "@n: 0"],
  ["print((true == true, true != false, true && false, !true))", "(true, true, false, false)"],
  ["$t = true; $t = false; print($t)", "false"],
]);

prints("counting up and down", [
  ["$x = 10; $y = $x--; $a = 10; $b = --$a; print(($x, $y, $a, $b))", "(9, 10, 9, 9)"],
  ["$x = 10; $y = $x++; $a = 10; $b = ++$a; print(($x, $y, $a, $b))", "(11, 10, 11, 11)"],
  ["@x++; @x++; --@y; print((@x, @y)); clear(@x); clear(@y);", "(2, -1)"],
  ["print((@x++, ++@x, @x--, --@x)); clear(@x);", "(0, 2, 2, 0)"],
  ["@x[5] = 7; @x[5]++; @x[6]--; print((@x[5], @x[6])); clear(@x);", "(8, -1)"],
]);

prints("assignment operators", [
  ["$a = 10; $a += 5; print($a); $a -= 7; print($a); $a *= 6; print($a)", "15\n8\n48"],
  ["$a = 100; $a /= 7; print($a); $a %= 5; print($a)", "14\n4"],
  ["$a = 0xff; $a &= 0x3c; print($a); $a |= 0x43; print($a); $a ^= 0xf0; print($a)", "60\n127\n143"],
  ["$a = 3; $a <<= 4; print($a); $a >>= 2; print($a)", "48\n12"],
  [
    "@a = 10; @a += 5; @a -= 1; @a *= 2; @a /= 4; @a %= 4; @a <<= 5; @a >>= 1; @a |= 1; @a ^= 3; @a &= 0xf",
    "@a: 2",
  ],
  ["@a[1] = 10; @a[1] += 5; @a[2] -= 3", "@a[2]: -3\n@a[1]: 15"],
]);

prints("casts", [
  ["print(((uint8)300, (int8)200, (uint16)65537, (int16)40000))", "(44, -56, 1, -25536)"],
  [
    "print(((uint32)4294967297, (int32)2147483648, (uint64)-1, (int64)-1))",
    "(1, -2147483648, 18446744073709551615, -1)",
  ],
  [
    "$a = -1; print(((uint8)$a, (uint16)$a, (uint32)$a, (uint64)$a))",
    "(255, 65535, 4294967295, 18446744073709551615)",
  ],
  ["$a = (int8)-5; print(((int16)$a, (int32)$a, (int64)$a))", "(-5, -5, -5)"],
  ["$a = (uint8)200; print(((int8)$a, (int64)$a, (int64)(int8)$a))", "(-56, 200, -56)"],
  ["$x = 1<<16; print(((uint16)$x, $x))", "(0, 65536)"],
  ["print(((bool)0, (bool)5, (bool)-1))", "(false, true, true)"],
  ["$b = true; print(((int64)$b, (uint8)$b))", "(1, 1)"],
  ["$a = (int8[8])12345; print(($a[0], $a[1])); print((uint64)$a)", "(57, 48)\n12345"],
  ["$a = (uint8[4])(uint32)0x04030201; print($a); print((uint32)$a)", "[1,2,3,4]\n67305985"],
  ["$a = (uint8[])(uint16)0x0102; print($a)", "[2,1]"],
  ["print((bool[2])(uint16)1)", "[true,false]"],
  ["$a = (uint16[4])(uint64)0x0004000300020001; print(($a[0], $a[3]))", "(1, 4)"],
  ["print((uint64_t)1 + (uint32_t)2)", "3"],
  ["let $a: uint16 = (uint16)-1; print($a)", "65535"],
  ["$a = (typeof((uint8)1))257; print($a)", "1"],
]);

warns("what may surprise is said", [
  ["$a = 0; print(10 / $a)", "1", /^stdin:1:17-31: WARNING: division by zero.*\nbegin \{ \$a = 0; print\(10/],
  ["$a = 0; print(10 % $a)", "1", /division by zero/],
  ["@a = 0; @b = 7 / @a", "@a: 0\n@b: 1", /division by zero/],
  ["$a = (int64)0; $b = -5; print($b / $a)", "1", /division by zero/],
  ["$a = (uint8[4])(uint32)7; $i = (uint64)9; print($a[$i])", "0", /outside of the array/],
]);
