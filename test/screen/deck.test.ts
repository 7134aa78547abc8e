/** The main job, end to end, as an on-call engineer does it: the real deck on the live kernel. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONNECTED, childrenOf, Terminal } from "./terminal.ts";

const canTrace = process.geteuid?.() === 0;

/** Work that the scripts see: a process that reads a file again and again. */
let work: ChildProcess;
beforeAll(() => {
  const read =
    "const fs = require('fs'); setInterval(() => { for (let i = 0; i < 50; i++) fs.readFileSync('/etc/hostname') }, 20)";
  work = spawn(process.execPath, ["-e", read], { stdio: "ignore" });
});
afterAll(() => {
  work.kill();
});

describe.skipIf(!canTrace)("the deck on the live kernel", () => {
  it("picks a script, sees it grow, edits, breaks and mends it, reruns, resizes, and leaves", async () => {
    using terminal = new Terminal({ columns: 120, rows: 40 });
    await terminal.waitFor(CONNECTED);

    // Somebody new lands in the library.
    await terminal.waitFor("library · ");
    terminal.press("/");
    terminal.type("read and write");
    await terminal.waitFor("Read and write sizes");
    terminal.press("Enter");
    await terminal.waitFor("● running");
    await terminal.waitFor(/p50 .* p99/);
    const count = () => Number(/ n ([\d,]+)/.exec(terminal.text)?.[1].replaceAll(",", "") ?? 0);
    await terminal.waitFor(() => count() > 0);
    const first = count();
    await terminal.waitFor(() => count() > first);

    // Freeze: the picture stands still.
    terminal.press("Space");
    await terminal.waitFor("FROZEN");
    await terminal.settle();
    const frozen = count();
    await new Promise((wake) => setTimeout(wake, 2500));
    expect(count()).toBe(frozen);
    terminal.press("Space");
    await terminal.waitFor(() => count() > frozen);

    // Its source is in the editor. Replace it, break it, mend it.
    terminal.press("Alt-1", "Alt-a", "Delete");
    terminal.paste(
      "tracepoint:syscalls:sys_enter_read {\n  @sizes = hist(args.count);\n  @calls[comm] = count();\n}\n",
    );
    await terminal.waitFor("@calls[comm]");
    terminal.press("Up", "Up", "Up", "Up", "Home");
    terminal.type("oops");
    await terminal.waitFor(/oopstracepoint[^\n]*\n[^\n]*\^/);
    terminal.press("Ctrl-R");
    await terminal.waitFor("failed");
    terminal.press("Backspace", "Backspace", "Backspace", "Backspace");
    await terminal.waitFor(() => !terminal.text.includes("oops"));
    terminal.press("Ctrl-R");
    await terminal.waitFor("● running");
    await terminal.waitFor("@sizes");
    await terminal.waitFor(/node +[\d,]+/);

    // Small, and large again.
    for (const [columns, rows] of [
      [80, 24],
      [200, 50],
    ]) {
      terminal.resize(columns, rows);
      await terminal.waitFor(() => terminal.rows()[rows - 1].includes("help"));
      await terminal.waitFor(() => ["● running", "@sizes"].every((text) => terminal.text.includes(text)));
    }

    // Help, the command line, stop and start.
    terminal.press("F1");
    await terminal.waitFor("keys and commands");
    terminal.press("Esc");
    await terminal.waitFor(() => !terminal.text.includes("keys and commands"));
    terminal.press("Alt-x");
    terminal.type("interval 200ms\r");
    await terminal.waitFor("200ms");
    terminal.press("Ctrl-R");
    await terminal.waitFor("ended");
    terminal.press("Ctrl-R");
    await terminal.waitFor("● running");

    const engines = childrenOf(terminal.pid);
    expect(engines).toHaveLength(1);
    terminal.press("Ctrl-C");
    expect(await terminal.waitForExit()).toBe(0);
    await terminal.waitFor(() => !terminal.isAlternate);
    await terminal.waitFor(() => !isAlive(engines[0]));
  });

  it("the engine ends with the deck, however that ends", async () => {
    using terminal = new Terminal();
    await terminal.waitFor(CONNECTED);
    await terminal.settle();
    const [engine] = childrenOf(terminal.pid);
    expect(isAlive(engine)).toBe(true);
    terminal.kill("SIGKILL");
    await terminal.waitForExit();
    await terminal.waitFor(() => !isAlive(engine));
  });

  it("says so when the engine is gone, and starts it anew", async () => {
    using terminal = new Terminal();
    await terminal.waitFor(CONNECTED);
    await terminal.settle();
    process.kill(childrenOf(terminal.pid)[0], "SIGKILL");
    await terminal.waitFor("NO ENGINE");
    await terminal.waitFor(":restart starts it anew");
    terminal.press("Alt-x");
    terminal.type("restart\r");
    await terminal.waitFor(() => !terminal.text.includes("NO ENGINE") && CONNECTED.test(terminal.text));
  });

  it("sends at most 5 KB for a frame while every pane changes, and never clears", async () => {
    const script = join(tmpdir(), `busy-${process.pid}.bt`);
    writeFileSync(
      script,
      `tracepoint:raw_syscalls:sys_enter { @syscalls = count(); @by[comm, pid] = count(); }
tracepoint:syscalls:sys_enter_read { @sizes = hist(args.count); @small = lhist(args.count, 0, 1000, 100); }
tracepoint:syscalls:sys_enter_openat { printf("%d %s\\n", pid, comm); }
`,
    );
    try {
      using terminal = new Terminal({ columns: 200, rows: 50, args: ["deck", "--run", script] });
      await terminal.waitFor("● running");
      for (const shown of ["@syscalls", "@by", "@sizes", "@small", "events"]) await terminal.waitFor(shown);
      await terminal.waitFor(/p50 .*p99/);
      const start = terminal.sent.length;
      await new Promise((wake) => setTimeout(wake, 6000));
      const sent = terminal.sent.slice(start);
      const frames = sent.match(/\x1b\[\?2026l/g)?.length ?? 0;
      expect(frames).toBeGreaterThan(2);
      expect(Buffer.byteLength(sent) / frames).toBeLessThanOrEqual(5000);
      expect(sent).not.toContain("\x1b[2J");
    } finally {
      rmSync(script);
    }
  });

  it("names the panes that are out of sight, and goes to them by number", async () => {
    const script = join(tmpdir(), `tabs-${process.pid}.bt`);
    writeFileSync(
      script,
      "tracepoint:syscalls:sys_enter_read { @first = count(); @second[comm] = count(); @third = hist(args.count); @fourth = sum(args.count); }",
    );
    try {
      using terminal = new Terminal({ columns: 80, rows: 24, args: ["deck", "--run", script] });
      await terminal.waitFor("● running");
      const tabs = " 1 editor  2 library  3 @first  4 @second  5 @third  6 @fourth";
      await terminal.waitFor(() => terminal.rows()[1].trimEnd() === tabs);
      expect(terminal.text).not.toContain("─ 6 @fourth");
      terminal.press("6");
      await terminal.waitFor("━ 6 @fourth");
      expect(terminal.rows()[1]).toContain("3 @first");
    } finally {
      rmSync(script);
    }
  });

  it("keeps the keys that were typed while it starts", async () => {
    const script = join(tmpdir(), `early-${process.pid}.bt`);
    writeFileSync(script, "tracepoint:syscalls:sys_enter_read { @ = count(); }");
    try {
      using typed = new Terminal({ args: [script] });
      await typed.waitFor(() => typed.sent !== "");
      typed.type("// a note");
      await typed.waitFor("// a notetracepoint:syscalls");
      using running = new Terminal({ args: ["deck", "--run", script] });
      await running.waitFor(() => running.sent !== "");
      running.press("?");
      await running.waitFor("keys and commands");
    } finally {
      rmSync(script);
    }
  });

  it("shows hostile output as text", async () => {
    const script = join(tmpdir(), `hostile-${process.pid}.bt`);
    writeFileSync(script, 'BEGIN { printf("a\\x1b[2J\\x1b]0;title\\x07b\\n"); }\n');
    try {
      using terminal = new Terminal({ args: [script] });
      await terminal.waitFor(CONNECTED);
      await terminal.waitFor("BEGIN");
      terminal.press("Ctrl-R");
      await terminal.waitFor("a\\x1b[2J\\x1b]0;title\\x07b");
      expect(terminal.sent).not.toContain("\x1b]0;");
      terminal.press("Ctrl-C");
      await terminal.waitForExit();
    } finally {
      rmSync(script);
    }
  });
});

describe("settings", () => {
  it("remember theme, interval, history and the script of the last time", async () => {
    using first = new Terminal();
    await first.waitFor(CONNECTED);
    for (const line of ["theme light", "interval 2s"]) {
      first.press("Alt-x");
      await first.settle(60);
      first.type(`${line}\r`);
      await first.settle(60);
    }
    await first.waitFor("2s");
    first.press("Ctrl-C");
    await first.waitForExit();

    using second = new Terminal({ config: first.config });
    await second.waitFor("2s");
    second.press("Alt-x", "Up");
    await second.waitFor(":interval 2s");
    second.press("Up");
    await second.waitFor(":theme light");
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
