/** Tuples and records: nested, compared, as keys and values, and how they read back. */
import { prints } from "./rows.ts";

prints("tuples", [
  ['$t = (1, "two", 3); print($t)', "(1, two, 3)"],
  ['$t = (1, "two", (3, "four", (5,))); print(($t.0, $t.1, $t.2.1, $t.2.2.0))', "(1, two, four, 5)"],
  ["$t = (10, 20, 30); print(($t[0], $t[2], $t[3 - 2]))", "(10, 30, 20)"],
  ["$t = (1,); print($t); print(sizeof($t))", "(1)\n1"],
  ["$t = (); print($t)", "()"],
  ["print((true, -1, 255))", "(true, -1, 255)"],
  ["print(((uint8)1, (int64)-5, (uint64)18446744073709551615))", "(1, -5, 18446744073709551615)"],
  ["$t = ((int8)1, (int64)2); print(sizeof($t))", "16"],
  ['$t = (1, "short"); $t = (1000, "much longer"); print($t)', "(1000, much longer)"],
]);

prints("tuples compare", [
  ["$a = (1, 2); $b = (1, 2); $c = (1, 3); print(($a == $b, $a == $c, $a != $c))", "(true, false, true)"],
  [
    '$a = ("x", (1, 2)); print(($a == ("x", (1, 2)), $a == ("y", (1, 2)), $a == ("x", (1, 3))))',
    "(true, false, false)",
  ],
  ["$a = ((int8)1, (int64)2); $b = ((int64)1, (int8)2); print($a == $b)", "true"],
]);

prints("tuples as keys and values", [
  [
    "@[(1, 2)] = 3; @[1, 3] = 4; print(@[1, 2]); print(has_key(@, (1, 3)))",
    "3\ntrue\n@[1, 2]: 3\n@[1, 3]: 4",
  ],
  ['@ = (1, "a"); @ = (2, "bcd")', "@: (2, bcd)"],
  ['@["k"] = (1, (2, 3)); print(@["k"].1.0)', "2\n@[k]: (1, (2, 3))"],
  ["@[((1, 2), 3)] = 4", "@[(1, 2), 3]: 4"],
  ["@[(1,)] = 2", "@[1]: 2"],
  ["$k = (7, 8); @[$k] = 9; $k2 = (7, 8); print(@[$k2])", "9\n@[7, 8]: 9"],
  ['@[1] = ("", 0); print(@[2].1)', "0\n@[1]: (, 0)"],
]);

prints("records", [
  [
    '$r = (color="green", size=2); print($r); print(($r.color, $r.size))',
    "{ .color = green, .size = 2 }\n(green, 2)",
  ],
  ['$r = (a=1, b=(c=2, d="x")); print($r.b.d); print($r)', "x\n{ .a = 1, .b = { .c = 2, .d = x } }"],
  ['$r = (color="green", size=2); $r = (size=10, color="blue"); print(($r.color, $r.size))', "(blue, 10)"],
  ["@ = (a=1, b=2)", "@: { .a = 1, .b = 2 }"],
  ["@[(x=1, y=2)] = 3", "@[{ .x = 1, .y = 2 }]: 3"],
]);
