import { describe, expect, it } from "vitest";
import type { OutputLine } from "../../engine/protocol.ts";
import { inRole, PaneDriver } from "../testing.ts";
import { eventsPane } from "./index.ts";
import { append, EMPTY_LOG } from "./log.ts";

const SIZE = { width: 40, height: 4 };

function output(texts: string[], skipped = 0, kind: OutputLine["kind"] = "printf") {
  return {
    type: "output",
    skipped,
    lines: texts.map((text, i) => ({ time: 1000 * i, text, kind })),
  } as const;
}

function numbered(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}`);
}

const driver = () => new PaneDriver(eventsPane, SIZE);

describe("the log", () => {
  it("is bounded, and keeps the newest", () => {
    let log = EMPTY_LOG;
    for (let i = 0; i < 10; i++) log = append(log, output(numbered(i * 10, i * 10 + 9)).lines, 0, 25);
    expect(log.entries.length).toBe(25);
    expect(log.entries.at(0)?.text).toBe("line 75");
    expect(log.entries.at(-1)?.text).toBe("line 99");
    expect(log.received).toBe(100);
  });

  it("is bounded within one batch", () => {
    const log = append(EMPTY_LOG, output(numbered(1, 100)).lines, 0, 10);
    expect(log.entries.slice().map((entry) => entry.text)).toEqual(numbered(91, 100));
  });

  it("counts what the engine did not format", () => {
    const log = append(EMPTY_LOG, output(["a", "b"], 40).lines, 40);
    expect(log.received).toBe(42);
    expect(log.skipped).toBe(40);
    expect(log.entries.slice().map((entry) => entry.kind)).toEqual(["skipped", "printf", "printf"]);
  });

  it("splits an output of several lines", () => {
    const log = append(EMPTY_LOG, output(["\n  f+1\n\tg+2\n"]).lines, 0);
    expect(log.entries.slice().map((entry) => [entry.text, entry.continued])).toEqual([
      ["", false],
      ["  f+1", true],
      ["\tg+2", true],
    ]);
  });
});

describe("the event pane", () => {
  it("says that there is nothing yet", () => expect(driver().text()).toEqual(["no output yet"]));

  it("follows the newest line", () => {
    const pane = driver()
      .send(output(numbered(1, 3)))
      .send(output(numbered(4, 9)));
    expect(pane.text()).toEqual(["line 6", "line 7", "line 8", "line 9"]);
    expect(pane.title()).toBe("events · 9");
  });

  it("holds its place while new lines come, and says how many", () => {
    const pane = driver()
      .send(output(numbered(1, 9)))
      .press("up", "up")
      .send(output(numbered(10, 12)));
    expect(pane.text()).toEqual(["line 4", "line 5", "line 6", "line 7"]);
    expect(pane.title()).toBe("events · 12 · held, 3 new");
    expect(pane.press("end").text()).toEqual(["line 9", "line 10", "line 11", "line 12"]);
    expect(pane.title()).toBe("events · 12");
  });

  it("follows again when scrolled to the newest line", () => {
    const pane = driver()
      .send(output(numbered(1, 9)))
      .press("up", "down")
      .send(output(["new"]));
    expect(pane.text().at(-1)).toBe("new");
  });

  it("pages and jumps", () => {
    const pane = driver().send(output(numbered(1, 20)));
    expect(pane.press("pageup").text()[0]).toBe("line 14");
    expect(pane.press("home").text()[0]).toBe("line 1");
    expect(pane.press("pagedown").text()[0]).toBe("line 4");
  });

  it("holds and follows by key", () => {
    const pane = driver()
      .send(output(numbered(1, 9)))
      .press("f")
      .send(output(["new"]));
    expect(pane.text()[0]).toBe("line 6");
    expect(pane.press("f").text().at(-1)).toBe("new");
  });

  it("shows what was not shown, at its place", () => {
    const pane = driver()
      .send(output(["a"]))
      .send(output(["b"], 1234));
    expect(pane.text()).toEqual(["a", "── 1,234 lines counted, not shown ──────", "b"]);
    expect(pane.text({ unicode: false })[1]).toBe("-- 1,234 lines counted, not shown ------");
    expect(pane.title()).toBe("events · 1,236 · 1,234 not shown");
  });

  it("lets no control character through", () => {
    const pane = driver().send(output(["\x1b[2Jwiped\x07 \u202eevil"]));
    expect(pane.text()).toEqual(["\\x1b[2Jwiped\\x07 \\u202eevil"]);
    expect(inRole(pane.lines(), "escaped")).toEqual(["\\x1b", "\\x07", "\\u202e"]);
  });

  it("colours errors and warnings", () => {
    const pane = driver().send(output(["bad"], 0, "error"), output(["odd"], 0, "warning"));
    expect(inRole(pane.lines(), "error")).toEqual(["bad"]);
    expect(inRole(pane.lines(), "warning")).toEqual(["odd"]);
  });

  it("searches backwards from the newest line, around the end, and marks the matches", () => {
    const pane = driver().send(output(["apple", "pear", "Apple pie", "plum", "fig", "kiwi", "date"]));
    pane.press("/").type("apple").press("enter");
    expect(pane.text()).toEqual([" apple", " pear", "▸Apple pie", " plum"]);
    expect(inRole(pane.lines(), "match")).toEqual(["apple", "Apple"]);
    expect(pane.press("n").text()[0]).toBe("▸apple");
    expect(pane.press("n").text()[2]).toBe("▸Apple pie");
    expect(pane.press("N").text()[0]).toBe("▸apple");
  });

  it("minds the case of a pattern with capitals, and says when nothing matches", () => {
    const pane = driver()
      .send(output(["apple"]))
      .press("/")
      .type("Apple")
      .press("enter");
    expect(pane.effects).toEqual([{ type: "message", text: 'no match for "Apple"', level: "warning" }]);
  });

  it("filters while the filter is typed; escape lifts it", () => {
    const pane = driver()
      .send(output(numbered(1, 30)))
      .press("&")
      .type("2");
    expect(pane.text()).toEqual(["line 27", "line 28", "line 29", "filter: 2"]);
    expect(pane.cursor()).toEqual({ x: 9, y: 3 });
    pane.type("1").press("enter");
    expect(pane.text()).toEqual(["line 21"]);
    expect(pane.title()).toBe("events · 30 · filter: 21");
    expect(pane.press("&", "escape").text()[3]).toBe("line 30");
  });

  it("says when a filter leaves nothing", () => {
    const pane = driver()
      .send(output(["a"]))
      .press("&")
      .type("zz")
      .press("enter");
    expect(pane.text()).toEqual(['nothing matches "zz"']);
  });

  it("shows times when asked, once per output", () => {
    const pane = driver()
      .send(output(["a\nb"]))
      .press("t");
    expect(pane.text()[0]).toMatch(/^\d\d:\d\d:\d\d\.000 a$/);
    expect(pane.text()[1]).toBe("             b");
  });

  it("scrolls sideways and never draws wider than the pane", () => {
    const pane = driver().send(output([`${"0123456789".repeat(6)}日本`]));
    expect(pane.text()).toEqual(["0123456789".repeat(4)]);
    expect(pane.press("right").text()[0].slice(0, 4)).toBe("8901");
    expect(pane.press("right", "right", "right").text()[0].endsWith("日本")).toBe(true);
    expect(pane.overflow()).toEqual([]);
  });

  it("copies the match, or what the window holds", () => {
    const pane = driver()
      .send(output(["one", "two"]))
      .press("y");
    expect(pane.effects[0]).toEqual({ type: "copy", text: "one\ntwo" });
    pane.press("/").type("one").press("enter", "y");
    expect(pane.effects.at(-2)).toEqual({ type: "copy", text: "one" });
  });

  it("starts anew with a new script", () => {
    const pane = driver().send(output(["old"]));
    pane.send({ type: "shape", shape: { maps: [], prints: true, probes: [], options: [] } });
    expect(pane.text()).toEqual(["no output yet"]);
  });

  it("fits the smallest pane", () => {
    const pane = driver()
      .send(output(numbered(1, 9)), output(["x"], 5))
      .resize(6, 1);
    expect(pane.overflow()).toEqual([]);
    expect(pane.press("/").overflow()).toEqual([]);
  });

  const owned = (texts: string[], name?: string, kind: "container" | "unit" = "container") => ({
    ...output([]),
    lines: output(texts).lines.map((line) => ({
      ...line,
      ...(name && { container: { kind, runtime: "docker", id: "4f0c", name } }),
    })),
  });

  it("says whose lines are, once one is a container's", () => {
    const pane = driver()
      .send(output(["one"]))
      .send(owned(["two\n+1"], "web"));
    expect(pane.text()).toEqual(["    one", "web two", "    +1"]);
    expect(
      pane
        .send(owned(["three"], "a-name-too-long"))
        .text()
        .at(-1),
    ).toBe("a-name-to… three");
    expect(pane.press("c").text()).toEqual(["one", "two", "+1", "three"]);
  });

  it("says the units of lines when asked to", () => {
    const pane = driver().send(owned(["one"], "sshd.service", "unit"));
    expect(pane.text()).toEqual(["one"]);
    expect(pane.press("c").text()).toEqual(["sshd.serv… one"]);
  });

  it("names of containers can't drive the terminal, and a filter finds them", () => {
    const pane = driver()
      .send(owned(["one"], "\x1b[2Jx"))
      .send(output(["two"]));
    expect(pane.text()[0]).toBe("\\x1b[2Jx one");
    pane.press("&");
    for (const key of "2jx") pane.press(key);
    expect(pane.text()[0]).toBe("\\x1b[2Jx one");
  });
});
