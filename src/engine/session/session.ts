/**
 * One running script: maps → programs → begin → attached → polled → end → gone.
 *
 *   const session = new Session(plan, options);   // touches nothing yet; session.symbols is ready for formatters
 *   await session.start(sinks);                   // throws SessionError; resolves once everything is attached
 *   await session.ended;                          // exit(), stop(), or the end of the process of -c / -p
 *   session.readMap(i) …                          // maps stay readable
 *   session.close();
 *
 * Nothing counts before everything is attached: programs look at a switch that is turned on once, and turned off first
 * when the script ends, so that nobody waits for the kernel to detach. Events go out as bytes in place: what a sink does
 * not need is never copied or formatted.
 */
import {
  type BpfMap,
  type BpfProgram,
  clockNs,
  type IterLink,
  onlineCpus,
  possibleCpus,
  raiseOpenFiles,
  VerifierError,
} from "libbpf-ts";
import { AttachError, type Attached, attachGroup, attachGroups } from "../attach/index.ts";
import { pinOf } from "../attach/iter.ts";
import { monotonicMs } from "../clock.ts";
import type { Span } from "../compile/diagnostic.ts";
import { explainVerifierError } from "../compile/emit/bpf/verifier.ts";
import type { ActionPlan, MapPlan, Plan, PlannedAction } from "../compile/plan.ts";
import { lineOf } from "../diagnostics.ts";
import { EventPump } from "../events/pump.ts";
import { zeroScalar } from "../output/mapText.ts";
import { CaptureError, Captures } from "../packets/capture.ts";
import { mergeMap } from "../poll/merge.ts";
import type { MergedMap } from "../poll/merged.ts";
import { type Cost, type Losses, NO_LOSSES, type SessionState } from "../protocol.ts";
import type { SymbolContext } from "../symbols/context.ts";
import { SessionSymbols } from "../symbols/session.ts";
import { CONTROL, type Controls, type PrintMapAction, zeroValues } from "./control.ts";
import { CostMeter, missedHits } from "./cost.ts";
import { asSessionError, attachDiagnostic, SessionError } from "./error.ts";
import { Globals } from "./globals.ts";
import { blindText, CostGuard, costlyText, type Overhead } from "./guard.ts";
import { detachLinks } from "./leave.ts";
import { createMaps, type LocateLine, loadProgram } from "./load.ts";
import { isAboutTarget, Refusals } from "./refusals.ts";
import { StackRoom } from "./stackRoom.ts";
import { startChild, type Target, watchProcess } from "./target.ts";
import { runTrial } from "./trial.ts";
import { Unwinding, usesUnwinding } from "./unwind.ts";

export interface SessionOptions {
  /** -p: the script ends with this process. */
  pid?: number;
  /** -c: started with the script, stopped until everything is attached. */
  command?: string;
  /** Have the kernel measure the programs, which costs about 70 ns per event. */
  measureCost?: boolean;
  /**
   * Look at the cost soon after attaching, and warn when it is high: above `warnAbove` percent of all CPUs' time (10), or a
   * million hits a second. With a limit, in percent too, the script is watched for as long as it runs, and ended when it
   * takes more.
   */
  guard?: { limit?: number; warnAbove?: number };
  /** Sources by Span.file, for the verifier's log. */
  files?: readonly { name: string; text: string }[];
  /** 1 or 2: keep the verifier's log of programs that load (`verifierLogs`). */
  logLevel?: number;
  /** Processes that dw_ustack() unwinds beside that of -p or -c. */
  unwindPids?: readonly number[];
  /** Nothing is attached but begin and end: the script's test or bench probes are run by `trial`. */
  trials?: boolean;
}

export interface SessionSinks {
  /**
   * A record of plan.actions[action], whose arguments lie at `offset` + their offsets. Only good during the call. Comes
   * for everything but exit, clear, zero and print(@map).
   */
  onEvent(action: number, view: DataView, offset: number, size: number): void;
  /** print(@map), in its turn among the events. */
  onPrintMap(action: PrintMapAction, map: MergedMap): void;
  onState?(state: SessionState): void;
  /** What the child of -c writes. Without it, the child writes where this process does. */
  onChildOutput?(text: string): void;
  /** False: the reader is slow, and records stay in the kernel's ring for now. */
  ready?(): boolean;
  /** Something that does not stop the script but should be said: a probe that could not be attached. */
  onWarning?(message: string, span?: Span): void;
  /** An iterator stays at this path, for others to read. */
  onPinned?(path: string): void;
}

/** What one run of a test or bench probe came to. */
export interface Trial {
  /** What the action returned. */
  returned: number;
  /** Of one run. */
  nanoseconds: number;
  /** What it gave exit(), if it called that. */
  exitCode: number | undefined;
}

export type EndReason = "exit" | "stopped" | "child-ended" | "process-ended" | "iterators-done" | "overhead";

export interface SessionEnd {
  reason: EndReason;
  /** What exit() was given, else 0. */
  exitCode: number;
  /** What the script cost, when that ended it. */
  overhead?: Overhead;
}

/** Milliseconds between looks at the rings: at first, at most, and for how long one look hands over records. */
const FIRST_LOOK = 5;
const RAREST_LOOK = 50;
const SLICE = 25;
/** Records of one look that make a ring busy; a trickle is worth no wake-ups of ours. */
const BUSY = 64;
/** What takes a process or a file each: the rings are left after every one, so that Ctrl-C is heard. */
const SLOW_ACTIONS = new Set<PlannedAction["kind"]>(["system", "cat"]);
/** For how long a script that ends goes on with what it has recorded. */
const LAST_RECORDS = 1000;
/** An iterator's records are looked after each so many elements. */
const ELEMENTS = 32;
/** Attaching gives other sessions a turn this often. */
const ATTACH_SLICE = 20;

export class Session implements Disposable {
  readonly plan: Plan;
  readonly symbols: SymbolContext;
  /** Resolves when the script has ended and its last records are out; rejects with what failed while it ran. */
  readonly ended: Promise<SessionEnd>;
  state: SessionState = "compiling";
  /** The verifier's words per program, where `logLevel` asked for them. */
  verifierLogs: string[] = [];

  #options: SessionOptions;
  #refusals: Refusals;
  #maps: BpfMap[] = [];
  /** By the plan's indexes; undefined: its only probe was refused. */
  #programs: (BpfProgram | undefined)[] = [];
  #links: Attached[] = [];
  #globals: Globals | undefined;
  #pump: EventPump | undefined;
  #meter: CostMeter | undefined;
  #guard: CostGuard | undefined;
  #sinks: SessionSinks | undefined;
  #symbols: SessionSymbols;
  #stackRoom: StackRoom | undefined;
  #captures: Captures | undefined;
  #unwinding: Unwinding | undefined;
  #target: Target | undefined;
  #timer: NodeJS.Timeout | undefined;
  #wait = FIRST_LOOK;
  #signals: [NodeJS.Signals, () => void][] = [];
  #end: SessionEnd | undefined;
  /** Scalars that zero() set back: unlike those that were never set, they have a value. */
  #zeroed = new Set<number>();
  /** exit() of the trial that runs. */
  #trialExit: number | undefined;
  #closed = false;
  #resolveEnded: (end: SessionEnd) => void = () => {};
  #rejectEnded: (error: unknown) => void = () => {};

  constructor(plan: Plan, options: SessionOptions = {}) {
    this.plan = plan;
    this.#options = options;
    this.#refusals = new Refusals(plan.config.missingProbes);
    this.#symbols = new SessionSymbols(
      plan,
      (map) => this.#maps[map],
      (index, id) => this.#stackRoom?.taken(index, id),
    );
    this.symbols = this.#symbols;
    this.ended = new Promise((resolve, reject) => {
      this.#resolveEnded = resolve;
      this.#rejectEnded = reject;
    });
    // Whoever does not ask is not to be ended by it.
    this.ended.catch(() => {});
  }

  /** Loads, runs begin, attaches. Throws SessionError with nothing left in the kernel. */
  async start(sinks: SessionSinks): Promise<void> {
    this.#sinks = sinks;
    try {
      this.#setState("attaching");
      raiseOpenFiles(descriptorsFor(this.plan));
      this.#maps = createMaps(this.plan);
      this.#globals = new Globals(this.plan, this.#maps[this.plan.globals.map]);
      this.#openCaptures();
      this.#loadPrograms();
      this.#pump = new EventPump(
        this.#mapOfRole("events"),
        this.#mapOfRole("control"),
        sinks.onEvent.bind(sinks),
        (action, view, offset, size) => this.#control(action, view, offset, size),
        () => this.#end !== undefined || (sinks.ready?.() ?? true),
        this.plan.actions.some(({ action }) => SLOW_ACTIONS.has(action.kind)) ? 1 : undefined,
      );
      this.#symbols.start((message) => sinks.onWarning?.(message));
      this.#startTarget();
      this.#startUnwinding();
      this.#globals.startTime = clockNs("boottime");
      this.#globals.taiOffset = clockNs("tai") - clockNs("boottime");
      this.#runOnce("begin");
      this.#drain();
      if (this.#options.trials) {
        this.#setState("running");
        return;
      }
      if (!this.#end) await this.#attachAll();
      await this.#target?.ready;
      if (this.#end || this.#closed) return;
      if (this.#options.measureCost) this.#meter = new CostMeter(this.plan, this.#programs);
      this.#startGuard();
      this.#globals.enabled = true;
      this.#setState("running");
      this.#target?.release();
      this.#unwinding?.released();
      this.#look();
      this.#readIterators();
      // begin and end alone: there is nothing to wait for.
      if (this.#links.length === 0 && this.#signals.length === 0) this.stop();
    } catch (error) {
      this.#setState("failed");
      this.close();
      throw asSessionError(error);
    }
  }

  /** Ends the script: no probe counts any more, end runs, the last records are handed over. */
  stop(reason: EndReason = "stopped"): void {
    this.#finish({ reason, exitCode: 0 });
  }

  /** With `trials`: runs a probe of the plan, and hands over what it printed. */
  trial(probe: number, repeat = 1): Trial {
    this.#trialExit = undefined;
    const program = this.#programs[this.plan.probes[probe].program];
    if (!program) throw new TypeError(`${this.plan.probes[probe].name} was not loaded`);
    const { returned, nanoseconds } = runTrial(program, repeat);
    this.#drain();
    return { returned, nanoseconds, exitCode: this.#trialExit };
  }

  /** A script map's content now, or after the end. */
  readMap(index: number): MergedMap {
    const plan = this.plan.maps[index];
    const map = this.#maps[index];
    const cpus = map.perCpu ? possibleCpus() : 1;
    const merged = mergeMap(plan, {
      ...map.readBatch(),
      valueStride: map.valueStride,
      cpuStride: map.cpuStride,
      cpus,
    });
    return merged.count === 0 && this.#zeroed.has(index) ? zeroScalar(merged) : merged;
  }

  /** Indexes of the script's maps in the plan. */
  scriptMaps(): number[] {
    return this.plan.maps.flatMap((map, i) => (map.role === "script" ? [i] : []));
  }

  /** Cost since the last call; zeros without `measureCost`. */
  cost(): Cost {
    return this.#meter?.measure() ?? { cpuPercent: 0, eventsPerSecond: 0, events: 0, probes: [] };
  }

  losses(): Losses {
    const counted = this.#globals?.losses() ?? NO_LOSSES;
    const eventsLost = counted.eventsLost + (this.#pump?.dropped ?? 0);
    const missed = this.#programs.length > 0 ? missedHits(this.#programs, this.#linksThatMiss()) : 0;
    const stacksLost = counted.stacksLost + this.#symbols.stacksGone;
    const packetsLost = counted.packetsLost + (this.#captures?.lost ?? 0);
    const { processEventsLost } = this.#symbols;
    return { ...counted, eventsLost, stacksLost, packetsLost, missed, processEventsLost };
  }

  /** Links of which the kernel tells what they missed. */
  #linksThatMiss(): Attached[] {
    return this.#links.filter(({ probes }) => this.plan.probes[probes[0]].via.startsWith("kprobe"));
  }

  /** Records handed over so far. */
  get eventCount(): number {
    return this.#pump?.events ?? 0;
  }

  /** Probes that are attached; one that stands in several places of a binary counts once. */
  get probeCount(): number {
    const attached = this.#links.flatMap(({ probes }) => probes.map((index) => this.plan.probes[index]));
    return new Set(attached.map(({ name, span }) => `${name} ${span.file ?? 0} ${span.start}`)).size;
  }

  /** Pid of the child of -c, or of -p. */
  get targetPid(): number | undefined {
    return this.#target?.pid;
  }

  /** Lets go of everything. The kernel may still be detaching when this returns, but nothing counts any more. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#globals) this.#globals.enabled = false;
    for (const [signal, handler] of this.#signals) process.off(signal, handler);
    this.#signals = [];
    this.#meter?.[Symbol.dispose]();
    this.#guard?.[Symbol.dispose]();
    this.#pump?.[Symbol.dispose]();
    this.#captures?.[Symbol.dispose]();
    this.#symbols[Symbol.dispose]();
    detachLinks([...this.#links, ...(this.#unwinding?.links ?? [])]);
    this.#unwinding?.[Symbol.dispose]();
    this.#unwinding = undefined;
    for (const program of this.#programs) program?.[Symbol.dispose]();
    this.#globals = undefined;
    for (const map of this.#maps) map[Symbol.dispose]();
    (this.#target as Partial<Disposable> | undefined)?.[Symbol.dispose]?.();
    this.#target?.kill();
    this.#links = [];
    this.#programs = [];
    this.#maps = [];
    this.#pump = undefined;
    this.#captures = undefined;
    this.#meter = undefined;
    this.#guard = undefined;
    this.#target = undefined;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Percent of all CPUs' time that the script may take from now on; undefined: as much as it does. */
  set maxOverhead(limit: number | undefined) {
    if (this.#options.guard) this.#options.guard = { ...this.#options.guard, limit };
    this.#unattended(() => {
      if (this.#guard) this.#guard.limit = limit;
    });
  }

  #startGuard(): void {
    const { guard } = this.#options;
    if (!guard || !this.#globals || this.#links.length === 0) return;
    this.#guard = new CostGuard(this.plan, this.#programs, this.#globals, guard, {
      blind: (reason, hasBudget) => this.#sinks?.onWarning?.(blindText(reason, hasBudget)),
      costly: (overhead) => this.#sinks?.onWarning?.(costlyText(overhead)),
      exceeded: (overhead) => this.#finish({ reason: "overhead", exitCode: 0, overhead }),
      failed: (error) => this.#fail(error),
    });
  }

  /** What is done without a caller: a fault ends this script, not the process with all others. */
  #unattended(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    this.#setState("failed");
    this.#rejectEnded(asSessionError(error));
  }

  #setState(state: SessionState): void {
    this.state = state;
    this.#sinks?.onState?.(state);
  }

  #mapOfRole(role: MapPlan["role"]): BpfMap | undefined {
    return this.#maps[this.plan.maps.findIndex((map) => map.role === role)];
  }

  #loadPrograms(): void {
    const locate: LocateLine = (span) => lineOf(this.#options.files ?? [], span);
    this.plan.programs.forEach((program, index) => {
      const probe = () => this.plan.probes.find((one) => one.program === index);
      try {
        const loaded = loadProgram(program, this.plan, this.#maps, locate, this.#options.logLevel);
        this.#programs.push(loaded);
        this.verifierLogs.push(loaded.verifierLog);
      } catch (error) {
        if (program.attachBtf && isAboutTarget(error)) {
          this.#refuse(new AttachError(probe()!, error));
          this.#programs.push(undefined);
          this.verifierLogs.push("");
          return;
        }
        if (!(error instanceof VerifierError)) throw error;
        const span = probe()?.span ?? { start: 0, end: 0 };
        const diagnostic = explainVerifierError(error.log, program, span);
        throw new SessionError(diagnostic.message, { diagnostic, verifier: error, cause: error });
      }
    });
  }

  /** Files of packets are made before anything counts; one that can't be written later on is said once. */
  #openCaptures(): void {
    const map = this.#mapOfRole("packets");
    if (!map) return;
    try {
      this.#captures = new Captures(this.plan, map, ({ message, capture }) =>
        this.#sinks?.onWarning?.(`${message}; the script goes on without them`, capture.span),
      );
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      const { message, capture } = error;
      const diagnostic = { severity: "error", code: "capture", span: capture.span, message } as const;
      throw new SessionError(message, { diagnostic, cause: error });
    }
  }

  #startTarget(): void {
    const { command, pid } = this.#options;
    if (command !== undefined) {
      const output = this.#sinks?.onChildOutput?.bind(this.#sinks);
      this.#target = startChild(command, () => this.stop("child-ended"), output);
      if (this.#globals) this.#globals.childPid = this.#target.pid;
    } else if (pid !== undefined) {
      this.#target = watchProcess(pid, () => this.stop("process-ended"));
    }
    if (this.#target) this.#symbols.follow(this.#target.pid);
  }

  #refuse = (error: AttachError): void => {
    try {
      this.#refusals.take(error);
    } catch {
      const { message, probe, reason } = error;
      throw new SessionError(message, { diagnostic: attachDiagnostic(error), probe, cause: reason });
    }
  };

  async #attachAll(): Promise<void> {
    let sliceEnd = monotonicMs() + ATTACH_SLICE;
    for (const group of attachGroups(this.plan.probes)) {
      const program = this.#programs[this.plan.probes[group[0]].program];
      if (program) {
        this.#links.push(...attachGroup(this.plan, group, program, this.#targetFilter(), this.#refuse));
      }
      if (monotonicMs() > sliceEnd) {
        await new Promise(setImmediate);
        if (this.#end || this.#closed) return;
        sliceEnd = monotonicMs() + ATTACH_SLICE;
      }
    }
    this.#refusals.warn((message, span) => this.#sinks?.onWarning?.(message, span));
    this.plan.probes.forEach((probe) => {
      if (probe.attach.kind !== "self") return;
      const signal = probe.attach.signal as NodeJS.Signals;
      const handler = () => this.#unattended(() => void this.#programs[probe.program]?.testRun());
      process.on(signal, handler);
      this.#signals.push([signal, handler]);
    });
    const { count, first } = this.#refusals;
    if (count > 0 && this.#links.length === 0 && this.#signals.length === 0)
      throw new SessionError(`none of the script's probes can be attached here; ${first!.message}`);
  }

  #targetFilter(): number | undefined {
    return this.#options.command === undefined ? this.#options.pid : this.#target?.pid;
  }

  #runOnce(via: "begin" | "end"): void {
    for (const probe of this.plan.probes) {
      if (probe.via === via) this.#programs[probe.program]!.testRun();
    }
  }

  #readIterators(): void {
    const iterators = this.#links.filter(({ probes }) => this.plan.probes[probes[0]].via === "iter");
    for (const { link, probes } of iterators) {
      const pin = pinOf(this.plan.probes[probes[0]]);
      if (pin !== undefined) this.#sinks?.onPinned?.(pin);
      else (link as IterLink).walk(ELEMENTS, () => this.#drain());
    }
    if (iterators.length > 0 && iterators.length === this.#links.length) this.stop("iterators-done");
  }

  #look(): void {
    this.#timer = setTimeout(() => this.#unattended(() => this.#lookNow()), this.#wait);
  }

  #lookNow(): void {
    const before = this.eventCount;
    const more = this.#pump?.run(SLICE) ?? false;
    if (this.#end) return;
    const packets = this.#captures?.drain() ?? 0;
    this.#symbols.look();
    this.#unwinding?.look(this.#globals?.lackingTables);
    // A busy ring is looked at again at once or soon, a quiet one ever less often.
    this.#wait =
      this.eventCount - before + packets >= BUSY ? FIRST_LOOK : Math.min(RAREST_LOOK, this.#wait * 1.5);
    if (more) this.#wait = 0;
    else if (this.#sinks?.ready?.() ?? true) this.#makeStackRoom();
    this.#wait = Math.min(this.#wait, this.#unwinding?.wait ?? this.#wait);
    this.#look();
  }

  #startUnwinding(): void {
    if (!usesUnwinding(this.plan)) return;
    const { command, unwindPids } = this.#options;
    this.#unwinding = new Unwinding(
      this.plan,
      (map) => this.#maps[map],
      this.#symbols,
      { target: this.#target?.pid, command, others: unwindPids },
      (message) => this.#sinks?.onWarning?.(message),
    );
  }

  #makeStackRoom(): void {
    if (this.plan.stackMaps.length === 0 || !this.#globals) return;
    this.#stackRoom ??= new StackRoom(this.plan, (map) => this.#maps[map]);
    if (this.#stackRoom.look(this.#globals.stacksKept)) this.#wait = FIRST_LOOK;
  }

  /** Hands over everything that is in the rings now, or what there is time for. */
  #drain(limit = Number.POSITIVE_INFINITY): void {
    const deadline = monotonicMs() + limit;
    while (this.#pump?.run(SLICE)) this.#pump.late = monotonicMs() > deadline;
    if (this.#pump) this.#pump.late = false;
    this.#captures?.drain();
  }

  #control(index: number, view: DataView, offset: number, size: number): void {
    const action: ActionPlan = this.plan.actions[index];
    CONTROL[action.action.kind]?.(this.#controls, action, view, offset) ??
      this.#sinks?.onEvent(index, view, offset, size);
  }

  #controls: Controls = {
    exit: (exitCode) => {
      if (this.#options.trials && this.state === "running") this.#trialExit = exitCode;
      else this.#finish({ reason: "exit", exitCode });
    },
    printMap: (action) => this.#sinks?.onPrintMap(action, this.readMap(action.map)),
    clear: (map) => {
      this.#zeroed.delete(map);
      this.#maps[map].clear();
    },
    zero: (map) => {
      if (this.readMap(map).count > 0) this.#zeroed.add(map);
      zeroValues(this.#maps[map]);
    },
  };

  #finish(end: SessionEnd): void {
    if (this.#end || this.#closed) return;
    // The command may have ended while the engine was kept from looking: what it counted is not all.
    const overhead = end.overhead ?? this.#guard?.switchedOff();
    const known: SessionEnd = overhead ? { ...end, reason: "overhead", overhead } : end;
    this.#end = known;
    clearTimeout(this.#timer);
    this.#guard?.[Symbol.dispose]();
    if (this.#globals) this.#globals.enabled = false;
    this.#meter?.stop();
    if (this.#pump) this.#pump.skipping = end.reason === "exit";
    this.#setState("stopping");
    // Not within the pump's own loop: exit() may have come through it.
    queueMicrotask(() =>
      this.#unattended(() => {
        if (this.#closed) return;
        this.#drain(LAST_RECORDS);
        if (this.#pump) this.#pump.skipping = false;
        this.#runOnce("end");
        this.#drain();
        this.#setState("ended");
        this.#resolveEnded(known);
      }),
    );
  }
}

/** Descriptors that the process has of its own: the runtime's, files, pipes. */
const OTHER_FILES = 256;

/** At most this many descriptors are open while a script runs. */
function descriptorsFor({ probes, programs, maps }: Plan): number {
  const cpus = onlineCpus().length;
  const links = probes.reduce((sum, { via }) => sum + (via === "perf-event" ? cpus : 1), 0);
  return links + programs.length + maps.length + OTHER_FILES;
}
