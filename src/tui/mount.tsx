/** Puts store, terminal and Ink together: the deck on the screen, without anything in it yet. */
import { spawnSync } from "node:child_process";
import type { ReadStream, WriteStream } from "node:tty";
import { render } from "ink";
import { spawnEngine } from "../engine/client/client.ts";
import { panes } from "../panes/index.ts";
import { App } from "./app.tsx";
import type { Lazy } from "./index.ts";
import { Settings, settingsFolder } from "./settings.ts";
import type { SavedSettings } from "./state.ts";
import { Store } from "./store.ts";
import type { InputEvent } from "./terminal/decode.ts";
import { InkStdout } from "./terminal/ink-stdout.ts";
import type { Placement } from "./terminal/placement.ts";
import { TerminalSession } from "./terminal/session.ts";
import { colorDepth, hasUnicode, makeTheme, type ThemeName } from "./theme.ts";
import { initialState } from "./update.ts";
import type { Display } from "./view.ts";

export interface Mounted {
  store: Store;
  terminal: TerminalSession;
  /** The exit code, once the deck was left. */
  left: Promise<number>;
  /** Ends the deck with an error. */
  fail(error: unknown): void;
}

/** Draws the first frame. `adapt` may change the settings that are started with. */
export function mountDeck(lazy: Lazy, adapt: (saved: Partial<SavedSettings>) => void): Mounted {
  const { promise, resolve: leave, reject: fail } = withResolvers<number>();
  const stdin = process.stdin as ReadStream;
  const stdout = process.stdout as WriteStream;
  const settings = new Settings(settingsFolder(), lazy.saveSettings, (error) =>
    store.dispatch({
      type: "message",
      message: { text: `settings are not kept: ${error.message}`, level: "warning" },
    }),
  );
  const saved = settings.read();
  adapt(saved);
  const depth = colorDepth(process.env);
  const unicode = hasUnicode(process.env);
  const displays = new Map<ThemeName, Display>();
  const display = (theme: ThemeName): Display => {
    let found = displays.get(theme);
    if (!found) {
      found = { theme: makeTheme(theme, depth), unicode, color: depth !== "none" };
      displays.set(theme, found);
    }
    return found;
  };

  const terminal = new TerminalSession(
    stdin,
    stdout,
    {
      input: (event) => onInput(store, event),
      resize: () => store.dispatch({ type: "resize", columns: stdout.columns, rows: stdout.rows }),
      closing: () => store.close(),
    },
    true,
  );

  const quit = async () => {
    const { focus, zoom } = store.state;
    settings.save({ focus, zoom });
    terminal.close();
    await settings.flush();
    leave(0);
  };
  const store = new Store(initialState(panes, stdout.columns, stdout.rows, saved), {
    settings,
    display,
    connect: (events, sudo) => spawnEngine(events, { sudo }),
    terminal: {
      quit: () => void quit(),
      redraw: () => terminal.painter.redraw(),
      suspend: () => terminal.suspend(),
      copy: (text) => terminal.copy(text),
      mouse: (on) => terminal.setMouse(on),
      lend: async (command, args) =>
        terminal.lend(() => spawnSync(command, args, { stdio: "inherit" }).status === 0),
    },
  });
  if (saved.mouse) terminal.setMouse(true);

  let placed: Placement[] = [];
  const paint = () => {
    terminal.painter.setCursor(store.picture().cursor);
    terminal.painter.present(store.frame(placed));
  };
  // By then Ink has placed the blocks of a layout that changed.
  store.subscribe(() => setImmediate(paint));
  const ink = render(<App store={store} />, {
    stdout: new InkStdout((blocks) => {
      placed = blocks;
      paint();
    }, stdout) as unknown as WriteStream,
    stdin,
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  ink.waitUntilExit().catch(fail);
  return { store, terminal, left: promise, fail };
}

/** Promise.withResolvers, which Node has from 22 on. */
function withResolvers<Value>() {
  let resolve!: (value: Value) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function onInput(store: Store, event: InputEvent): void {
  if (event.type === "key") store.dispatch({ type: "key", key: event.key });
  else if (event.type === "mouse") {
    const { action, x, y } = event;
    if (action === "press") store.dispatch({ type: "click", x, y });
    else if (action.startsWith("wheel"))
      store.dispatch({ type: "scroll", down: action === "wheel-down", x, y });
  }
}
