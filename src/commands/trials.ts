/**
 * `tracedeck run --test` and `--bench`: the script's test probes pass or fail, its bench probes are measured. Begin and
 * end run as always; nothing else is attached.
 */
import type { Plan } from "../engine/compile/plan.ts";
import { liveContext, liveHost } from "../engine/output/live.ts";
import { createPrinter } from "../engine/output/printer.ts";
import { Sink } from "../engine/output/sink.ts";
import { SessionError } from "../engine/session/error.ts";
import { Session } from "../engine/session/session.ts";
import { complain, finishOutput, reportDiagnostics, sayError, wantsColor } from "./report.ts";
import type { RunOptions } from "./runOptions.ts";
import { openSink } from "./trace.ts";
import { type Outcome, type TrialReport, trialReport } from "./trialReport.ts";

const FAILED = 255;
/** Below this the clock and the loop around the program would be most of what is measured. */
const LEAST_NANOSECONDS = 1_000_000;
/** For programs so short that the kernel tells 0 ns of one run. */
const MOST_REPEATS = 1e7;

/** Holds what is written until somebody takes it. */
class Captured extends Sink {
  constructor() {
    super(-1);
  }
  override wrote(): void {}
  override flush(): void {}
  take(): string {
    const text = Buffer.from(this.out.view()).toString();
    this.out.clear();
    return text;
  }
}

export async function runTrials(
  plan: Plan,
  files: readonly { name: string; text: string }[],
  options: RunOptions,
): Promise<number> {
  const sink = openSink(options, () => {});
  const captured = new Captured();
  const trials = new Trials(plan, files, options, captured);
  try {
    await trials.start();
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    if (error.diagnostic) reportDiagnostics([error.diagnostic], files);
    else sayError(error.message);
    return FAILED;
  }
  const report = trialReport(options.format, wantsColor());
  const write = (text: string) => {
    sink.out.text(text);
    sink.flush();
  };
  write(captured.take());
  const status = options.mode === "test" ? trials.test(report, write) : trials.bench(report, write);
  await trials.end();
  write(captured.take());
  await finishOutput(sink);
  return status;
}

class Trials {
  readonly #plan: Plan;
  readonly #mode: RunOptions["mode"];
  readonly #session: Session;
  readonly #captured: Captured;
  readonly #sinks: Parameters<Session["start"]>[0];
  #errors = 0;

  constructor(
    plan: Plan,
    files: readonly { name: string; text: string }[],
    options: RunOptions,
    captured: Captured,
  ) {
    this.#plan = plan;
    this.#mode = options.mode;
    this.#captured = captured;
    this.#session = new Session(plan, { files, trials: true });
    const printer = createPrinter("text", {
      plan,
      files,
      host: liveHost(liveContext(plan, this.#session.symbols)),
      sink: captured,
      error: (text, severity) => {
        if (severity === "error") this.#errors++;
        captured.out.text(text);
      },
      noWarnings: options.noWarnings,
    });
    this.#sinks = {
      onEvent: (action, view, offset) => printer.record(action, view, offset),
      onPrintMap: ({ top, div }, map) => printer.printMap(map, { top, div }),
    };
  }

  start(): Promise<void> {
    return this.#session.start(this.#sinks);
  }

  async end(): Promise<void> {
    this.#session.stop();
    await this.#session.ended;
    this.#session.close();
  }

  /** Indexes and names of the probes, in the script's order. */
  #probes(): { index: number; name: string }[] {
    return this.#plan.probes.flatMap(({ via, attach }, index) =>
      via === this.#mode && (attach.kind === "test" || attach.kind === "bench")
        ? [{ index, name: attach.name }]
        : [],
    );
  }

  /** A test fails when it returns something, exits with something or reports an error. */
  test(report: TrialReport, write: (text: string) => void): number {
    const probes = this.#probes();
    write(report.beforeTests(probes.length));
    const outcomes = probes.map(({ index, name }): Outcome => {
      this.#errors = 0;
      write(report.beforeTest(name));
      const { returned, exitCode = 0, nanoseconds } = this.#session.trial(index);
      const passed = returned === 0 && exitCode === 0 && this.#errors === 0;
      const outcome = { name, passed, nanoseconds, output: this.#captured.take() };
      write(report.afterTest(outcome));
      return outcome;
    });
    write(report.afterTests(outcomes));
    return outcomes.every(({ passed }) => passed) ? 0 : 1;
  }

  /** Repeats each until the runs take long enough to measure. One that returns something is left out; errors fail it. */
  bench(report: TrialReport, write: (text: string) => void): number {
    const probes = this.#probes();
    write(report.beforeBenches(probes.map(({ name }) => name)));
    let status = 0;
    for (const { index, name } of probes) {
      this.#errors = 0;
      for (let repeat = 1; ; ) {
        const { returned, exitCode, nanoseconds } = this.#session.trial(index, repeat);
        const output = this.#captured.take();
        if (exitCode || this.#errors > 0) {
          complain(`ERROR: benchmark '${name}' failed\n${output}`);
          status = 1;
          break;
        }
        if (returned !== 0) break;
        if (nanoseconds * repeat >= LEAST_NANOSECONDS || repeat >= MOST_REPEATS) {
          write(report.afterBench(name, nanoseconds, repeat));
          break;
        }
        repeat *= growth(nanoseconds * repeat);
      }
    }
    return status;
  }
}

/** How many times as often to repeat what took `total` nanoseconds. */
function growth(total: number): number {
  if (total < LEAST_NANOSECONDS / 100) return 100;
  return total < LEAST_NANOSECONDS / 10 ? 10 : 2;
}
