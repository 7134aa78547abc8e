/**
 * One session from start to exit code, headless: attaches, prints what the script prints, ends with it or with a signal,
 * prints the maps.
 */

import { errnoText } from "libbpf-ts";
import { monotonicMs } from "../engine/clock.ts";
import type { Diagnostic } from "../engine/compile/diagnostic.ts";
import type { Plan } from "../engine/compile/plan.ts";
import { liveContext, liveHost } from "../engine/output/live.ts";
import { createPrinter, type Printer } from "../engine/output/printer.ts";
import { Sink } from "../engine/output/sink.ts";
import type { Cost } from "../engine/protocol.ts";
import { SessionError } from "../engine/session/error.ts";
import { stoppedText } from "../engine/session/guard.ts";
import { Session } from "../engine/session/session.ts";
import { UsageError } from "./options.ts";
import { complain, isTerminal, reportDiagnostics, sayError, sayWarning, wantsColor } from "./report.ts";
import type { RunOptions } from "./runOptions.ts";

/** A run that could not start or went wrong, as bpftrace exits. */
const FAILED = 255;
/** Exit code of a program whose reader went away. */
const BROKEN_PIPE = 128 + 13;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** A script that the cost guard ended. */
const TOO_COSTLY = 3;

const LOOK_FOR_LOSSES = 500;

const { existsSync } = process.getBuiltinModule("node:fs");

type Files = readonly { name: string; text: string }[];

export async function trace(plan: Plan, files: Files, options: RunOptions): Promise<number> {
  if (options.command !== undefined) requireCommand(options.command);
  return new Run(plan, files, options).run();
}

/** Throws when -c names a program that is not there: better said now than by a shell once everything is attached. */
function requireCommand(command: string): void {
  const [program] = command.trim().split(/\s+/);
  if (/[^\w@%+=:,./-]/.test(program)) return;
  const folders = program.includes("/")
    ? [""]
    : (process.env.PATH ?? "").split(":").map((folder) => `${folder}/`);
  if (!folders.some((folder) => existsSync(folder + program))) {
    throw new UsageError(`there is no program '${program}' to run`);
  }
}

class Run {
  readonly #plan: Plan;
  readonly #files: Files;
  readonly #options: RunOptions;
  readonly #session: Session;
  readonly #sink: Sink;
  readonly #printer: Printer;
  #flushing = false;
  /** What begin prints waits until the word that everything is attached is out. */
  #announced = false;
  #brokenExit: number | undefined;
  #lost = 0;
  #signals = 0;
  #fault: (error: unknown) => void = () => {};
  readonly #faulted = new Promise<never>((_, reject) => {
    this.#fault = reject;
  });

  constructor(plan: Plan, files: Files, options: RunOptions) {
    this.#plan = plan;
    this.#files = files;
    this.#options = options;
    this.#session = new Session(plan, {
      pid: options.pid,
      command: options.command,
      unwindPids: options.dwarfPids,
      files,
      measureCost: options.verbose,
      guard: { limit: options.maxOverhead },
      logLevel: options.stages.includes("verifier") ? 1 : undefined,
    });
    this.#sink = openSink(options, (error) => this.#outputBroke(error));
    this.#printer = createPrinter(options.format, {
      plan,
      files,
      host: liveHost(liveContext(plan, this.#session.symbols)),
      sink: this.#sink,
      error: complain,
      color: wantsColor(),
      noWarnings: options.noWarnings,
    });
  }

  async run(): Promise<number> {
    const handlers = SIGNALS.map((signal) => [signal, () => this.#signalled(signal)] as const);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    try {
      return await Promise.race([this.#trace(), this.#faulted]);
    } catch (error) {
      this.#session.close();
      if (!(error instanceof SessionError)) throw error;
      await this.#sink.close();
      this.#explain(error);
      return FAILED;
    } finally {
      for (const [signal, handler] of handlers) process.off(signal, handler);
    }
  }

  /** What is done without a caller: a fault ends the script as one of the session's own does. */
  #unattended(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fault(error);
    }
  }

  async #trace(): Promise<number> {
    const started = monotonicMs();
    await this.#start();
    if (this.#options.verbose) {
      const milliseconds = Math.round(monotonicMs() - started);
      complain(`Loaded ${this.#plan.programs.length} programs, attached in ${milliseconds} ms\n`);
    }
    if (this.#options.dryRun || this.#options.stages.length > 0) {
      if (this.#options.stages.includes("verifier")) {
        for (const log of this.#session.verifierLogs) this.#sink.out.text(`${log.trimEnd()}\n`);
      }
      await this.#sink.close();
      this.#session.close();
      return 0;
    }
    this.#announce();
    const losses = setInterval(() => this.#unattended(() => this.#reportLost()), LOOK_FOR_LOSSES);
    const ended = Promise.race([this.#session.ended, this.#faulted]);
    const { exitCode, overhead } = await ended.finally(() => clearInterval(losses));
    if (overhead) {
      sayError(stoppedText(overhead), "a predicate, a rarer probe or a cheaper action costs less");
    }
    await this.#finish();
    return this.#brokenExit ?? (overhead ? TOO_COSTLY : exitCode);
  }

  #start(): Promise<void> {
    const silent = this.#options.dryRun || this.#options.stages.length > 0;
    return this.#session.start({
      onEvent: (action, view, offset) => {
        if (silent) return;
        this.#printer.record(action, view, offset);
        this.#flushSoon();
      },
      onPrintMap: ({ top, div }, map) => {
        if (silent) return;
        this.#printer.printMap(map, { top, div });
        this.#flushSoon();
      },
      onPinned: (path) => this.#sink.out.text(`Program pinned to ${path}\n`),
      onWarning: (message, span) => {
        if (!this.#options.noWarnings) this.#warn(message, span);
      },
      ready: () => this.#sink.ready,
    });
  }

  /** What a batch of records printed leaves at its end. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      if (this.#announced) this.#unattended(() => this.#sink.flush());
    });
  }

  #announce(): void {
    this.#announced = true;
    if (!this.#options.quiet) this.#printer.attached(this.#attached());
    const notice = process.env.TRACEDECK_NOTIFY_ATTACHED;
    if (notice) this.#sink.out.text(`${notice}\n`);
    this.#sink.flush();
  }

  /** Probes that the kernel fires, and those that are run once or by a signal. A script that ended in begin had them all. */
  #attached(): number {
    if (this.#session.state !== "running") return this.#plan.probes.length;
    const own = this.#plan.probes.filter(({ via }) => via === "begin" || via === "end" || via === "signal");
    return own.length + this.#session.probeCount;
  }

  #reportLost(): void {
    const { eventsLost } = this.#session.losses();
    if (eventsLost > this.#lost) this.#printer.lost(eventsLost - this.#lost);
    this.#lost = eventsLost;
  }

  async #finish(): Promise<void> {
    this.#reportLost();
    if (!this.#sink.broken) this.#printFinalMaps();
    await this.#sink.close();
    if (!this.#options.noWarnings) this.#reportLosses();
    if (this.#options.verbose) complain(costTable(this.#session.cost()));
    this.#session.close();
  }

  #printFinalMaps(): void {
    this.#printer.end();
    if (!this.#plan.config.printMapsOnExit) return;
    const byName = this.#session
      .scriptMaps()
      .map((index) => ({ index, name: this.#plan.maps[index].name }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const { index } of byName) {
      this.#printer.finalMap(this.#session.readMap(index));
      this.#sink.wrote();
    }
  }

  #reportLosses(): void {
    const { eventsLost, mapsFull, stacksLost, packetsLost, missed, processEventsLost } =
      this.#session.losses();
    if (eventsLost > 0) sayWarning(`Total lost event count: ${eventsLost}`);
    for (const { map, count } of mapsFull) {
      sayWarning(
        `Map full; can't update element: ${map} had no room ${count} times. Raise max_map_keys in the config block.`,
      );
    }
    if (stacksLost > 0)
      sayWarning(`${stacksLost} stacks were lost: their table was full, or there was no memory for more`);
    if (packetsLost > 0)
      sayWarning(
        `${packetsLost} packets were not written: a CPU's buffer was full, or the file. Raise perf_rb_pages in the config block, or write less of each.`,
      );
    if (missed > 0) sayWarning(`the kernel skipped ${missed} probe hits`);
    if (processEventsLost > 0)
      sayWarning(
        `${processEventsLost} events of processes were lost: user addresses of those that lived then may have no names`,
      );
  }

  /** Who asked for the output has gone, which is no error; or it can't be stored. */
  #outputBroke(error: NodeJS.ErrnoException): void {
    this.#brokenExit = error.code === "EPIPE" ? BROKEN_PIPE : 1;
    if (error.code !== "EPIPE") sayError(`the output can't be written: ${error.message}`);
    this.#session.stop();
  }

  /** The second one ends the program whatever it waits for, as if it had not listened: who reads its output may be stuck. */
  #signalled(signal: NodeJS.Signals): void {
    this.#signals++;
    this.#unattended(() => (this.#signals > 1 ? this.#session.close() : this.#session.stop()));
    if (this.#signals < 2) return;
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }

  #warn(message: string, span: Diagnostic["span"] | undefined): void {
    if (span) reportDiagnostics([{ severity: "warning", code: "session", span, message }], this.#files);
    else sayWarning(message);
  }

  #explain(error: SessionError): void {
    if (error.diagnostic) reportDiagnostics([error.diagnostic], this.#files);
    else sayError(error.message);
    const { verbose, stages } = this.#options;
    if (error.verifier && (verbose || stages.includes("verifier"))) complain(`${error.verifier.log}\n`);
  }
}

/** What each program cost while the script ran, the costliest first. */
function costTable({ cpuPercent, events, probes }: Cost): string {
  const percent = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(0)}% of a CPU`;
  const rows = probes
    .toSorted((a, b) => b.cpuPercent - a.cpuPercent)
    .map(({ name, events: hits, nsPerEvent, cpuPercent: share }) => {
      const numbers = [`${hits} hits`, `${Math.round(nsPerEvent)} ns each`, percent(share)];
      return `  ${name}: ${numbers.join(", ")}\n`;
    });
  return `Cost: ${percent(cpuPercent)}, ${events} hits\n${rows.join("")}`;
}

/** Where -o says, or standard output; throws UsageError. */
export function openSink(options: RunOptions, onBroken: (error: NodeJS.ErrnoException) => void): Sink {
  const full = options.buffering === "full";
  if (options.output === undefined) return new Sink(1, { full, terminal: isTerminal(1), onBroken });
  try {
    return new Sink(options.output, { full, onBroken });
  } catch (error) {
    const { errno = 0, code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `cannot write output to '${options.output}': ${errno ? errnoText(-errno) : message}`,
      code === "ENOENT" ? "the file is made where its directory exists" : undefined,
    );
  }
}
