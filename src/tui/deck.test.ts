/** The deck as a pure machine: actions in, state, effects and picture out, with the real panes. */
import { describe, expect, it } from "vitest";
import { type EngineMessage, NO_LOSSES, type ScriptShape, type Snapshot } from "../engine/protocol.ts";
import { panes } from "../panes/index.ts";
import { keyOf } from "../panes/key.ts";
import { lineText } from "../panes/text/index.ts";
import { completions, parseInterval } from "./commands.ts";
import { reduce } from "./dispatch.ts";
import type { Action, DeckEffect, DeckState } from "./state.ts";
import { Painter } from "./terminal/painter.ts";
import { makeTheme } from "./theme.ts";
import { initialState } from "./update.ts";
import { type Display, footerKeys, picture } from "./view.ts";

const SCRIPT = "tracepoint:syscalls:sys_enter_read { @[comm] = count(); }";
const PLAIN: Display = { theme: makeTheme("dark", "none"), unicode: true, color: false };

const SHAPE: ScriptShape = {
  maps: [
    { name: "@calls", kind: "count", keys: ["comm"] },
    { name: "@us", kind: "hist", keys: [] },
  ],
  prints: false,
  probes: ["tracepoint:syscalls:sys_enter_read"],
  options: [],
};

function snapshot(value: number): Snapshot {
  return {
    time: 1_000_000 + value,
    elapsed: 1000,
    maps: [
      {
        name: "@calls",
        kind: "count",
        total: 1,
        sum: value,
        rate: 1,
        full: false,
        rows: [{ key: ["cat\x1b[2J"], value, text: String(value), rate: 1 }],
      },
    ],
    cost: { cpuPercent: 0.5, eventsPerSecond: 1234, events: value, probes: [] },
    losses: NO_LOSSES,
  };
}

class Deck {
  state: DeckState;
  effects: DeckEffect[] = [];

  constructor(columns = 120, rows = 40) {
    this.state = initialState(panes, columns, rows);
  }

  do(...actions: Action[]): this {
    for (const action of actions) {
      const update = reduce(this.state, action);
      this.state = update.state;
      this.effects.push(...update.effects);
    }
    return this;
  }

  press(...chords: string[]): this {
    return this.do(...chords.map((chord): Action => ({ type: "key", key: keyOf(chord) })));
  }

  type(text: string): this {
    return this.press(...[...text].map((char) => (char === " " ? "space" : char)));
  }

  engine(...messages: EngineMessage[]): this {
    return this.do(...messages.map((message): Action => ({ type: "engine", message })));
  }

  /** A script that runs, with the focus on its first data pane. */
  run(): this {
    this.do({ type: "open", source: SCRIPT, name: "read.bt" }).press("ctrl-r");
    const { session } = this.state.run;
    return this.engine(
      { kind: "state", session, state: "compiling" },
      { kind: "state", session, state: "running", shape: SHAPE, probes: 1 },
    );
  }

  sent(kind: string): unknown[] {
    return this.effects.flatMap((effect) =>
      effect.type === "send" && effect.message.kind === kind ? [effect.message] : [],
    );
  }

  lines(): string[] {
    const rows = Array.from({ length: this.state.rows }, () => " ".repeat(this.state.columns));
    for (const { x, y, lines } of picture(this.state, PLAIN).blocks) {
      lines.forEach((line, index) => {
        const plain = lineText(line);
        const row = rows[y + index];
        rows[y + index] = row.slice(0, x) + plain + row.slice(x + plain.length);
      });
    }
    return rows;
  }

  get screen(): string {
    return this.lines().join("\n");
  }
}

describe("the cost guard", () => {
  it("holds for what runs and for what is started later, and shows beside the cost", () => {
    const deck = new Deck().run().press("alt-x").type("guard 2.5%").press("enter");
    expect(deck.sent("guard")).toEqual([{ kind: "guard", maxOverhead: 2.5 }]);
    expect(deck.effects).toContainEqual({ type: "save", settings: { maxOverhead: 2.5 } });
    const { host, kernel, user } = { host: "db7", kernel: "6.1", user: "root" };
    const hello = { kind: "hello" as const, version: 1, arch: "x64", cpus: 4, obstacles: [] };
    deck.engine({ ...hello, host, kernel, user });
    expect(deck.lines()[0]).toContain("guard 2.5% of 4 CPUs");
    deck.press("ctrl-r").engine({ kind: "state", session: 1, state: "ended" }).press("ctrl-r");
    expect(deck.sent("start").at(-1)).toMatchObject({ options: { maxOverhead: 2.5 } });
    deck.press("alt-2").press("O");
    expect(deck.sent("guard").at(-1)).toEqual({ kind: "guard", maxOverhead: 5 });
  });

  it("says why it ended a script", () => {
    const deck = new Deck().run();
    const error = "stopped: the script took 12% of this machine's CPU time";
    deck.engine({ kind: "state", session: 1, state: "ended", exitCode: 0, error });
    expect(deck.state.message).toEqual({ text: error, level: "error" });
    expect(deck.screen).toContain(":guard off lets it run");
  });
});

describe("running", () => {
  it("sends what the editor holds, and makes a pane for each map", () => {
    const deck = new Deck().run();
    expect(deck.sent("start")).toMatchObject([
      { session: 1, source: SCRIPT, options: { fileName: "read.bt" } },
    ]);
    expect(deck.state.slots.map(({ id }) => id)).toEqual(
      expect.arrayContaining(["editor", "top:@calls", "histogram:@us"]),
    );
    expect(deck.lines()[0]).toContain("● running");
  });

  it("Ctrl-R stops an unchanged script and reruns a changed one", () => {
    const stopped = new Deck().run().press("ctrl-r");
    expect(stopped.sent("stop")).toEqual([{ kind: "stop", session: 1 }]);
    expect(stopped.sent("start")).toHaveLength(1);
    const rerun = new Deck().run().type("x").press("ctrl-r");
    expect(rerun.sent("stop")).toEqual([{ kind: "stop", session: 1 }]);
    expect(rerun.sent("start")).toMatchObject([{ session: 1 }, { session: 2, source: `x${SCRIPT}` }]);
  });

  it("asks the engine for the rows that the panes show, again only when that changes", () => {
    const deck = new Deck().run();
    const asked = deck.sent("view");
    expect(asked).toMatchObject([{ map: "@calls", order: "value", descending: true }, { map: "@us" }]);
    deck.engine({ kind: "snapshot", session: 1, snapshot: snapshot(1) }).press("tab");
    expect(deck.sent("view")).toEqual(asked);
    deck.do({ type: "resize", columns: 200, rows: 120 });
    expect(deck.sent("view").length).toBeGreaterThan(asked.length);
  });

  it("ignores what sessions before the current one still say", () => {
    const deck = new Deck().run().type("x").press("ctrl-r");
    deck.engine(
      { kind: "state", session: 1, state: "ended" },
      { kind: "snapshot", session: 1, snapshot: snapshot(99) },
    );
    expect(deck.state.run.state).toBe("compiling");
    expect(deck.state.cost).toBeUndefined();
  });

  it("a script from the library shows in the editor, keeps its options, and gives the focus to its answer", () => {
    const deck = new Deck(120, 40).do({
      type: "library",
      scripts: [
        {
          name: "files/opened",
          title: "Files opened",
          subject: "Files",
          question: "Which?",
          options: [],
          reading: "",
          source: SCRIPT,
        },
      ],
    });
    deck.press("alt-x").type("script files/opened pid=7").press("enter");
    deck.engine({ kind: "state", session: 1, state: "running", shape: SHAPE });
    expect(deck.state.focus).toBe("top:@calls");
    expect(deck.screen).toContain("sys_enter_read");
    deck.press("ctrl-r").engine({ kind: "state", session: 1, state: "ended" }).press("ctrl-r");
    expect(deck.sent("start")).toMatchObject([
      { session: 1, options: { named: { pid: "7" } } },
      { session: 2, options: { named: { pid: "7" } } },
    ]);
  });

  it("a script that the command line starts gives the focus to its answer, one from the editor keeps it", () => {
    const started = new Deck().do({ type: "open", source: SCRIPT, run: true });
    started.engine({ kind: "state", session: 1, state: "running", shape: SHAPE });
    expect(started.state.focus).toBe("top:@calls");
    expect(new Deck().run().state.focus).toBe("editor");
  });

  it("says on which line a script failed", () => {
    const deck = new Deck().do({ type: "open", source: "BEGIN { f() }" }).press("ctrl-r");
    deck.engine({
      kind: "state",
      session: 1,
      state: "failed",
      error: "1 error",
      diagnostics: [
        {
          severity: "error",
          code: "unknown-function",
          message: "no function is called f",
          file: "",
          start: 8,
          end: 9,
          line: 1,
          column: 9,
          endLine: 1,
          endColumn: 10,
        },
      ],
    });
    expect(deck.lines().at(-1)).toContain("line 1: no function is called f");
    expect(deck.lines()[0]).toContain("failed");
  });

  it("tells warnings below the panes until a key is pressed, and no error is hidden by them", () => {
    const deck = new Deck().run();
    const warn: EngineMessage = {
      kind: "output",
      session: deck.state.run.session,
      lines: [
        { time: 0, kind: "warning", text: "WARNING: the script takes 28% of CPU; most of it uprobe:x\n" },
      ],
      skipped: 0,
    };
    expect(deck.engine(warn).state.message).toEqual({
      text: "the script takes 28% of CPU",
      level: "warning",
    });
    expect(deck.press("down").state.message).toBeUndefined();
    deck.engine({ kind: "engine-error", message: "no more" }, warn);
    expect(deck.state.message?.text).toBe("no more");
  });

  it("opens the events pane for output that the script did not announce", () => {
    const deck = new Deck().run();
    deck.engine({
      kind: "output",
      session: 1,
      skipped: 0,
      lines: [{ time: 0, text: "hello\x07", kind: "printf" }],
    });
    expect(deck.screen).toContain("hello\\x07");
  });

  it("a new run keeps the panes' choices for maps of the same make", () => {
    const deck = new Deck(200, 50).run().press("alt-2");
    const before = deck.state.slots.find(({ id }) => id === "top:@calls");
    deck.press("ctrl-r").engine({ kind: "state", session: 1, state: "ended" }).press("ctrl-r");
    deck.engine({ kind: "state", session: 2, state: "running", shape: SHAPE });
    expect(deck.state.slots.find(({ id }) => id === "top:@calls")?.pane).toBe(before?.pane);
    expect(deck.state.focus).toBe("top:@calls");
  });
});

describe("the picture", () => {
  it("never lets a traced string reach the terminal as it is", () => {
    const deck = new Deck().run().engine({ kind: "snapshot", session: 1, snapshot: snapshot(7) });
    const theme = makeTheme("dark", "256");
    const { blocks } = picture(deck.state, { ...PLAIN, theme, color: true });
    const sent: string[] = [];
    const output = { columns: 120, rows: 40, write: (data: string) => sent.push(data) > 0, once: () => {} };
    new Painter(output).present({ blocks, theme });
    expect(sent[0]).toContain("cat\\x1b[2J");
    const [, painted] = sent[0].split("\x1b[m\x1b[H\x1b[2J");
    const own = /\x1b\[(\?2026l|\?25[hl]|[\d;]*[mHCK])|\r\n/g;
    expect(painted.replace(own, "")).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
  });

  it.each([
    [24, 6],
    [60, 15],
    [80, 24],
    [120, 40],
    [200, 50],
  ])("fills %i×%i exactly, in every state", (columns, rows) => {
    const decks = [
      new Deck(columns, rows),
      new Deck(columns, rows).press("f1"),
      new Deck(columns, rows).press("alt-x").type("op"),
      new Deck(columns, rows).run().engine({ kind: "snapshot", session: 1, snapshot: snapshot(3) }),
      new Deck(columns, rows).run().press("alt-z"),
      new Deck(columns, rows).do({ type: "engine-gone", error: "killed" }),
    ];
    for (const deck of decks) {
      const lines = deck.lines();
      expect(lines).toHaveLength(rows);
      for (const line of lines) expect(line).toHaveLength(columns);
      const { cursor } = picture(deck.state, PLAIN);
      if (cursor) expect(cursor.x < columns && cursor.y < rows && cursor.x >= 0 && cursor.y >= 0).toBe(true);
    }
  });

  it("draws with ASCII alone where the terminal has no Unicode", () => {
    const deck = new Deck().run().engine({ kind: "snapshot", session: 1, snapshot: snapshot(3) });
    for (const state of [deck.state, deck.press("f1").state]) {
      const lines = picture(state, { ...PLAIN, unicode: false }).blocks.flatMap((block) => block.lines);
      expect(lines.map(lineText).join("\n")).toMatch(/^[\x20-\x7e\n]*$/);
    }
  });

  it("keeps what matters in a narrow header", () => {
    const deck = new Deck(60, 20).engine({
      kind: "hello",
      version: 1,
      host: "a-host-with-a-long-name.example.com",
      kernel: "6.18.0-some-flavour",
      arch: "x86_64",
      cpus: 4,
      user: "root",
      obstacles: [],
    });
    deck.run();
    const lost = {
      ...snapshot(1),
      losses: { ...snapshot(1).losses, eventsLost: 17, mapsFull: [{ map: "@calls", count: 2 }] },
    };
    deck.engine({ kind: "snapshot", session: 1, snapshot: lost });
    expect(deck.lines()[0]).toMatch(/running.*lost 17 {2}full @calls/);
    expect(deck.lines()[0]).not.toContain("a-host");
  });

  it("tells when the engine of a running script says nothing, by how often it spoke", () => {
    const tick = (times: number) =>
      Array.from({ length: times }, (_, now): Action => ({ type: "tick", now }));
    const deck = new Deck().run();
    const { session } = deck.state.run;
    expect(deck.do(...tick(5)).lines()[0]).not.toContain("NO ANSWER");
    expect(deck.do(...tick(1)).lines()[0]).toContain("NO ANSWER for 6 s");
    const rare = { ...snapshot(1), elapsed: 4000 };
    deck.engine({ kind: "snapshot", session, snapshot: rare });
    expect(deck.do(...tick(12)).lines()[0]).not.toContain("NO ANSWER");
    expect(deck.do(...tick(1)).lines()[0]).toContain("NO ANSWER for 13 s");
    deck.engine({ kind: "state", session, state: "ended" });
    expect(deck.do(...tick(20)).lines()[0]).not.toContain("NO ANSWER");
  });

  it("tells what hinders tracing and how to get it, until Esc", () => {
    const deck = new Deck().engine({
      kind: "hello",
      version: 1,
      host: "h",
      kernel: "6.1",
      arch: "x86_64",
      cpus: 1,
      user: "jo",
      obstacles: [{ what: "no CAP_BPF", fix: "sudo tracedeck" }],
    });
    expect(deck.screen).toMatch(/jo cannot trace on h yet[\s\S]*no CAP_BPF[\s\S]*sudo tracedeck/);
    expect(deck.press("escape").screen).not.toContain("no CAP_BPF");
  });

  it("keeps a failure that belongs to no line in sight, until Esc or the next run", () => {
    const deck = new Deck().do({ type: "open", source: SCRIPT }).press("ctrl-r");
    const error = "cannot attach tracepoint:a:b\nthe kernel said \x1b[31mEBUSY";
    deck.engine({ kind: "state", session: 1, state: "failed", error }).press("x");
    expect(deck.screen).toMatch(/failed: cannot attach tracepoint:a:b +\n +the kernel said \\x1b\[31mEBUSY/);
    const rerun = deck.press("ctrl-r").screen;
    expect(rerun).not.toContain("EBUSY");
    deck.engine({ kind: "state", session: 2, state: "failed", error }).press("alt-2", "escape");
    expect(deck.screen).not.toContain("EBUSY");
  });

  it("draws a pane again only when something about it changed", () => {
    const deck = new Deck().run().engine({ kind: "snapshot", session: 1, snapshot: snapshot(3) });
    const before = picture(deck.state, PLAIN);
    const after = picture(deck.type("y").state, PLAIN, before);
    const [top, editor] = ["top:@calls", "editor"].map((name) =>
      [before, after].map(({ blocks }) => blocks.find(({ id }) => id === name)!),
    );
    expect(top[1].lines).toBe(top[0].lines);
    expect(editor[1].lines).not.toBe(editor[0].lines);
  });
});

describe("freezing", () => {
  it("holds the picture while counting goes on, then shows the newest", () => {
    const deck = new Deck().run().engine({ kind: "snapshot", session: 1, snapshot: snapshot(111) });
    deck.press("alt-2", "space").engine({ kind: "snapshot", session: 1, snapshot: snapshot(222) });
    deck.engine({
      kind: "output",
      session: 1,
      skipped: 5,
      lines: [{ time: 0, text: "later", kind: "printf" }],
    });
    expect(deck.screen).toContain("111");
    expect(deck.screen).not.toContain("222");
    expect(deck.lines()[0]).toContain("FROZEN");
    deck.press("space");
    expect(deck.screen).toContain("222");
    expect(deck.screen).toContain("later");
  });

  it("keeps a bounded number of lines and counts the rest", () => {
    const deck = new Deck().run().press("alt-2", "space");
    const lines = Array.from({ length: 1500 }, (_, i) => ({
      time: 0,
      text: `${i}`,
      kind: "printf" as const,
    }));
    deck.engine(
      { kind: "output", session: 1, skipped: 1, lines },
      { kind: "output", session: 1, skipped: 0, lines },
    );
    expect(deck.state.held?.lines).toHaveLength(2000);
    expect(deck.state.held?.skipped).toBe(1001);
  });
});

describe("keys", () => {
  it.each<[string, string[], (deck: Deck) => unknown, unknown]>([
    ["Tab goes round", ["tab", "tab", "tab", "tab", "tab"], (deck) => deck.state.slots.length > 0, true],
    [
      "text goes to the editor",
      ["q"],
      (deck) => deck.effects.length > 0 && deck.effects.some(({ type }) => type === "quit"),
      false,
    ],
    ["q quits elsewhere", ["alt-2", "q"], (deck) => deck.effects.at(-1)?.type, "quit"],
    ["Ctrl-C quits from the editor", ["ctrl-c"], (deck) => deck.effects.at(-1)?.type, "quit"],
    [
      "Esc never quits",
      ["escape", "escape", "escape"],
      (deck) => deck.effects.some(({ type }) => type === "quit"),
      false,
    ],
    ["z zooms", ["alt-2", "z"], (deck) => deck.state.zoom, true],
    ["Esc ends the zoom", ["alt-2", "z", "escape"], (deck) => deck.state.zoom, false],
    ["+ looks less often", ["alt-2", "+"], (deck) => deck.state.interval, 2000],
    ["- looks more often", ["alt-2", "-", "-"], (deck) => deck.state.interval, 200],
    ["Ctrl-L redraws", ["ctrl-l"], (deck) => deck.effects.at(-1)?.type, "redraw"],
    ["? opens help", ["alt-2", "?"], (deck) => deck.state.overlay?.type, "help"],
    ["F1 opens help while typing", ["f1"], (deck) => deck.state.overlay?.type, "help"],
    [": opens the command line", ["alt-2", ":"], (deck) => deck.state.overlay?.type, "command"],
    ["Ctrl-Z stops the deck", ["alt-2", "ctrl-z"], (deck) => deck.effects.at(-1)?.type, "suspend"],
  ])("%s", (_, chords, got, expected) => {
    const deck = new Deck().run();
    deck.effects = [];
    expect(got(deck.press(...chords))).toBe(expected);
  });

  it("the footer offers only keys that work while typing", () => {
    const deck = new Deck().run();
    const keys = footerKeys(deck.state, true).map((item) => item.keys);
    expect(keys).toEqual(expect.arrayContaining(["Ctrl-R", "Tab", "F1"]));
    expect(keys.filter((key) => [...key].length === 1 && /[a-z?:+-]/.test(key))).toEqual([]);
  });

  it("no two rows of a table claim the same key at the same time without `when`", () => {
    const deck = new Deck().run();
    for (const { kind, pane } of deck.state.slots) {
      const free = pane.keys.filter((row) => row.when === undefined).flatMap((row) => row.keys);
      expect(free.length, kind).toBe(new Set(free).size);
    }
  });
});

describe("help", () => {
  it("filters by words and runs the selected row", () => {
    const deck = new Deck().run().press("f1").type("whole screen");
    expect(deck.screen).toContain("the whole screen, and back");
    expect(deck.screen).not.toContain("return to the shell");
    deck.press("enter");
    expect(deck.state.zoom).toBe(true);
    expect(deck.state.overlay).toBeUndefined();
  });

  it("opens the command line for what needs an argument", () => {
    const deck = new Deck().press("f1").type(":theme").press("enter");
    expect(deck.state.overlay).toMatchObject({ type: "command", field: { text: "theme " } });
  });
});

describe("the command line", () => {
  const command = (line: string, deck = new Deck().run()) => deck.press("alt-x").type(line).press("enter");

  it.each<[string, (deck: Deck) => unknown, unknown]>([
    ["interval 500ms", (deck) => deck.state.interval, 500],
    ["interval 5s", (deck) => deck.state.interval, 5000],
    ["interval soon", (deck) => deck.state.message?.level, "error"],
    ["guard 5%", (deck) => deck.state.maxOverhead, 5],
    ["guard off", (deck) => deck.state.maxOverhead, 0],
    ["guard 0", (deck) => deck.state.message?.level, "error"],
    ["theme light", (deck) => deck.state.theme, "light"],
    ["theme pink", (deck) => deck.state.message?.text, "themes: dark, light"],
    ["focus top", (deck) => deck.state.focus, "top:@calls"],
    ["stop", (deck) => deck.sent("stop").length, 1],
    ["open a.bt", (deck) => deck.effects.some((it) => it.type === "read-file" && it.path === "a.bt"), true],
    ["save b.bt", (deck) => deck.effects.some((it) => it.type === "write-file" && it.text === SCRIPT), true],
    ["zoom", (deck) => deck.state.zoom, true],
    ["quit", (deck) => deck.effects.some(({ type }) => type === "quit"), true],
    ["frobnicate", (deck) => deck.state.message?.text, "no command is called frobnicate; ? lists them"],
  ])(":%s", (line, got, expected) => expect(got(command(line))).toBe(expected));

  it("completes commands and arguments", () => {
    const { state } = new Deck().run();
    expect(completions(state, "inte")).toEqual(["interval", "interval.longer", "interval.shorter"]);
    expect(completions(state, "theme l")).toEqual(["theme light"]);
    const deck = new Deck().press("alt-x").type("res").press("tab");
    expect(deck.state.overlay).toMatchObject({ field: { text: "restart " } });
  });

  it("brings back earlier lines and keeps the one being typed", () => {
    const deck = command("stop");
    command("zoom", deck).press("alt-x").type("dra");
    const field = () => (deck.state.overlay?.type === "command" ? deck.state.overlay.field.text : undefined);
    const seen = ["up", "up", "up", "down", "down", "down"].map((chord) => {
      deck.press(chord);
      return field();
    });
    expect(seen).toEqual(["zoom", "stop", "stop", "zoom", "dra", "dra"]);
  });

  it.each([
    ["500", 500],
    ["500ms", 500],
    ["1.5s", 1500],
    ["0", undefined],
    ["x", undefined],
  ])("%j as an interval is %j", (text, milliseconds) => expect(parseInterval(text)).toBe(milliseconds));
});
