/** What stands above the footer until Esc: why nothing can be traced, why the engine or the script ended. */
import { type Line, line, sanitizeLines, span } from "../panes/text/index.ts";
import type { DeckState } from "./state.ts";

const MOST_ROWS = 10;
/** On a screen this low the panes need the room. */
const LEAST_ROWS = 18;

function obstacles({ engine }: DeckState): Line[] {
  if (engine.status !== "ready" || engine.obstacles.length === 0) return [];
  return [
    [
      span(` ${engine.user} cannot trace on ${engine.host} yet`, "warning"),
      span("   :sudo starts the engine as root, Esc puts this away", "dim"),
    ],
    ...engine.obstacles.flatMap(({ what, fix }): Line[] => [
      [span(" x ", "error"), span(what)],
      [span("   "), span(fix, "accent")],
    ]),
  ];
}

function engineGone({ engine }: DeckState): Line[] {
  if (engine.status !== "gone") return [];
  const [first, ...rest] = sanitizeLines(engine.error);
  return [
    [span(" no engine: ", "error"), span(first)],
    ...rest.slice(0, MOST_ROWS - 2).map((text) => line(`   ${text}`)),
    [span("   :restart starts it anew", "dim")],
  ];
}

/** The engine ended it: the cost guard. */
function scriptStopped({ run }: DeckState): Line[] {
  if (run.state !== "ended" || !run.error) return [];
  const [first, ...rest] = sanitizeLines(run.error).flatMap((text) => text.split("; "));
  return [
    [span(` ${first}`, "error")],
    ...rest.map((text) => line(`   ${text}`)),
    [span("   :guard off lets it run, Ctrl-R starts it again, Esc puts this away", "dim")],
  ];
}

/** Where there are diagnostics, the editor shows them at their lines. */
function scriptFailed({ run, engine }: DeckState): Line[] {
  if (run.state !== "failed" || engine.status === "gone" || !run.error) return [];
  if (run.diagnostics.some(({ severity }) => severity === "error")) return [];
  const lines = sanitizeLines(run.error);
  const kept = lines.slice(0, MOST_ROWS - 1);
  return [
    ...kept.map(
      (text, index): Line => (index === 0 ? [span(" failed: ", "error"), span(text)] : line(`   ${text}`)),
    ),
    [
      span(lines.length > kept.length ? `   … ${lines.length - kept.length} more lines. ` : "   ", "dim"),
      span("Esc puts this away", "dim"),
    ],
  ];
}

export function noticeLines(state: DeckState): Line[] {
  if (state.noticeClosed || state.rows < LEAST_ROWS) return [];
  return [...engineGone(state), ...scriptStopped(state), ...scriptFailed(state), ...obstacles(state)].slice(
    0,
    MOST_ROWS,
  );
}
