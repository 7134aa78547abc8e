import { describe, expect, it } from "vitest";
import {
  type MapKind,
  type MapShape,
  type MapSnapshot,
  NO_LOSSES,
  type RowSnapshot,
  type Snapshot,
} from "../../engine/protocol.ts";
import type { PaneEvent } from "../pane.ts";
import { inRole, PaneDriver } from "../testing.ts";
import { topPane } from "./index.ts";

function row(key: string[], value: number, more: Partial<RowSnapshot> = {}): RowSnapshot {
  return { key, value, text: String(value), rate: 0, ...more };
}

function snapshot(map: MapShape, rows: RowSnapshot[], more: Partial<MapSnapshot> = {}): PaneEvent {
  const sum = rows.reduce((total, it) => total + it.value, 0);
  const maps = [
    { name: map.name, kind: map.kind, total: rows.length, sum, rate: 0, rows, full: false, ...more },
  ];
  const cost = { cpuPercent: 0, eventsPerSecond: 0, events: 0, probes: [] };
  return {
    type: "snapshot",
    snapshot: { time: 0, elapsed: 1000, maps, cost, losses: NO_LOSSES } satisfies Snapshot,
  };
}

const map = (kind: MapKind, keys: string[], name = "@calls"): MapShape => ({ name, kind, keys });

function show(
  shape: MapShape,
  rows: RowSnapshot[],
  width: number,
  height: number,
  more?: Partial<MapSnapshot>,
) {
  return new PaneDriver(topPane, { width, height }, { map: shape }).send(snapshot(shape, rows, more));
}

const COUNTS = [
  row(["123", "bash"], 100, { rate: 5 }),
  row(["45", "node"], 2000, { rate: 1234 }),
  row(["7", "sshd"], 50),
];

describe("the table", () => {
  it("waits for the first reading, and says when there are no keys", () => {
    const pane = new PaneDriver(topPane, { width: 40, height: 5 }, { map: map("count", ["comm"]) });
    expect(pane.text()[1]).toBe("waiting for the first reading");
    expect(show(map("count", ["comm"]), [], 40, 5).text()[1]).toBe("no keys yet");
  });

  it("sorts counts, with rate, share and a bar", () => {
    const pane = show(map("count", ["pid", "comm"]), COUNTS, 60, 6);
    expect(pane.text()).toEqual(
      [
        " PID COMM   COUNT▼    RATE     %",
        "  45 node    2,000  1.2k/s 93.0% ███████████████████████████",
        " 123 bash      100   5.0/s  4.7% █▍",
        "   7 sshd       50          2.3% ▋",
      ].map((it) => it.replace("5.0/s", "  5/s")),
    );
    expect(pane.title()).toBe("@calls[pid, comm] · 3 keys · sum 2.1k");
  });

  it("draws ASCII only when it must", () => {
    const text = show(map("count", ["comm"]), [row(["日本"], 4), row(["b"], 2)], 50, 4).text({
      unicode: false,
    });
    expect(text[0]).toContain("COUNTv");
    expect(text[1]).toMatch(/^日本 +4 +66.7% #+$/);
    expect(text[2].match(/#/g)?.length).toBe((text[1].match(/#/g)?.length ?? 0) / 2);
  });

  it.each<[MapKind, Partial<RowSnapshot>, string, string]>([
    ["sum", {}, "SUM▼", "12"],
    ["avg", { average: 2.5, count: 3 }, "AVG▼", "2.5"],
    ["stats", { average: 2.5, count: 3, total: 8 }, "AVG▼", "2.5"],
    ["min", {}, "MIN▼", "12"],
    ["max", {}, "MAX▼", "12"],
    ["integer", { text: "0x0c" }, "VALUE▼", "0x0c"],
    ["string", { text: "/etc/\x1bpasswd" }, "VALUE▼", "/etc/\\x1bpasswd"],
    ["other", { text: "(1, 2)" }, "VALUE▼", "(1, 2)"],
    ["hist", {}, "COUNT▼", "12"],
  ])("shows a %s", (kind, more, heading, value) => {
    const text = show(map(kind, ["comm"]), [row(["a"], 12, more)], 60, 4).text();
    expect(text[0]).toContain(heading);
    expect(text[1].split(/\s+/)).toContain(value.split(" ")[0]);
  });

  it("shows count and total of stats", () => {
    const text = show(
      map("stats", ["comm"]),
      [row(["a"], 2.5, { average: 2.5, count: 3, total: 8 })],
      60,
      4,
    ).text();
    expect(text[0]).toMatch(/^COMM +AVG▼ +COUNT +TOTAL$/);
    expect(text[1]).toMatch(/^a +2.5 +3 +8 █+$/);
  });

  it("shows values in the unit of the map's name", () => {
    const text = show(map("sum", ["comm"], "@read_bytes"), [row(["a"], 2048, { rate: 1024 })], 60, 4).text();
    expect(text[1]).toMatch(/^a +2.0KiB +1.0KiB\/s +100%/);
  });

  it.each([
    ["args.filename", "FILENAME"],
    ["args->ret", "RET"],
    ["$error", "ERROR"],
    ["str(args.filename)", "FILENAME"],
    ["ntop(args.daddr)", "DADDR"],
    ["error_name($error)", "ERROR_NAME"],
    ["@_pid[$tid]", "PID"],
    ["probe", "PROBE"],
    ["int", "KEY"],
  ])("heads the column %s with %s", (key, heading) => {
    expect(show(map("count", [key]), [row(["a"], 1)], 60, 4).text()[0]).toMatch(new RegExp(`^${heading} `));
  });

  it("leaves out what long keys have in common", () => {
    const rows = ["openat", "read"].map((call, i) => row([`tracepoint:syscalls:sys_enter_${call}`], 9 - i));
    const text = show(map("count", ["probe"]), rows, 38, 4).text();
    expect(text[1]).toMatch(/^…openat +9/);
    expect(text[2]).toMatch(/^…read +8/);
    expect(show(map("count", ["probe"]), rows, 100, 4).text()[1]).toMatch(
      /^tracepoint:syscalls:sys_enter_openat +9/,
    );
  });

  it("lets no control character of a key through", () => {
    const pane = show(map("count", ["comm"]), [row(["\x1b]0;x\x07"], 1)], 60, 4);
    expect(pane.text()[1]).toMatch(/^\\x1b\]0;x\\x07 /);
  });

  it.each([20, 28, 33, 40, 55, 80, 200])("fits %i columns", (width) => {
    const rows = [
      row(["4194304", "a-very-long-process-name", "/usr/lib/x86_64-linux-gnu/libc.so.6"], 123456, {
        rate: 5,
      }),
    ];
    const pane = show(map("count", ["pid", "comm", "string"]), rows, width, 4);
    expect(pane.overflow()).toEqual([]);
    expect(pane.text()[1]).toContain("123,456");
  });

  it.each([1, 2, 3])("fits %i lines", (height) => {
    const pane = show(map("count", ["pid", "comm"]), COUNTS, 40, height, { full: true });
    expect(pane.overflow()).toEqual([]);
    expect(pane.press("/").overflow()).toEqual([]);
  });

  it("warns below when the map is full", () => {
    const pane = show(map("count", ["pid", "comm"]), COUNTS, 60, 6, { full: true });
    expect(pane.text().at(-1)).toBe("the map is full: new keys are lost");
    expect(inRole(pane.lines(), "warning")).toHaveLength(1);
  });
});

describe("sorting", () => {
  const firsts = (pane: PaneDriver<unknown>) =>
    pane
      .text()
      .slice(1)
      .map((it) => it.trim().split(/\s+/)[0]);

  it("goes through the columns, and wraps", () => {
    const pane = show(map("count", ["pid", "comm"]), COUNTS, 60, 6);
    expect(firsts(pane)).toEqual(["45", "123", "7"]);
    pane.press("right");
    expect(pane.text()[0]).toContain("RATE▼");
    pane.press("right");
    expect(pane.text()[0]).toContain("PID▲");
    expect(firsts(pane)).toEqual(["7", "45", "123"]);
    pane.press("r");
    expect(firsts(pane)).toEqual(["123", "45", "7"]);
    expect(pane.press("right").text()[0]).toContain("COUNT▼");
  });

  it("asks the engine for the same order", () => {
    const pane = show(map("count", ["pid", "comm"]), COUNTS, 60, 6).press("right", "r");
    expect(topPane.wants?.(pane.state, pane.size)).toEqual({
      map: "@calls",
      rows: 50,
      order: "rate",
      descending: false,
    });
  });
});

describe("filtering", () => {
  it("acts while typing, here and in the engine; enter keeps it, escape clears it", () => {
    const pane = show(map("count", ["pid", "comm"]), COUNTS, 60, 6)
      .press("/")
      .type("sh");
    expect(
      pane
        .text()
        .slice(1)
        .map((it) => it.trim().split(/\s+/)[1]),
    ).toEqual(["bash", "sshd", undefined, undefined, "sh"]);
    expect(pane.text()[5]).toBe("filter: sh");
    expect(pane.cursor()).toEqual({ x: 10, y: 5 });
    expect(inRole(pane.lines({ focused: false }), "match")).toEqual(["sh", "sh"]);
    expect(topPane.wants?.(pane.state, pane.size)?.filter).toBe("sh");
    pane.press("enter");
    expect(pane.title()).toContain("filter: sh");
    expect(pane.press("/", "escape").text()).toHaveLength(4);
  });

  it("says when nothing matches", () => {
    expect(
      show(map("count", ["comm"]), [row(["a"], 1)], 60, 4)
        .press("/")
        .type("zz")
        .text()[1],
    ).toBe('no key holds "zz"');
  });

  it("moves through the rows while typing", () => {
    const pane = show(map("count", ["pid", "comm"]), COUNTS, 60, 6)
      .press("/")
      .press("down");
    expect(inRole(pane.lines(), "selected").join("")).toContain("bash");
  });
});

describe("moving", () => {
  const many = Array.from({ length: 30 }, (_, i) => row([`p${i}`], 100 - i));
  const selected = (pane: PaneDriver<unknown>) => inRole(pane.lines(), "selected").join("").split(/\s+/)[0];

  it("scrolls with the cursor", () => {
    const pane = show(map("count", ["comm"]), many, 40, 5);
    expect(selected(pane)).toBe("p0");
    pane.press("down", "down", "down", "down");
    expect(pane.text()[1].startsWith("p1 ")).toBe(true);
    expect(selected(pane)).toBe("p4");
    expect(selected(pane.press("end"))).toBe("p29");
    expect(selected(pane.press("pageup"))).toBe("p25");
    expect(selected(pane.press("home"))).toBe("p0");
  });

  it("asks for more rows as it goes down", () => {
    const pane = show(
      map("count", ["comm"]),
      Array.from({ length: 50 }, (_, i) => row([`p${i}`], i)),
      40,
      10,
    );
    expect(topPane.wants?.(pane.press("end").state, pane.size)?.rows).toBe(100);
  });

  it("stays inside when rows go away", () => {
    const shape = map("count", ["comm"]);
    const pane = show(shape, many, 40, 5)
      .press("end")
      .send(snapshot(shape, many.slice(0, 2)));
    expect(selected(pane)).toBe("p1");
  });

  it("does not mark the row of a pane without the focus", () => {
    expect(inRole(show(map("count", ["comm"]), many, 40, 5).lines({ focused: false }), "selected")).toEqual(
      [],
    );
  });

  it("copies a row", () => {
    const pane = show(map("count", ["pid", "comm"]), COUNTS, 60, 6).press("y");
    expect(pane.effects[0]).toEqual({ type: "copy", text: "45\tnode\t2000" });
  });
});

describe("stacks", () => {
  const STACK = "\n    __schedule+10\n    schedule+20\n    do_nanosleep+30\n";
  const rows = [row([STACK, "sleep"], 9), row(["\n    main+1\n", "bash"], 3)];

  it("shows the innermost frames in a cell", () => {
    const pane = show(map("count", ["stack", "comm"]), rows, 60, 8);
    expect(pane.text()[1]).toMatch(/^__schedule ← schedule ← do_nanosleep +sleep +9/);
  });

  it("leaves out the frames with which all begin, where not all fit", () => {
    const waits = ["io_schedule", "pipe_read", "futex_wait"].map((name, at) =>
      row([`\n    __schedule+10\n    schedule+20\n    ${name}+30\n    ${name}_caller+40\n`, "dd"], 9 - at),
    );
    const pane = show(map("count", ["stack", "comm"]), waits, 60, 8);
    expect(pane.text()[1]).toMatch(/^…io_schedule ← io_schedule_caller +dd +9/);
    expect(pane.text()[3]).toMatch(/^…futex_wait ← futex_wait_caller +dd +7/);
    const most = show(map("count", ["stack", "comm"]), [...waits, row(["\n    main+1\n", "dd"], 1)], 60, 8);
    expect(most.text()[3]).toMatch(/^…futex_wait ← futex_wait_caller +dd +7/);
    expect(most.text()[4]).toMatch(/^main +dd +1/);
    const wide = show(map("count", ["stack", "comm"]), waits, 120, 8);
    expect(wide.text()[1]).toMatch(/^__schedule ← schedule ← io_schedule ← io_schedule_caller +dd/);
  });

  it("opens to a frame a line, and closes", () => {
    const pane = show(map("count", ["stack", "comm"]), rows, 60, 8).press("enter");
    expect(pane.text().slice(2, 7)).toEqual([
      "    __schedule+10",
      "    schedule+20",
      "    do_nanosleep+30",
      "    value: 9",
      expect.stringMatching(/^main +bash/),
    ]);
    expect(pane.press("enter").text()).toHaveLength(3);
  });

  it("keeps the cursor's row in sight below open ones", () => {
    const pane = show(map("count", ["stack", "comm"]), rows, 60, 4).press("enter", "down");
    expect(pane.text().at(-1)).toMatch(/^main /);
    expect(pane.overflow()).toEqual([]);
  });
});

describe("several maps", () => {
  it("goes through them", () => {
    const shapes = [map("count", ["comm"], "@a"), map("sum", ["pid"], "@b")];
    const pane = show(shapes[0], [row(["x"], 1)], 40, 5);
    pane.send({ type: "shape", shape: { maps: shapes, prints: false, probes: [], options: [] } });
    expect(pane.press("m").title()).toBe("@b[pid]");
    expect(pane.press("m").title()).toBe("@a[comm]");
  });
});

describe("containers", () => {
  const web = { kind: "container", runtime: "docker", id: "4f0c".repeat(16), name: "web\x1b[2J" } as const;
  const unit = { kind: "unit", runtime: "systemd", id: "ssh.service", name: "ssh.service" } as const;
  const rows = [
    row(["1", "nginx"], 100, { container: web }),
    row(["2", "sshd"], 50, { container: unit }),
    row(["3", "init"], 7),
  ];
  const shown = () => show(map("count", ["pid", "comm"]), rows, 60, 8);
  const names = (pane: ReturnType<typeof show>) =>
    pane.text().map((line) => [/CONTAINER/, /web/, /ssh\.service/].map((name) => name.test(line)));

  it("stand in a column of their own as soon as there is one", () => {
    const pane = shown();
    expect(names(pane).slice(0, 3)).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, false],
    ]);
    expect(pane.text().join("")).not.toContain("\x1b");
    const host = show(map("count", ["pid", "comm"]), rows.slice(1), 60, 8);
    expect(host.text()[0]).not.toContain("CONTAINER");
  });

  it("are hidden and shown by c, then with the units of the rest", () => {
    const pane = shown().press("c");
    expect(pane.text()[0]).not.toContain("CONTAINER");
    pane.press("c");
    expect(names(pane).slice(0, 3)).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ]);
  });

  it("are found by the filter, and told in full in an open row", () => {
    const pane = shown().press("/", "w", "e", "b", "enter");
    expect(pane.text().join("\n")).toContain("nginx");
    expect(pane.text().join("\n")).not.toContain("sshd");
    pane.press("enter");
    expect(pane.text().join("")).toContain(`docker ${"4f0c".repeat(4)}`);
  });

  it("c does nothing where rows belong to nobody", () => {
    const pane = show(map("count", ["comm"]), [row(["a"], 1)], 60, 8).press("c");
    expect(pane.text()[0]).not.toContain("CONTAINER");
  });
});
