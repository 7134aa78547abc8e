/**
 * Scripts on the live kernel within the test's own process: compiled, loaded, attached and printed by what `tracedeck run`
 * is made of, without a start of Node for each of hundreds of rows.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clockNs, errnoText } from "libbpf-ts";
import { compileScript } from "../../src/commands/compileScript.ts";
import { parseRunOptions } from "../../src/commands/runOptions.ts";
import type { Diagnostic } from "../../src/engine/compile/diagnostic.ts";
import { renderDiagnostics } from "../../src/engine/compile/render.ts";
import { EFFECTS } from "../../src/engine/output/effects.ts";
import { liveContext } from "../../src/engine/output/live.ts";
import { createPrinter } from "../../src/engine/output/printer.ts";
import { Sink } from "../../src/engine/output/sink.ts";
import type { Losses } from "../../src/engine/protocol.ts";
import { Session } from "../../src/engine/session/session.ts";

export interface ScriptRun {
  /** What the script printed, and its maps. */
  stdout: string;
  /** Diagnostics as the prompt shows them, then complaints of the running script. */
  stderr: string;
  diagnostics: readonly Diagnostic[];
  status: number;
  losses?: Losses;
}

/** `args` are those of `tracedeck run`; `work` is done once everything is attached, and then the script is stopped. */
export async function runScript(
  script: string,
  args: readonly string[] = [],
  work?: () => unknown,
): Promise<ScriptRun> {
  const options = parseRunOptions(["-e", script, ...args]);
  const { diagnostics, plan, files } = compileScript(
    { name: "stdin", text: script },
    options,
    options.positionals,
  );
  let stderr = renderDiagnostics(diagnostics, files, { color: false });
  if (!plan || diagnostics.some(({ severity }) => severity === "error")) {
    return { stdout: "", stderr, diagnostics, status: 1 };
  }
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-script-"));
  try {
    using session = new Session(plan, {
      pid: options.pid,
      command: options.command,
      unwindPids: options.dwarfPids,
      files,
    });
    const sink = new Sink(join(folder, "out"));
    const printer = createPrinter(options.format, {
      plan,
      files,
      host: {
        context: liveContext(plan, session.symbols),
        effects: EFFECTS,
        now: () => clockNs("realtime"),
        errorText: errnoText,
      },
      sink,
      error: (text) => {
        stderr += text;
      },
    });
    await session.start({
      onEvent: (action, view, offset) => printer.record(action, view, offset),
      onPrintMap: ({ top, div }, map) => printer.printMap(map, { top, div }),
      onPinned: (path) => sink.out.text(`Program pinned to ${path}\n`),
      onWarning: (message) => {
        stderr += `WARNING: ${message}\n`;
      },
    });
    if (work) {
      await work();
      session.stop();
    }
    const { exitCode } = await session.ended;
    if (plan.config.printMapsOnExit) {
      const maps = session.scriptMaps().map((index) => ({ index, name: plan.maps[index].name }));
      for (const { index } of maps.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        printer.finalMap(session.readMap(index));
      }
    }
    const losses = session.losses();
    await sink.close();
    return {
      stdout: readFileSync(join(folder, "out"), "utf8"),
      stderr,
      diagnostics,
      status: exitCode,
      losses,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
