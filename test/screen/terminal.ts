/** The real deck in a real terminal: a pty, with an emulator that knows what is on the screen. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type IPty, spawn } from "@lydell/node-pty";
import xterm from "@xterm/headless";

const ROOT = resolve(import.meta.dirname, "../..");
export const CLI = join(ROOT, "dist/cli.js");

/** The deck's first line once its engine has answered: the machine and its kernel. */
export const CONNECTED = new RegExp(`tracedeck +${hostname().replaceAll(".", "\\.")} +\\d+\\.\\d+`);

/** What a terminal sends for the keys that tests press. */
const KEYS: Record<string, string> = {
  Enter: "\r",
  Tab: "\t",
  "Shift-Tab": "\x1b[Z",
  Esc: "\x1b",
  Backspace: "\x7f",
  Delete: "\x1b[3~",
  Up: "\x1b[A",
  Down: "\x1b[B",
  Right: "\x1b[C",
  Left: "\x1b[D",
  Home: "\x1b[H",
  End: "\x1b[F",
  PageUp: "\x1b[5~",
  PageDown: "\x1b[6~",
  F1: "\x1bOP",
  F5: "\x1b[15~",
  Space: " ",
};

function keyBytes(key: string): string {
  if (KEYS[key]) return KEYS[key];
  const ctrl = /^Ctrl-([A-Z])$/.exec(key);
  if (ctrl) return String.fromCharCode(ctrl[1].charCodeAt(0) - 64);
  const alt = /^Alt-(.)$/.exec(key);
  return alt ? `\x1b${alt[1]}` : key;
}

export interface OpenOptions {
  columns?: number;
  rows?: number;
  args?: string[];
  env?: Record<string, string | undefined>;
  /** Settings of an earlier deck. */
  config?: string;
  command?: [string, string[]];
}

export class Terminal {
  readonly pid: number;
  /** All that the program sent. */
  sent = "";
  exit: { exitCode: number; signal?: number } | undefined;
  readonly config: string;
  private readonly pty: IPty;
  private readonly screen: xterm.Terminal;
  private readonly ownConfig: boolean;
  private changed: (() => void)[] = [];

  constructor({ columns = 120, rows = 36, args = [], env = {}, config, command }: OpenOptions = {}) {
    this.ownConfig = config === undefined;
    this.config = config ?? mkdtempSync(join(tmpdir(), "tracedeck-screen-"));
    this.screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 200 });
    const [file, fileArgs] = command ?? [CLI, args];
    this.pty = spawn(file, fileArgs, {
      cols: columns,
      rows,
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        HOME: this.config,
        XDG_CONFIG_HOME: this.config,
        TERM: "xterm-256color",
        LANG: "C.UTF-8",
        ...env,
      } as Record<string, string>,
    });
    this.pid = this.pty.pid;
    this.pty.onData((data) => {
      this.sent += data;
      this.screen.write(data, () => this.wake());
    });
    // Answers of the terminal to the program's questions.
    this.screen.onData((data) => this.pty.write(data));
    this.pty.onExit((exit) => {
      this.exit = exit;
      this.wake();
    });
  }

  private wake(): void {
    for (const listener of this.changed.splice(0)) listener();
  }

  /** Keys by name ("Tab", "Ctrl-R", "q"). */
  press(...keys: string[]): void {
    for (const key of keys) this.pty.write(keyBytes(key));
  }

  /** Raw bytes or typed text. */
  type(text: string): void {
    this.pty.write(text);
  }

  paste(text: string): void {
    this.pty.write(`\x1b[200~${text}\x1b[201~`);
  }

  resize(columns: number, rows: number): void {
    this.screen.resize(columns, rows);
    this.pty.resize(columns, rows);
  }

  /** What `wall` does: another program writes to the same terminal. */
  stray(data: string): void {
    this.screen.write(data, () => this.wake());
  }

  kill(signal: string): void {
    process.kill(this.pid, signal);
  }

  rows(): string[] {
    const buffer = this.screen.buffer.active;
    return Array.from({ length: this.screen.rows }, (_, y) =>
      (buffer.getLine(buffer.viewportY + y)?.translateToString(false) ?? "").padEnd(this.screen.cols),
    );
  }

  get text(): string {
    return this.rows().join("\n");
  }

  get isAlternate(): boolean {
    return this.screen.buffer.active.type === "alternate";
  }

  get cursor(): { x: number; y: number } {
    const { cursorX, cursorY } = this.screen.buffer.active;
    return { x: cursorX, y: cursorY };
  }

  /** Whether any cell has a colour. */
  get colored(): boolean {
    const buffer = this.screen.buffer.active;
    for (let y = 0; y < this.screen.rows; y++) {
      for (let x = 0; x < this.screen.cols; x++) {
        const cell = buffer.getLine(buffer.viewportY + y)?.getCell(x);
        if (cell && !(cell.isFgDefault() && cell.isBgDefault())) return true;
      }
    }
    return false;
  }

  /** Waits until the screen shows this, or the condition holds; fails with the screen. */
  async waitFor(what: string | RegExp | (() => boolean), timeout = 30_000): Promise<void> {
    const holds = () => {
      if (typeof what === "function") return what();
      return typeof what === "string" ? this.text.includes(what) : what.test(this.text);
    };
    const deadline = Date.now() + timeout;
    while (!holds()) {
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`the screen never showed ${what}:\n${this.text}`);
      await new Promise<void>((wake) => {
        const timer = setTimeout(wake, Math.min(left, 100));
        this.changed.push(() => {
          clearTimeout(timer);
          wake();
        });
      });
    }
  }

  /** Until nothing was sent for a while. */
  async settle(quiet = 150): Promise<void> {
    for (let length = -1; length !== this.sent.length; ) {
      length = this.sent.length;
      await new Promise((wake) => setTimeout(wake, quiet));
    }
  }

  async waitForExit(timeout = 30_000): Promise<number> {
    await this.waitFor(() => this.exit !== undefined, timeout);
    return this.exit!.exitCode;
  }

  [Symbol.dispose](): void {
    if (!this.exit) this.pty.kill("SIGKILL");
    this.screen.dispose();
    if (this.ownConfig) rmSync(this.config, { recursive: true, force: true });
  }
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .trim()
      .split(/\s+/)
      .filter(Boolean)
      .map(Number);
  } catch {
    return [];
  }
}
