/** A session as the protocol sees it: start to end with states, snapshots on an interval, and the tail of its output. */
import { cpuMs, monotonicMs } from "./clock.ts";
import type { Plan } from "./compile/plan.ts";
import { placeDiagnostics, type SourceFiles } from "./diagnostics.ts";
import { compileFor, type EngineHost } from "./engine.ts";
import { OutputTail } from "./events/tail.ts";
import { ByteWriter } from "./output/bytes.ts";
import type { OutputContext } from "./output/context.ts";
import { liveContext, liveHost } from "./output/live.ts";
import { writePrintedMap } from "./output/mapText.ts";
import { scriptShape } from "./poll/shape.ts";
import { DEFAULT_VIEW, MapPoller, type MapView } from "./poll/snapshot.ts";
import type { EngineMessage, StartOptions } from "./protocol.ts";
import { SessionError } from "./session/error.ts";
import { stoppedText } from "./session/guard.ts";
import { Session } from "./session/session.ts";
import { whyNoStack } from "./symbols/noStack.ts";
import { holdsProcesses } from "./symbols/offsets.ts";

/** Output goes out this often, or with the snapshots where these come sooner. */
const OUTPUT_EVERY = 200;
/** A view that changed is answered after this time. */
const VIEW_WAIT = 100;
/**
 * A message with more lines than this is read by nobody before the next comes: what follows goes out with the snapshots,
 * or after this time, so that a flood of output does not set how often the screen is drawn.
 */
const READABLE = 20;
const FLOOD_EVERY = 1500;
/**
 * Reading and sending a snapshot may take this part of a CPU: the interval grows for big maps. Only CPU time counts: on a
 * machine that is busy with other things a snapshot takes long as well, and there the screen must not stand still.
 */
const SHARE = 20;

type StateMessage = Omit<Extract<EngineMessage, { kind: "state" }>, "kind" | "session">;

/** Whether keys or events have numbers of processes. */
function showsOwners({ maps, actions }: Plan): boolean {
  const types = [
    ...maps.flatMap(({ script }) => script?.key ?? []),
    ...actions.flatMap((action) => action.arguments.map(({ type }) => type)),
  ];
  return types.some(holdsProcesses);
}

export class EngineSession {
  readonly id: number;
  #host: EngineHost;
  #interval: number;
  #session: Session | undefined;
  #plan: Plan | undefined;
  #files: SourceFiles = [];
  #context: OutputContext | undefined;
  #tail: OutputTail | undefined;
  #pollers = new Map<number, MapPoller>();
  #views = new Map<string, MapView>();
  #snapshotTimer: NodeJS.Timeout | undefined;
  #outputTimer: NodeJS.Timeout | undefined;
  #outputDue = 0;
  #lastSnapshot = 0;
  #following: Disposable | undefined;
  #closed = false;

  constructor(id: number, host: EngineHost, interval: number) {
    this.id = id;
    this.#host = host;
    this.#interval = interval;
  }

  start(source: string, options: StartOptions): void {
    this.#state({ state: "compiling" });
    const { plan, diagnostics, files } = compileFor(this.#host.kernel, source, options);
    this.#files = files;
    const placed = placeDiagnostics(diagnostics, files);
    if (!plan) {
      this.#state({ state: "failed", diagnostics: placed });
      return;
    }
    this.#plan = plan;
    this.#session = new Session(plan, {
      pid: options.pid,
      command: options.command,
      measureCost: true,
      guard: { limit: options.maxOverhead },
      files,
    });
    this.#context = { ...liveContext(plan, this.#session.symbols), whyNoStack };
    this.#tail = new OutputTail(plan, liveHost(this.#context), { containers: this.#host.containers });
    if (showsOwners(plan)) this.#following = this.#host.containers.follow();
    this.#state({ state: "attaching", shape: scriptShape(plan, source), diagnostics: placed });
    void this.#run(this.#session, this.#tail, this.#context);
  }

  stop(): void {
    this.#session?.stop();
  }

  setMaxOverhead(limit: number | undefined): void {
    if (this.#session) this.#session.maxOverhead = limit;
  }

  setInterval(milliseconds: number): void {
    this.#interval = milliseconds;
    if (this.#snapshotTimer) this.#snapshotSoon(milliseconds);
  }

  /** The next snapshot has it; a running session sends one soon, so that a pane does not wait for the interval. */
  setView(map: string, view: MapView): void {
    this.#views.set(map, view);
    if (this.#snapshotTimer) this.#snapshotSoon(VIEW_WAIT);
  }

  /** Ends without a word. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#snapshotTimer);
    clearInterval(this.#outputTimer);
    this.#snapshotTimer = undefined;
    this.#session?.close();
    this.#session = undefined;
    this.#following?.[Symbol.dispose]();
  }

  async #run(session: Session, tail: OutputTail, context: OutputContext): Promise<void> {
    try {
      this.#outputTimer = setInterval(() => {
        if (this.#interval > OUTPUT_EVERY && monotonicMs() >= this.#outputDue)
          this.#unattended(() => this.#sendOutput());
      }, OUTPUT_EVERY);
      await session.start({
        onEvent: (action, view, offset, size) => tail.record(action, view, offset, size),
        onPrintMap: ({ top, div }, map) => {
          const out = new ByteWriter();
          writePrintedMap(map, out, context, { top, div });
          tail.text(out.toString(), "map");
        },
        onChildOutput: (text) => tail.text(text, "print"),
        onPinned: (path) => tail.say(`Program pinned to ${path}`, "warning"),
        onWarning: (message) => tail.say(`WARNING: ${message}`, "warning"),
      });
      if (session.state === "running") {
        this.#state({ state: "running", probes: session.probeCount });
        this.#snapshotSoon(0);
      }
      const end = await session.ended;
      if (this.#closed) return;
      this.#state({ state: "stopping" });
      this.#sendSnapshot();
      this.#sendOutput();
      const error = end.overhead && stoppedText(end.overhead);
      this.#state({ state: "ended", exitCode: end.exitCode, error });
      this.close();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What a timer does: a fault ends this script, not the engine. */
  #unattended(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  #state(message: StateMessage): void {
    this.#host.send({ kind: "state", session: this.id, ...message });
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    const diagnostic = error instanceof SessionError ? error.diagnostic : undefined;
    this.#state({
      state: "failed",
      error: (error as Error).message,
      diagnostics: placeDiagnostics(diagnostic ? [diagnostic] : [], this.#files),
    });
  }

  #sendOutput(): void {
    if (!this.#tail?.waiting || !this.#host.ready()) return;
    const output = this.#tail.take();
    const isFlood = output.lines.length + output.skipped > READABLE;
    this.#outputDue = isFlood ? monotonicMs() + FLOOD_EVERY : 0;
    this.#host.send({ kind: "output", session: this.id, ...output });
  }

  #snapshotSoon(milliseconds: number): void {
    clearTimeout(this.#snapshotTimer);
    this.#snapshotTimer = setTimeout(() => this.#unattended(() => this.#snapshotNow()), milliseconds);
  }

  #snapshotNow(): void {
    if (!this.#session) return;
    const begin = monotonicMs();
    const before = cpuMs();
    this.#sendOutput();
    if (this.#host.ready()) this.#sendSnapshot();
    const cost = cpuMs() - before;
    this.#snapshotSoon(Math.max(this.#interval - (monotonicMs() - begin), cost * SHARE, 1));
  }

  #sendSnapshot(): void {
    const session = this.#session;
    const plan = this.#plan;
    const context = this.#context;
    if (!session || !plan || !context) return;
    const now = monotonicMs();
    const elapsed = this.#lastSnapshot === 0 ? 0 : now - this.#lastSnapshot;
    this.#lastSnapshot = now;
    const losses = session.losses();
    const full = new Set(losses.mapsFull.map((row) => row.map));
    const maps = session.scriptMaps().map((index) => {
      let poller = this.#pollers.get(index);
      if (!poller) {
        poller = new MapPoller(this.#host.containers);
        this.#pollers.set(index, poller);
      }
      const { name } = plan.maps[index];
      const view = this.#views.get(name) ?? DEFAULT_VIEW;
      return poller.snapshot(session.readMap(index), view, elapsed, full.has(name), context);
    });
    this.#host.send({
      kind: "snapshot",
      session: this.id,
      snapshot: { time: Date.now(), elapsed, maps, cost: session.cost(), losses },
    });
  }
}
