/** Maps: keys, values, aggregations, what the map functions do, and how maps print. */
import { prints } from "./rows.ts";

prints("maps and keys", [
  ["@ = 5", "@: 5"],
  ["@a = 1; @b = 2", "@a: 1\n@b: 2"],
  ["@a = -11", "@a: -11"],
  ["@[1] = 10; @[2] = 5; @[3] = 20", "@[2]: 5\n@[1]: 10\n@[3]: 20"],
  ["@[-1] = 1; @[-2] = 2", "@[-1]: 1\n@[-2]: 2"],
  ["@[(uint64)18446744073709551615] = 1", "@[18446744073709551615]: 1"],
  ['@[1, "a", (int64)-3] = 1', "@[1, a, -3]: 1"],
  ["@[true] = 1; @[false] = 2", "@[true]: 1\n@[false]: 2"],
  ["@ = true", "@: true"],
  ["@x[1] = 7; print((@x[1], @x[2])); clear(@x)", "(7, 0)"],
  ["@x[1] = @x[1] + 1; @x[1] = @x[1] + 1", "@x[1]: 2"],
  ["@a[1] = 3; @b = @a[1]; @b += 1", "@a[1]: 3\n@b: 4"],
  ["@big = (uint64)18446744073709551615", "@big: 18446744073709551615"],
  ["@[kstack(1)] = 1; clear(@); print(1)", "1"],
  ["@a[cpu >= 0] = 1", "@a[true]: 1"],
]);

// What was looked up on one way through the code is not known on the others.
prints("elements read again after code that does not always run", [
  ['@a[tid] = 7; printf("%d ", @a[tid]); if (@a[tid] == 7) { printf("seven") } clear(@a)', "7 seven"],
  ["@a[tid] = 7; if (nsecs == 0) { $x = @a[tid] } print(@a[tid]); clear(@a)", "7"],
  ["@a[tid] = 7; $x = nsecs == 0 ? @a[tid] : 2; print(($x, @a[tid])); clear(@a)", "(2, 7)"],
  ["@a[tid] = 7; $x = nsecs == 0 && @a[tid] == 7; print(($x, @a[tid])); clear(@a)", "(false, 7)"],
  ['@a[tid] = 7; printf("%d ", nsecs == 0 ? @a[tid] : 1); print(@a[tid]); clear(@a)', "1 7"],
]);

prints("declared maps", [
  ["let @a = hash(2); begin { @a[1] = 1; @a[2] = 2 }", "@a[1]: 1\n@a[2]: 2"],
  ["let @a = lruhash(100); begin { @a[1] = 1 }", "@a[1]: 1"],
  ["let @a = percpuhash(10); begin { @a[1] = count(); @a[1] = count() }", "@a[1]: 2"],
  ["let @a = percpulruhash(100); begin { @a[1] = count() }", "@a[1]: 1"],
]);

prints("aggregations", [
  ["@ = count(); @ = count(); @ = count()", "@: 3"],
  ["@ = sum(5); @ = sum(-7)", "@: -2"],
  ["@ = sum((uint64)18446744073709551615)", "@: 18446744073709551615"],
  ["@ = min(5); @ = min(-3); @ = min(4)", "@: -3"],
  ["@ = max(-5); @ = max(-9)", "@: -5"],
  ["@ = min(7)", "@: 7"],
  ["@ = avg(10); @ = avg(20); @ = avg(33)", "@: 21"],
  ["@ = avg(-30); @ = avg(-10)", "@: -20"],
  ["@ = stats(10); @ = stats(20); @ = stats(-3)", "@: { .count = 3, .average = 9, .total = 27 }"],
  [
    '@["a"] = stats(4); @["b"] = stats(6); @["b"] = stats(8)',
    "@[a]: { .count = 1, .average = 4, .total = 4 }\n@[b]: { .count = 2, .average = 7, .total = 14 }",
  ],
  ["@[1] = count(); @[2] = count(); @[2] = count()", "@[1]: 1\n@[2]: 2"],
  [
    '@c = count(); @s = sum(3); @s = sum(9); if (@s == 12) { printf("%d %d\\n", (int64)@c, (int64)@s) } clear(@c); clear(@s)',
    "1 12",
  ],
  ['@ = avg(1); @ = avg(1); @ = avg(10); if (@ == 4) { print("four") } clear(@)', "four"],
  ["@a = max(3); @b = min(9); print(((int64)@a, (int64)@b)); clear(@a); clear(@b)", "(3, 9)"],
  ["@a = sum(10); @b = count(); $c = @a + @b; print($c); clear(@a); clear(@b)", "11"],
  ["@c = count(); @k[@c] = 5; clear(@c)", "@k[1]: 5"],
  ['@k[1] = sum(4); if (@k[1] > 3) { print("more") } clear(@k)', "more"],
]);

const bar = (n: number): string => `|${"@".repeat(n).padEnd(52)}|`;

prints("histograms", [
  [
    "@ = hist(-5); @ = hist(0); @ = hist(1); @ = hist(2); @ = hist(3); @ = hist(4); @ = hist(1023); @ = hist(1024)",
    [
      "@:",
      `(..., 0)               1 ${bar(26)}`,
      `[0]                    1 ${bar(26)}`,
      `[1]                    1 ${bar(26)}`,
      `[2, 4)                 2 ${bar(52)}`,
      `[4, 8)                 1 ${bar(26)}`,
      ...["[8, 16)", "[16, 32)", "[32, 64)", "[64, 128)", "[128, 256)", "[256, 512)"].map(
        (name) => `${name.padEnd(16)}       0 ${bar(0)}`,
      ),
      `[512, 1K)              1 ${bar(26)}`,
      `[1K, 2K)               1 ${bar(26)}`,
      "",
    ].join("\n"),
  ],
  [
    "@ = hist(5, 1); @ = hist(6, 1); @ = hist(7, 1)",
    ["@:", `[4, 6)                 1 ${bar(26)}`, `[6, 8)                 2 ${bar(52)}`, ""].join("\n"),
  ],
  ["@ = hist((uint64)1 << 40)", ["@:", `[1T, 2T)               1 ${bar(52)}`, ""].join("\n")],
  [
    '@["a"] = hist(1); @["b"] = hist(1); @["b"] = hist(1)',
    [
      "@[a]:",
      `[1]                    1 ${bar(52)}`,
      "",
      "@[b]:",
      `[1]                    2 ${bar(52)}`,
      "",
    ].join("\n"),
  ],
  [
    "@ = lhist(-1, 0, 30, 10); @ = lhist(0, 0, 30, 10); @ = lhist(15, 0, 30, 10); @ = lhist(29, 0, 30, 10); @ = lhist(30, 0, 30, 10); @ = lhist(99, 0, 30, 10)",
    [
      "@:",
      `(..., 0)               1 ${bar(26)}`,
      `[0, 10)                1 ${bar(26)}`,
      `[10, 20)               1 ${bar(26)}`,
      `[20, 30)               1 ${bar(26)}`,
      `[30, ...)              2 ${bar(52)}`,
      "",
    ].join("\n"),
  ],
]);

prints("functions of maps", [
  ["@[1] = 1; @[2] = 2; print(len(@)); clear(@)", "2"],
  ["@[1] = 1; print((has_key(@, 1), has_key(@, 2))); clear(@)", "(true, false)"],
  ['@[1, "a"] = 1; print((has_key(@, (1, "a")), has_key(@, (1, "b")))); clear(@)', "(true, false)"],
  ["@[1] = 0; print(has_key(@, 1)); clear(@)", "true"],
  ["@[1] = 1; @[2] = 2; delete(@, 1)", "@[2]: 2"],
  ["@[1] = 1; print((delete(@, 1), delete(@, 1)))", "(true, false)"],
  ['@["a", 1] = 5; delete(@, ("a", 1)); print(len(@))', "0"],
  ["@[1] = 1; @[2] = 2; delete(@[1])", "@[2]: 2"],
  ["@x = 5; delete(@x); $x = @x; print($x)", "0"],
  ['@[2] = (1, "hello"); let $v; if (find(@, 2, $v)) { print($v) } clear(@)', "(1, hello)"],
  ['@[2] = 7; let $v = 1; if (find(@, 3, $v)) { print("found") } print($v); clear(@)', "1"],
  ["@[1] = 5; zero(@)", "@[1]: 0"],
  ["@ = count(); zero(@)", "@: 0"],
  ["@ = stats(5); clear(@); print(1)", "1"],
  ["print((is_scalar(@a), is_scalar(@b))); @a = 1; @b[1] = 1; clear(@a); clear(@b)", "(true, false)"],
]);

prints("printing maps", [
  ["@[1] = 30; @[2] = 10; @[3] = 20; print(@); clear(@)", "@[2]: 10\n@[3]: 20\n@[1]: 30"],
  ["@[1] = 30; @[2] = 10; @[3] = 20; print(@, 2); clear(@)", "@[3]: 20\n@[1]: 30"],
  ["@[1] = 30; @[2] = 10; @[3] = 25; print(@, 2, 10); clear(@)", "@[3]: 2\n@[1]: 3"],
  ["@ = 55; print(@); clear(@)", "@: 55"],
  ["@[1] = 5; print(@[1]); clear(@)", "5"],
  ["@[1, 2] = 5; print(@[1, 2]); clear(@)", "5"],
  ["@[1] = count(); @[2] = count(); @[2] = count(); print(@, 1); clear(@)", "@[2]: 2"],
  ["@[1] = count(); print(@[1]); clear(@)", "1"],
  ['@["a"] = sum(100); @["b"] = sum(300); print(@, 5, 100); clear(@)', "@[a]: 1\n@[b]: 3"],
  ["@ = hist(4); print(@); clear(@)", `@:\n[4, 8)                 1 ${bar(52)}\n`],
  ["@[1] = 1; @[2] = 2; @[3] = 3; for ($i : 0..2) { print(@, 1) } clear(@)", "@[3]: 3\n@[3]: 3"],
  ['config = { print_maps_on_exit=0 } begin { @a = 1; print("only this") }', "only this"],
  ['@a = 1; @b[1] = 2; @c = count(); clear(@a); clear(@b); clear(@c); print("cleared")', "cleared"],
]);
