import { describe, expect, it } from "vitest";
import type { ScriptDiagnostic } from "../../engine/protocol.ts";
import { inRole, PaneDriver } from "../testing.ts";
import { type EditorState, editorPane, isModified, sourceOf } from "./index.ts";

const SIZE = { width: 40, height: 6 };

type Driver = PaneDriver<EditorState>;

/** An editor with a text whose "|" is the cursor. */
function editing(marked: string, size = SIZE): Driver {
  const at = marked.indexOf("|");
  const source = marked.replace("|", "");
  const pane = new PaneDriver(editorPane, size).send({ type: "source", source });
  const before = source.slice(0, Math.max(0, at)).split("\n");
  const cursor = { line: before.length - 1, column: before[before.length - 1].length };
  pane.state = { ...pane.state, cursor };
  return pane;
}

/** The text with "|" at the cursor. */
function marked({ state }: Driver): string {
  const { line, column } = state.cursor;
  return state.lines
    .map((text, i) => (i === line ? `${text.slice(0, column)}|${text.slice(column)}` : text))
    .join("\n");
}

function problem(
  line: number,
  column: number,
  length: number,
  message: string,
  more: Partial<ScriptDiagnostic> = {},
) {
  return {
    severity: "error",
    code: "test",
    message,
    file: "script",
    start: 0,
    end: 0,
    line,
    column,
    endLine: line,
    endColumn: column + length,
    ...more,
  } as ScriptDiagnostic;
}

describe("editing: text, keys → text", () => {
  it.each<[string, string[], string]>([
    ["a|c", ["backspace"], "|c"],
    ["ab\n|c", ["backspace"], "ab|c"],
    ["|", ["backspace", "delete"], "|"],
    ["a|bc", ["delete"], "a|c"],
    ["a|\nb", ["delete"], "a|b"],
    ["one two|", ["ctrl-w"], "one |"],
    ["one two  |", ["ctrl-w"], "one |"],
    ["@a[pid]|", ["ctrl-w", "ctrl-w"], "@|"],
    ["|one two", ["alt-d"], "| two"],
    ["on|e two\nx", ["ctrl-k"], "on|\nx"],
    ["one|\nx", ["ctrl-k"], "one|x"],
    ["one |two", ["ctrl-u"], "|two"],
    ["a 日本|", ["backspace"], "a 日|"],
    ["e\u0301|x", ["backspace"], "|x"],
    ["👩‍👩‍👧|x", ["backspace"], "|x"],
    ["|👩‍👩‍👧x", ["delete"], "|x"],
    ["|", ["enter"], "\n|"],
    ["  a|b", ["enter"], "  a\n  |b"],
    ["{|", ["enter"], "{\n  |"],
    ["{|}", ["enter"], "{\n  |\n}"],
    ["\ta {|}", ["enter"], "\ta {\n\t\t|\n\t}"],
    ["    a;\nif (x) {|", ["enter"], "    a;\nif (x) {\n    |"],
    ["one two|", ["ctrl-left", "ctrl-left"], "|one two"],
    ["|one two", ["ctrl-right"], "one| two"],
    ["a|\nb", ["ctrl-right"], "a\n|b"],
    ["  a|b", ["home"], "  |ab"],
    ["  |ab", ["home"], "|  ab"],
    ["  |ab", ["end"], "  ab|"],
    ["a\n|b", ["left"], "a|\nb"],
    ["a|\nb", ["right"], "a\n|b"],
    ["abcd|\nx\nabcd", ["down", "down"], "abcd\nx\nabcd|"],
    ["a|b", ["up"], "|ab"],
    ["a|b", ["down"], "ab|"],
    ["a\nb|\nc", ["ctrl-home"], "|a\nb\nc"],
    ["a\nb|\nc", ["ctrl-end"], "a\nb\nc|"],
    ["a\nb|\nc", ["ctrl-x"], "a\n|c"],
    ["a\nb|", ["ctrl-x"], "a|"],
    ["a\nb|\nc", ["ctrl-x", "ctrl-v", "ctrl-v"], "a\nb\nb\n|c"],
    ["|abc", ["shift-right", "shift-right", "delete"], "|c"],
    ["|abc def", ["ctrl-shift-right", "backspace"], "| def"],
    ["ab|c", ["shift-home", "ctrl-x"], "|c"],
    ["a|b\ncd", ["shift-down", "backspace"], "a|d"],
    ["ab|c", ["alt-a", "delete"], "|"],
  ])("%j %j → %j", (before, keys, after) => expect(marked(editing(before).press(...keys))).toBe(after));

  it("types, and replaces what is selected", () => {
    expect(marked(editing("|").type("BEGIN {}"))).toBe("BEGIN {}|");
    expect(marked(editing("|abc").press("shift-right", "shift-right").type("x"))).toBe("x|c");
  });

  it("takes a closing brace back to the level of its opening one", () => {
    const pane = editing("BEGIN {\n  if (1) {\n    |").type("}");
    expect(marked(pane)).toBe("BEGIN {\n  if (1) {\n  }|");
    expect(marked(pane.press("enter").type("}"))).toBe("BEGIN {\n  if (1) {\n  }\n}|");
  });

  it("pastes many lines as they are, in one step", () => {
    const pane = editing("a|b").paste("1\r\n  2\r3\n");
    expect(marked(pane)).toBe("a1\n  2\n3\n|b");
    expect(marked(pane.press("ctrl-z"))).toBe("a|b");
  });

  it("asks for a check after every change, and only then", () => {
    const pane = editing("a|").press("left", "ctrl-home");
    expect(pane.effects).toEqual([]);
    expect(pane.type("b").effects).toEqual([{ type: "check", source: "ba" }]);
  });

  it("copies what is cut to the terminal's clipboard", () => {
    expect(editing("a\nb|\nc").press("ctrl-x").effects[0]).toEqual({ type: "copy", text: "b\n" });
    expect(editing("|abc").press("shift-right", "alt-c").effects[0]).toEqual({ type: "copy", text: "a" });
  });
});

describe("undo and redo", () => {
  it("takes back words, not letters", () => {
    const pane = editing("|").type("one two");
    expect(marked(pane.press("ctrl-z"))).toBe("one |");
    expect(marked(pane.press("ctrl-z"))).toBe("|");
    expect(marked(pane.press("ctrl-y", "ctrl-y"))).toBe("one two|");
  });

  it("takes back a run of backspaces at once", () => {
    expect(marked(editing("abc|").press("backspace", "backspace", "ctrl-z"))).toBe("abc|");
  });

  it("begins a new step after a move", () => {
    const pane = editing("|").type("ab").press("left").type("c");
    expect(marked(pane.press("ctrl-z"))).toBe("a|b");
  });

  it("forgets what was taken back when something else is typed", () => {
    expect(marked(editing("|").type("a").press("ctrl-z").type("b").press("ctrl-y"))).toBe("b|");
  });

  it("brings back a script that another one replaced", () => {
    const pane = editing("mine|").send({ type: "source", source: "other", name: "x.bt" });
    expect(pane.title()).toBe("x.bt · 1:1");
    expect(sourceOf(pane.press("ctrl-z").state)).toBe("mine");
  });

  it("survives more steps than it keeps", () => {
    const pane = editing("|");
    for (let i = 0; i < 1100; i++) pane.press("enter");
    for (let i = 0; i < 1200; i++) pane.press("ctrl-z");
    expect(pane.state.lines.length).toBe(101);
  });
});

describe("the picture", () => {
  it("has numbers and colours", () => {
    const pane = editing("BEGIN { @a = 1; }|\n// done");
    expect(pane.text()).toEqual([" 1 BEGIN { @a = 1; }", " 2 // done"]);
    expect(inRole(pane.lines(), "keyword")).toEqual(["BEGIN"]);
    expect(inRole(pane.lines(), "map")).toEqual(["@a"]);
    expect(inRole(pane.lines(), "comment")).toEqual(["// done"]);
    expect(inRole(pane.lines(), "strong")).toEqual([" 1 "]);
  });

  it("keeps the cursor in the window, vertically", () => {
    const pane = editing(`|${Array.from({ length: 30 }, (_, i) => `line${i}`).join("\n")}`);
    for (let i = 0; i < 6; i++) pane.press("down");
    expect(pane.text()[0]).toBe(" 2 line1");
    expect(pane.cursor()).toEqual({ x: 3, y: 5 });
    expect(pane.press("pageup").text()[0]).toBe(" 2 line1");
    expect(pane.press("ctrl-end").text().at(-1)).toBe("30 line29");
    expect(pane.press("ctrl-home").cursor()).toEqual({ x: 3, y: 0 });
  });

  it("opens a long script at its code, a short one whole", () => {
    const source = "#!/usr/bin/tracedeck\n// title: x\n//   y\n\nBEGIN {\n  @a = 1;\n}\n";
    const pane = new PaneDriver(editorPane, SIZE).send({ type: "source", source });
    expect(pane.title()).toBe("script · 5:1");
    expect(pane.text()[2]).toBe(" 5 BEGIN {");
    expect(pane.resize(40, 9).text()[0]).toBe(" 1 #!/usr/bin/tracedeck");
  });

  it("scrolls sideways and marks the lines that go on", () => {
    const pane = editing(`short|\n${"0123456789".repeat(8)}`);
    expect(pane.text()[1]).toBe(` 2 ${"0123456789".repeat(4).slice(0, 36)}›`);
    pane.press("down", "end");
    expect(pane.text()[1].startsWith(" 2 ‹")).toBe(true);
    expect(pane.cursor()).toEqual({ x: 35, y: 1 });
    expect(pane.overflow()).toEqual([]);
    expect(pane.text({ unicode: false })[1].startsWith(" 2 <")).toBe(true);
  });

  it("draws tabs and wide characters where they stand", () => {
    const pane = editing("\ta日b|");
    expect(pane.text()[0]).toBe(" 1     a日b");
    expect(pane.cursor()).toEqual({ x: 11, y: 0 });
    expect(pane.press("left", "left").cursor()).toEqual({ x: 8, y: 0 });
  });

  it("makes control characters and bidi overrides visible", () => {
    const pane = editing("a\x1b[2J\u202e|");
    expect(pane.text()[0]).toBe(" 1 a\\x1b[2J\\u202e");
    expect(inRole(pane.lines(), "escaped")).toEqual(["\\x1b", "\\u202e"]);
    expect(pane.cursor()?.x).toBe(17);
  });

  it("marks the selection", () => {
    const pane = editing("|ab\ncd").press("shift-down");
    expect(inRole(pane.lines(), "marked").join("")).toBe("ab ");
  });

  it("fits the smallest pane", () => {
    for (const [width, height] of [
      [1, 1],
      [5, 2],
      [20, 1],
      [24, 3],
    ]) {
      const pane = editing('BEGIN { printf("日本"); }|\n}', { width, height });
      pane.send({
        type: "checked",
        source: sourceOf(pane.state),
        diagnostics: [problem(1, 9, 6, "some long message")],
      });
      expect(pane.overflow()).toEqual([]);
    }
  });
});

describe("problems", () => {
  const checked = (pane: Driver, ...diagnostics: ScriptDiagnostic[]) =>
    pane.send({ type: "checked", source: sourceOf(pane.state), diagnostics });

  it("stand under their line, with a caret", () => {
    const pane = checked(
      editing("BEGIN {\n  foo();\n}|"),
      problem(2, 3, 3, "unknown function", { hint: "try printf" }),
    );
    expect(pane.text()).toEqual([
      " 1 BEGIN {",
      " 2   foo();",
      "     ^^^ unknown function",
      "         try printf",
      " 3 }",
    ]);
    expect(inRole(pane.lines(), "error")).toEqual([" 2 ", "^^^ unknown function"]);
    expect(pane.title()).toBe("script · 3:2 · 1 error");
    expect(pane.cursor()).toEqual({ x: 4, y: 4 });
  });

  it("wrap", () => {
    const long = "the map @a holds numbers and can not be printed with the format %s here";
    const pane = checked(editing("x = @a;|"), problem(1, 5, 2, long, { severity: "warning" }));
    expect(pane.text()).toEqual([
      " 1 x = @a;",
      "       ^^",
      "     the map @a holds numbers and can",
      "     not be printed with the format %s",
      "     here",
    ]);
    expect(pane.title()).toBe("script · 1:8 · 1 warning");
  });

  it("move with their line until the next answer, and go with it", () => {
    const pane = checked(editing("|a\nb\nfoo"), problem(3, 1, 3, "bad"));
    expect(pane.press("enter").text().slice(-2)).toEqual([" 4 foo", "   ^^^ bad"]);
    expect(pane.press("ctrl-z").text().slice(-2)).toEqual([" 3 foo", "   ^^^ bad"]);
    pane.press("ctrl-end", "shift-up", "shift-up", "delete");
    expect(pane.text().some((it) => it.includes("bad"))).toBe(false);
  });

  it("ignore an answer about an older text", () => {
    const pane = editing("a|").type("b");
    pane.send({ type: "checked", source: "a", diagnostics: [problem(1, 1, 1, "bad")] });
    expect(pane.text()).toEqual([" 1 ab"]);
  });

  it("behind the end belong to the last line", () => {
    expect(checked(editing("a {|"), problem(2, 1, 1, "missing }")).text()).toEqual([
      " 1 a {",
      "   ^ missing }",
    ]);
  });

  it("show in the window with the cursor's line", () => {
    const pane = editing("a\nb\nc\nd\ne\nf|");
    checked(pane, problem(6, 1, 1, "bad"));
    expect(pane.text().slice(-2)).toEqual([" 6 f", "   ^ bad"]);
    expect(pane.cursor()).toEqual({ x: 4, y: 4 });
  });

  it("can be visited", () => {
    const pane = checked(editing("|a\nb\nc"), problem(3, 1, 1, "x"), problem(2, 1, 1, "y"));
    expect(pane.press("ctrl-n").state.cursor.line).toBe(1);
    expect(pane.press("ctrl-n").state.cursor.line).toBe(2);
    expect(pane.press("ctrl-n").state.cursor.line).toBe(1);
  });

  it("come from a failed start as well", () => {
    const pane = editing("a|");
    pane.send({ type: "state", state: "failed", diagnostics: [problem(1, 1, 1, "refused by the kernel")] });
    expect(pane.text()[1]).toBe("   ^ refused by the kernel");
  });

  it("can't drive the terminal", () => {
    expect(checked(editing("a|"), problem(1, 1, 1, "\x1b[2J")).text()[1]).toBe("   ^ \\x1b[2J");
  });
});

describe("going places", () => {
  it("goes to a line and column", () => {
    const pane = editing("|a\nbcd\ne").press("ctrl-g").type("2:3");
    expect(pane.text().at(-1)).toBe("go to line: 2:3");
    expect(marked(pane.press("enter"))).toBe("a\nbc|d\ne");
  });

  it("finds, around the end, and says when there is nothing", () => {
    const pane = editing("one\ntwo|\nOne").press("ctrl-f").type("one").press("enter");
    expect(pane.state.cursor).toEqual({ line: 2, column: 3 });
    expect(pane.press("f3").state.cursor).toEqual({ line: 0, column: 3 });
    pane.press("ctrl-f").type("zzz").press("enter");
    expect(pane.effects).toEqual([{ type: "message", text: '"zzz" is not in the script', level: "warning" }]);
    expect(marked(pane.press("ctrl-f").type("x").press("escape"))).toBe("one|\ntwo\nOne");
  });
});

describe("running", () => {
  it("hands the text to the app", () => {
    const pane = new PaneDriver(editorPane, SIZE).send({ type: "source", source: "BEGIN {}", name: "x.bt" });
    expect(pane.press("alt-enter").effects).toEqual([{ type: "run", source: "BEGIN {}", name: "x.bt" }]);
  });
});

describe("the title", () => {
  it("has a star while the text differs from what was loaded or started", () => {
    const pane = editing("a|").type("b");
    expect(pane.title()).toBe("script* · 1:3");
    expect(isModified(pane.press("ctrl-z").state)).toBe(false);
    pane.press("ctrl-y").send({ type: "state", state: "compiling", diagnostics: [] });
    expect(pane.title()).toBe("script · 1:3");
  });
});

describe("a script of 5,000 lines", () => {
  const roles = (pane: Driver) => pane.lines().map((line) => line.map((part) => part.role));

  it.each([
    ["an action", "tracepoint:sched:sched_switch {\n  @a = 1; // one\n}", '  printf("x\\n");'],
    ["a long comment", "BEGIN { }\n/* one\ntracepoint:a:b { }", "tracepoint:c:d { }"],
    ["no items", "", "  @x = count();"],
  ])("has the colours of a short one, below %s", (_, head, line) => {
    const size = { width: 60, height: 8 };
    const long = editing(`${head}\n${`${line}\n`.repeat(2000)}|`, size).press("pageup");
    const short = editing(`${head}\n${`${line}\n`.repeat(20)}|`, size).press("pageup");
    const last = (pane: Driver) =>
      roles(pane)
        .slice(0, 7)
        .map((it) => it.slice(1));
    expect(last(long)).toEqual(last(short));
  });

  it("takes a key and draws within a frame", () => {
    const line =
      "tracepoint:syscalls:sys_enter_openat /pid == 1/ { @opens[comm, str(args.filename)] = count(); } // x";
    const pane = editing(`|${Array.from({ length: 5000 }, () => line).join("\n")}`, {
      width: 120,
      height: 50,
    });
    pane.press("pagedown").text();
    const times: number[] = [];
    for (let i = 0; i < 40; i++) {
      const start = performance.now();
      pane.type("x").lines();
      times.push(performance.now() - start);
    }
    // The best of them leaves out what else the machine does.
    expect(Math.min(...times)).toBeLessThan(20);
  });
});
