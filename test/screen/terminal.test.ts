/** What the deck does to the terminal it runs in. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CLI, CONNECTED, childrenOf, Terminal } from "./terminal.ts";

const folder = mkdtempSync(join(tmpdir(), "tracedeck-scripts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = join(folder, "reads.bt");
writeFileSync(script, "tracepoint:syscalls:sys_enter_read { @reads[comm] = count(); }\n");

/** A shell that runs the deck, so that what it leaves behind is seen. */
const inShell = (then: string): [string, string[]] => [
  "sh",
  ["-c", `echo before; ${CLI} ${script}; ${then}`],
];

describe("the terminal is given back", () => {
  const restored = "\x1b[?25h\x1b[?1049l";

  it.each<[string, (terminal: Terminal) => void]>([
    ["Ctrl-C", (terminal) => terminal.press("Ctrl-C")],
    ["q", (terminal) => terminal.press("Alt-2", "q")],
    [":quit", (terminal) => terminal.press("Alt-x", "quit", "Enter")],
  ])("after %s", async (_, leave) => {
    using terminal = new Terminal({ command: inShell("echo status $?; stty -a | grep -o -- '-\\?icanon'") });
    await terminal.waitFor("reads.bt");
    expect(terminal.isAlternate).toBe(true);
    leave(terminal);
    await terminal.waitFor(/status 0[\s\S]*icanon/);
    await terminal.waitForExit();
    expect(terminal.isAlternate).toBe(false);
    expect(terminal.text).toContain("before");
    expect(terminal.text).toMatch(/^icanon/m);
    expect(terminal.sent).toContain(restored);
  });

  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
    ["SIGHUP", 129],
  ])("after %s", async (signal, code) => {
    using terminal = new Terminal({ args: [script] });
    await terminal.waitFor("reads.bt");
    terminal.kill(signal);
    expect(await terminal.waitForExit()).toBe(code);
    await terminal.waitFor(() => !terminal.isAlternate && terminal.sent.includes(restored));
  });

  it.each([
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ])("after %s while the deck loads", async (signal, code) => {
    using terminal = new Terminal({ args: [script] });
    await terminal.waitFor(() => terminal.isAlternate);
    terminal.kill(signal);
    expect(await terminal.waitForExit()).toBe(code);
    await terminal.waitFor(() => !terminal.isAlternate && terminal.sent.includes(restored));
  });

  it.each(["suspend", "SIGTSTP", "SIGSTOP"] as const)(
    "for as long as %s stops the deck, and taken again by fg",
    async (by) => {
      using terminal = new Terminal({ command: ["bash", ["--norc", "-i"]], env: { PS1: "shell> " } });
      await terminal.waitFor("shell>");
      terminal.type(`${CLI} ${script}\r`);
      await terminal.waitFor("reads.bt ·");
      if (by === "suspend") terminal.press("Alt-x", "suspend", "Enter");
      else process.kill(childrenOf(terminal.pid)[0], by);
      await terminal.waitFor("Stopped");
      // SIGSTOP can't be heard.
      expect(terminal.isAlternate).toBe(by === "SIGSTOP");
      terminal.type("fg\r");
      await terminal.waitFor(
        () =>
          terminal.isAlternate &&
          /sys_enter_read[\s\S]*F1 help/.test(terminal.text) &&
          !/Stopped|shell>/.test(terminal.text),
      );
      terminal.press("Ctrl-C");
      await terminal.waitFor(() => !terminal.isAlternate);
    },
  );
});

describe("the screen", () => {
  it("follows the terminal's size without debris", async () => {
    using terminal = new Terminal({ columns: 120, rows: 36, args: [script] });
    await terminal.waitFor("reads.bt");
    for (const [columns, rows] of [
      [80, 24],
      [200, 50],
      [60, 15],
      [100, 30],
    ]) {
      terminal.resize(columns, rows);
      await terminal.waitFor(() => {
        const lines = terminal.rows();
        const whole =
          /┓\s*$/.test(lines[1]) && /┛\s*$/.test(lines[rows - 2]) && /F1 help/.test(lines[rows - 1]);
        return whole && terminal.text.match(/┏/g)?.length === 1;
      });
    }
  });

  it("is drawn anew by Ctrl-L after a stray write", async () => {
    using terminal = new Terminal({ args: [script] });
    await terminal.waitFor(CONNECTED);
    await terminal.settle();
    const before = terminal.text;
    terminal.stray("\x1b[5;5HBROADCAST MESSAGE");
    await terminal.waitFor("BROADCAST");
    terminal.press("Ctrl-L");
    await terminal.waitFor(() => !terminal.text.includes("BROADCAST") && terminal.text === before);
  });

  it("sends nothing while nothing changes, and little for a cursor key", async () => {
    using terminal = new Terminal({ columns: 200, rows: 50, args: [script] });
    await terminal.waitFor("reads.bt");
    await terminal.waitFor(CONNECTED);
    await terminal.settle(1200);
    const idle = terminal.sent.length;
    await new Promise((wake) => setTimeout(wake, 2200));
    expect(terminal.sent.length).toBe(idle);
    terminal.press("Right");
    await terminal.waitFor(() => terminal.sent.length > idle);
    await terminal.settle();
    expect(terminal.sent.length - idle).toBeLessThanOrEqual(300);
    expect(idle).toBeLessThanOrEqual(25_000);
    expect(terminal.sent.match(/\x1b\[2J/g)).toHaveLength(1);
    expect(terminal.sent).not.toContain("\x1b[3J");
  });

  it("uses no colour with NO_COLOR, and only ASCII without a UTF-8 locale", async () => {
    using plain = new Terminal({ args: [script], env: { NO_COLOR: "1" } });
    await plain.waitFor(CONNECTED);
    await plain.settle();
    expect(plain.colored).toBe(false);
    using colored = new Terminal({ args: [script] });
    await colored.waitFor("reads.bt");
    await colored.waitFor(() => colored.colored);
    using ascii = new Terminal({ args: [script], env: { LANG: "C" } });
    await ascii.waitFor(CONNECTED);
    await ascii.settle();
    expect(ascii.text).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it("says what is wrong instead of starting where there is no terminal", async () => {
    using terminal = new Terminal({
      command: ["sh", ["-c", `${CLI} deck </dev/null; echo code $?`]],
    });
    await terminal.waitFor("code 1");
    expect(terminal.text).toContain("the deck needs a terminal; `tracedeck run` prints instead");
    expect(terminal.sent).not.toContain("\x1b[?1049h");
  });
});

describe("input", () => {
  it("puts split sequences together, and takes a paste for a paste", async () => {
    // Sooner than the deck takes an Escape for one; where the machine was slower than that, again.
    for (let longest = Number.POSITIVE_INFINITY; longest > 25; ) {
      using terminal = new Terminal({ columns: 100, rows: 30 });
      await terminal.waitFor("tracedeck");
      terminal.press("Alt-1");
      terminal.paste("BEGIN\r{\r  @a = 1;\r}");
      await terminal.waitFor(/1 BEGIN[\s\S]*2 \{[\s\S]*3 {3}@a = 1;[\s\S]*4 \}/);
      longest = 0;
      for (const piece of ["\x1b", "[", "H"]) {
        const before = performance.now();
        terminal.type(piece);
        await new Promise((wake) => setTimeout(wake, 8));
        longest = Math.max(longest, performance.now() - before);
      }
      if (longest > 25) continue;
      terminal.type("X");
      await terminal.waitFor("4 X}");
      expect(terminal.text).not.toContain("[H");
    }
  });
});

describe("names that others chose", () => {
  it("are shown by list, and do not drive the terminal", async () => {
    const libc = /\S+\/libc\.so\.6$/m.exec(readFileSync("/proc/self/maps", "utf8"))![0];
    const library = join(folder, "hostile.so");
    const bytes = readFileSync(libc);
    bytes[bytes.indexOf("gnu_get_libc_version\0") + 3] = 0x1b;
    writeFileSync(library, bytes);
    using terminal = new Terminal({ args: ["list", `uprobe:${library}:gnu*libc_version`] });
    expect(await terminal.waitForExit()).toBe(0);
    await terminal.waitFor("gnu\\x1bget_libc_version");
    expect(terminal.sent).not.toContain("\x1b");
  });
});
