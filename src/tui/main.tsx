/** The deck's main program: puts store, terminal, engine and Ink together. Loaded after the skeleton is on the screen. */
import { spawnSync } from "node:child_process";
import type { ReadStream, WriteStream } from "node:tty";
import { render } from "ink";
import { spawnEngine } from "../engine/client/client.ts";
import { panes } from "../panes/index.ts";
import { App } from "./app.tsx";
import type { DeckOptions } from "./index.ts";
import { Settings, settingsFolder } from "./settings.ts";
import { Store } from "./store.ts";
import type { InputEvent } from "./terminal/decode.ts";
import { InkStdout } from "./terminal/ink-stdout.ts";
import { TerminalSession } from "./terminal/session.ts";
import { colorDepth, hasUnicode, makeTheme, type ThemeName } from "./theme.ts";
import { initialState } from "./update.ts";
import type { Display } from "./view.ts";

/** Opens the deck; resolves to the exit code when it was left. */
export function runDeck({ file, run, lazy }: DeckOptions): Promise<number> {
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
  // Somebody who has no script yet starts with the bundled ones.
  if (file !== undefined) saved.focus = "editor";
  else if (!saved.script) saved.focus = "library";
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

  terminal.painter.setCursor(store.picture().cursor);
  store.subscribe(() => {
    terminal.painter.setCursor(store.picture().cursor);
    // Ink draws when React commits; a cursor that moved over unchanged text is sent after that.
    setImmediate(() => terminal.painter.settle());
  });
  const ink = render(<App store={store} />, {
    stdout: new InkStdout(terminal.painter, stdout) as unknown as WriteStream,
    stdin,
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  ink.waitUntilExit().catch(fail);

  // What the first frame does not need.
  setImmediate(() => {
    store.connect();
    if (file !== undefined) {
      store.openFile(file, run);
    } else if (saved.script) {
      store.dispatch({
        type: "open",
        source: saved.script,
        name: saved.scriptName || undefined,
        focus: false,
      });
    }
    lazy.library().then((scripts) => store.dispatch({ type: "library", scripts }), fail);
  });
  return promise;
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
