import { describe, expect, it } from "vitest";
import type { LibraryScript } from "../pane.ts";
import { inRole, PaneDriver } from "../testing.ts";
import { type LibraryState, libraryPane } from "./index.ts";
import { search } from "./search.ts";

function script(
  name: string,
  title: string,
  subject: string,
  more: Partial<LibraryScript> = {},
): LibraryScript {
  return {
    name,
    title,
    subject,
    question: `What about ${title.toLowerCase()}?`,
    options: [],
    reading: "@n counts.",
    source: `#!/usr/bin/env -S tracedeck run\n// title: ${title}\n//   more\n\nBEGIN { @n = 1; }\n`,
    ...more,
  };
}

const PID = { name: "pid", default: "", description: "the process to watch" };
const LEAST = { name: "least", default: "1", description: "milliseconds" };

const SCRIPTS = [
  script("cpu/profile", "On-CPU profile", "CPU"),
  script("cpu/run-queue", "Run queue latency", "CPU", { question: "How long do threads wait for a CPU?" }),
  script("disk/latency", "Block I/O latency", "Disks"),
  script("processes/one", "One process", "Processes", { options: [PID, LEAST] }),
  script("files/opened", "Files opened", "Files", { options: [LEAST] }),
];

function library(width: number, height: number): PaneDriver<LibraryState> {
  return new PaneDriver(libraryPane, { width, height }).send({ type: "library", scripts: SCRIPTS });
}

describe("searching", () => {
  it.each([
    ["", SCRIPTS.map(({ name }) => name)],
    ["latency", ["cpu/run-queue", "disk/latency"]],
    ["lat disk", ["disk/latency"]],
    ["rnq", ["cpu/run-queue"]],
    ["threads", ["cpu/run-queue"]],
    ["PROFILE", ["cpu/profile"]],
    ["opn", ["files/opened"]],
    ["zzz", []],
  ])("%j", (query, names) => expect(search(SCRIPTS, query).map(({ name }) => name)).toEqual(names));
});

describe("the list", () => {
  it("stands by subject, the chosen script explained beside it", () => {
    const pane = library(80, 9);
    expect(pane.text()).toEqual(
      [
        "CPU                              │ On-CPU profile  cpu/profile",
        "▸ On-CPU profile                 │ What about on-cpu profile?",
        "  Run queue latency              │",
        "Disks                            │ @n counts.",
        "  Block I/O latency              │",
        "Processes                        │ BEGIN { @n = 1; }",
        "  One process                    │",
        "Files                            │",
        "  Files opened                   │",
      ].map((it) => it.trimEnd()),
    );
    expect(pane.title()).toBe("library · 5 scripts");
    expect(inRole(pane.lines(), "selected")).toHaveLength(1);
    expect(inRole(pane.lines({ focused: false }), "selected")).toHaveLength(0);
    expect(inRole(pane.lines(), "map")).toEqual(["@n"]);
  });

  it("moves, scrolls and keeps the subject in sight", () => {
    const pane = library(80, 4).press("down", "down");
    expect(pane.text()[3]).toMatch(/^▸ Block/);
    pane.press("end");
    expect(pane.text().at(-1)).toMatch(/^▸ Files opened/);
    expect(pane.press("home").text()[0]).toMatch(/^CPU/);
  });

  it("shows one thing at a time in a narrow pane", () => {
    const pane = library(40, 6);
    expect(pane.text()[1]).toBe("▸ On-CPU profile");
    pane.press("right");
    expect(pane.text()[1]).toBe("What about on-cpu profile?");
    expect(pane.press("left").text()[0]).toBe("CPU");
  });

  it("narrows as one types; arrows move, enter runs", () => {
    const pane = library(80, 6).press("/").type("latency");
    expect(pane.text()[0]).toMatch(/^▸ Run queue latency {2}CPU/);
    expect(pane.text()[5]).toBe("search: latency");
    expect(pane.cursor()).toEqual({ x: 15, y: 5 });
    expect(pane.title()).toBe("library · 2 of 5");
    pane.press("down", "enter");
    expect(pane.effects).toEqual([
      { type: "run", source: SCRIPTS[2].source, name: "disk/latency", options: { named: {} } },
    ]);
    expect(pane.title()).toBe("library · 5 scripts");
  });

  it("says when nothing fits, and goes back", () => {
    const pane = library(80, 6).press("/").type("zzz");
    expect(pane.text()[0]).toBe('nothing fits "zzz"');
    expect(pane.press("enter").effects).toEqual([]);
    expect(pane.press("escape").title()).toBe("library · 5 scripts");
  });

  it("opens a script in the editor", () => {
    expect(library(80, 6).press("down", "e").effects).toEqual([
      { type: "edit", source: SCRIPTS[1].source, name: "cpu/run-queue" },
    ]);
  });

  it("says when there are none", () => {
    const pane = new PaneDriver(libraryPane, { width: 60, height: 4 });
    expect(pane.text()).toEqual(["no scripts: the scripts-library folder is missing"]);
  });

  it("scrolls a long description", () => {
    const pane = library(80, 3).press("pagedown");
    expect(pane.text()[0]).toMatch(/│ What about/);
    expect(pane.press("pageup").text()[0]).toMatch(/│ On-CPU profile/);
  });

  it.each([10, 30, 63, 64, 200])("fits %i columns", (width) => {
    for (const height of [1, 2, 5, 30]) {
      const pane = library(width, height);
      expect(pane.overflow()).toEqual([]);
      expect(pane.press("/").overflow()).toEqual([]);
      expect(pane.press("escape", "end", "up", "o").overflow()).toEqual([]);
    }
  });
});

describe("options", () => {
  const one = () => library(80, 10).press("down", "down", "down");

  it("are asked for when a script needs one", () => {
    const pane = one().press("enter");
    expect(pane.effects).toEqual([]);
    expect(pane.text()).toEqual(
      [
        "One process  options",
        "",
        "> --pid   = ",
        "  --least = 1",
        "",
        "the process to watch",
        "has to be given",
        "",
        "Enter runs · ↑↓ next option · Esc back",
      ].map((it) => it.trimEnd()),
    );
    expect(pane.cursor()).toEqual({ x: 12, y: 2 });
  });

  it("are handed over when they differ from the default", () => {
    const pane = one().press("enter").type("42x").press("backspace", "enter");
    expect(pane.effects.at(-1)).toEqual({
      type: "run",
      source: SCRIPTS[3].source,
      name: "processes/one",
      options: { named: { pid: "42" } },
    });
    expect(pane.title()).toBe("library · 5 scripts");
  });

  it("insist on what is needed", () => {
    const pane = one().press("enter", "down", "enter");
    expect(pane.effects).toEqual([
      { type: "message", text: "pid is needed: the process to watch", level: "warning" },
    ]);
    expect(pane.text()[2]).toMatch(/^> --pid/);
  });

  it("can be filled in for any script that has some", () => {
    const pane = library(80, 10).press("end", "o", "backspace").type("20").press("enter");
    expect(pane.effects.at(-1)).toMatchObject({ type: "run", options: { named: { least: "20" } } });
    expect(library(80, 10).press("o").text()[0]).toMatch(/^CPU/);
  });

  it("can be left", () => expect(one().press("enter", "escape").text()[0]).toMatch(/^CPU/));

  it("are shown in the description", () => {
    const text = library(80, 20).press("down", "down", "down").text().join("\n");
    expect(text).toContain("--pid=…  the process to watch");
    expect(text).toContain("--least=1  milliseconds");
  });
});
