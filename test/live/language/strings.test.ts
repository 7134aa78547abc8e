/** Strings: literals and escapes, comparison, what is cut, and the functions that take them. */
import { prints } from "./rows.ts";

const LONG = "x".repeat(100);

prints("string literals", [
  ['print("plain")', "plain"],
  ['printf("a\\tb\\n")', "a\tb"],
  ['printf("\\101\\x42\\x63\\n")', "ABc"],
  ['printf("\\"quoted\\" back\\\\slash\\n")', '"quoted" back\\slash'],
  ['print("")', ""],
  ['$s = "é→🦀"; print($s)', "é→🦀"],
  ['print((sizeof("abc"), strlen("abc")))', "(4, 3)"],
]);

prints("string comparison", [
  [
    '$s = "abc"; print(($s == "abc", $s != "abc", $s == "abd", $s == "ab", $s == "abcd"))',
    "(true, false, false, false, false)",
  ],
  ['$s = ""; print(($s == "", $s == "a"))', "(true, false)"],
  ['print(("same" == "same", "same" == "other"))', "(true, false)"],
  ['$a = "left"; $b = "left"; $c = "lefty"; print(($a == $b, $a == $c, $a != $c))', "(true, false, true)"],
  ['@s = "kept"; print(@s == "kept"); clear(@s);', "true"],
  ['if (comm == "no such name") { print("wrong") } else { print("right") }', "right"],
  [
    '$s = "hello"; if (strncmp($s, "help", 3) == 0) { print("first three") } if (strncmp($s, "help", 4) != 0) { print("not four") }',
    "first three\nnot four",
  ],
  ['$s = "abc"; $s = "a longer one"; print($s); $s = "x"; print(($s, $s == "x"))', "a longer one\n(x, true)"],
]);

prints("strings that are cut", [
  [`print(str("${LONG}", 11))`, "xxxxxxxxxx"],
  ['print(str("short", 20))', "short"],
  ['$n = 3; $s = "abcdef"; print(strncmp($s, "abcxyz", 3))', "0"],
]);

prints("functions of strings", [
  ['$s = "hello"; print((strlen($s), strlen("")))', "(5, 0)"],
  ['print(strcontains("tracedeck", "deck"))', "true"],
  ['print(strcontains("tracedeck", "desk"))', "false"],
  [
    '$s = "tracedeck"; print((strstr($s, "deck"), strstr($s, "desk"), strstr($s, ""), strstr($s, "tr")))',
    "(5, -1, 0, 0)",
  ],
  ['$s = "aab"; $n = "ab"; print((strstr($s, $n), strstr($n, $s), strcontains($s, $n)))', "(1, -1, true)"],
  [
    '$a = "trace"; $b = "deck"; print(str_concat($a, $b)); print(str_concat("", $b)); print(str_concat($a, ""))',
    "tracedeck\ndeck\ntrace",
  ],
  ['print(strlen(str_concat("ab", str_concat("cd", "ef"))))', "6"],
  [`print(strlen(str_concat(str("${LONG}"), str("${LONG}"))))`, "200"],
  ['@[str_concat("k", "ey")] = 1; @["key"] = 2', "@[key]: 2"],
  ['print((memcmp("abc", "abc", 3), memcmp("abc", "abd", 2)))', "(0, 0)"],
  ['if (memcmp("abc", "abd", 3) != 0) { print("differ") }', "differ"],
  ['print((is_str("a"), is_str(1), is_integer(1), is_integer("a")))', "(true, false, true, false)"],
]);

prints("strings as keys and values", [
  ['@["b"] = 2; @["a"] = 1; @["c"] = 3', "@[a]: 1\n@[b]: 2\n@[c]: 3"],
  [
    '@["a", 1] = "x"; @["long key here", 2] = "a longer value"',
    "@[a, 1]: x\n@[long key here, 2]: a longer value",
  ],
  ['@[1] = "abc"; $x = @[1]; print(($x, @[2] == ""))', "(abc, true)\n@[1]: abc"],
  ['@m["k"] = "one"; @m["k"] = "two"', "@m[k]: two"],
]);

prints("bytes of strings", [
  ['$a = (int8[4])"abc"; print(($a[0], $a[1], $a[2], $a[3]))', "(97, 98, 99, 0)"],
  ['$s = "abc"; print(($s[0], $s[2]))', "(97, 99)"],
  ['$b = buf("hello", 5); print($b)', "hello"],
  ['printf("%r\\n", buf("a\\x01\\xffb", 4))', "a\\x01\\xffb"],
  ['printf("%rx\\n", buf("ab", 2))', "\\x61\\x62"],
  ['printf("%rh\\n", buf("ab", 2))', "61 62"],
]);
