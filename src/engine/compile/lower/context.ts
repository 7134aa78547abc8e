/**
 * What lowering carries along: the script's growing plan (Unit), the program being made (Program), and the function
 * being filled (Cx). Functions nest: the body of a loop is a callback, and reaches the locals of the functions around
 * it through a frame on their stack.
 *
 *   frame   [0] address of the outer function's frame   [8] the probe's context   [16] what left the loop: 1 a `return`
 *           of the action, else the id of the function's body that is left
 *           [24] index of the probe (system calls)   [32…] captured locals
 */
import type { Diagnostics, Span } from "../diagnostic.ts";
import type { Arena } from "../ir/arena.ts";
import { Builder } from "../ir/build.ts";
import { type Block, constant, type Func, type Reg, reg, type Value } from "../ir/types.ts";
import type { Local, MapInfo, Probe, TypedAction, TypedExpression, TypedProgram } from "../typed.ts";
import { sizeOf } from "../types.ts";
import type { ContextStyle } from "./attach.ts";
import type { Layout } from "./layout.ts";
import type { Place } from "./memory.ts";
import { isScalar } from "./shape.ts";
import type { Target } from "./target.ts";
import { isSettled, sameExpression } from "./walk.ts";

export interface LowerOptions {
  warnHelperErrors: boolean;
  pid?: number;
  /** User probes are for one process, that of -p or -c. */
  ofProcess?: boolean;
  /** Temporaries need more memory than a per-CPU map's value may have. */
  bigScratch?: boolean;
  /** The script has a limit of cost. */
  guarded?: boolean;
}

/** The whole script. */
export interface Unit {
  typed: TypedProgram;
  target: Target;
  layout: Layout;
  options: LowerOptions;
  diagnostics: Diagnostics;
  /** Maps that some action deletes keys from. */
  deletedMaps: ReadonlySet<MapInfo>;
}

/** One BPF program: the probes that share it. */
export interface Program {
  name: string;
  action: TypedAction;
  probes: Probe[];
  /** Indices of `probes` in the plan. */
  probeIndices: number[];
  style: ContextStyle;
  /** How the program learns which probe fired. */
  identity: "single" | "cookie" | "syscall";
  /** The kernel vouches for the pointers in the context: plain loads do. */
  direct: boolean;
  functions: Func[];
  callbacks: number;
  /** Locals that a loop's callback shares with the function around it. */
  captured: ReadonlySet<Local>;
  /** This program's part of the per-CPU scratch value: programs may interrupt each other. */
  scratch: Arena;
}

/** Where a local lives: a register, a slot of its own, the frame that callbacks reach, or the scratch value. */
export type Home =
  | { kind: "reg"; reg: Reg }
  | { kind: "slot"; base: Value }
  | { kind: "frame"; offset: number }
  | { kind: "scratch"; offset: number };

export const FRAME = { parent: 0, context: 8, left: 16, probe: 24, locals: 32 } as const;

/** A loop around the current code. */
export type Loop =
  | { kind: "plain"; next: Block; out: Block }
  /** In a callback: both leave the function. */
  | { kind: "callback" };

/** A look-up whose result still stands: the predicate's, for the body. */
interface Found {
  map: MapInfo;
  key: TypedExpression;
  address: Value;
}

export class Cx {
  readonly unit: Unit;
  readonly program: Program;
  readonly b: Builder;
  readonly outer: Cx | undefined;
  readonly loops: Loop[] = [];
  /** Bodies of functions around the current code, of this function of the program. */
  readonly bodies: { id: number; end: Block }[] = [];
  /** Whether bytes behind a string's end must be zeros: in keys and values, not in records. */
  padded = true;
  readonly #homes = new Map<Local, Home>();
  /** In callbacks: address of the frame of the function around it. */
  outerFrame: Value = constant(0);
  #frame: Extract<Value, { kind: "slot" }> | undefined;
  #frameSize: number = FRAME.locals;
  #scratchReg: Reg | undefined;
  #scratchBlock: Block | undefined;
  #found: readonly Found[] = [];
  /** Iterators: the objects that the context points at, by their pointer's offset. */
  readonly objects = new Map<number, Value>();
  /** Raw system calls: what was found out on the way to the body. */
  syscall: { regs: Value; number: Value; probe: Value } | undefined;

  constructor(
    unit: Unit,
    program: Program,
    name: string,
    kind: Func["kind"],
    parameters: number,
    outer?: Cx,
  ) {
    this.unit = unit;
    this.program = program;
    this.b = new Builder(name, kind, parameters);
    this.outer = outer;
  }

  get target(): Target {
    return this.unit.target;
  }

  get layout(): Layout {
    return this.unit.layout;
  }

  parameter(index: number): Value {
    return reg(this.b.func.parameters[index]);
  }

  /** Address of a key's value (or 0) from a look-up on every way here; only keys that cannot change meanwhile. */
  found(map: MapInfo, key: TypedExpression): Value | undefined {
    return this.#found.find((f) => f.map === map && sameExpression(f.key, key))?.address;
  }

  remember(map: MapInfo, key: TypedExpression, address: Value): void {
    if (isSettled(key)) this.#found = [...this.#found, { map, key, address }];
  }

  /** Values of a map are replaced or deleted. */
  forget(map: MapInfo): void {
    this.#found = this.#found.filter((f) => f.map !== map);
  }

  /** Code that is not always run: what it looked up does not count afterwards, what it forgot stays forgotten. */
  sometimes<T>(body: () => T): T {
    const before = this.#found;
    const result = body();
    this.#found = before.filter((f) => this.#found.includes(f));
    return result;
  }

  /** Code that is run again and again: nothing from before holds. */
  repeatedly(body: () => void): void {
    this.#found = [];
    body();
    this.#found = [];
  }

  at<T>(span: Span, body: () => T): T {
    const before = this.b.span;
    this.b.span = span;
    const result = body();
    this.b.span = before;
    return result;
  }

  /** With -k, what fails is reported at the expression itself; otherwise the statement is near enough. */
  located<T>(span: Span, body: () => T): T {
    return this.unit.options.warnHelperErrors ? this.at(span, body) : body();
  }

  /** Temporaries taken inside are free again afterwards. */
  scope<T>(body: () => T): T {
    this.b.slots.enter();
    this.program.scratch.enter();
    const result = body();
    this.program.scratch.leave();
    this.b.slots.leave();
    return result;
  }

  /** Whether bytes behind the end of strings that `body` writes must be zeros. */
  withPadding<T>(padded: boolean, body: () => T): T {
    const before = this.padded;
    this.padded = padded;
    const result = body();
    this.padded = before;
    return result;
  }

  /** A place for code that runs once before what follows, should it turn out to be needed. */
  preparePoint(): void {
    if (this.#scratchReg !== undefined) return;
    const block = this.b.block("prepare");
    this.b.startBlock(block);
    this.b.startBlock(this.b.block("body"));
    this.#scratchBlock = block;
  }

  /** `offset` bytes into this CPU's scratch value. */
  scratchPlace(offset: number): Place {
    this.#scratchReg ??= this.b.fresh();
    return { base: reg(this.#scratchReg), offset, space: "bpf" };
  }

  /** Memory for a temporary: the stack when it is small, per-CPU memory otherwise. */
  temporary(size: number, name?: string): Place {
    if (size > this.unit.typed.config.onStackLimit)
      return this.scratchPlace(this.program.scratch.piece(size));
    return { base: this.b.slot(size, name), offset: 0, space: "bpf" };
  }

  /** Where a local lives; made when it is first met, in the function that is being filled. */
  home(local: Local): Home {
    return this.#findHome(local) ?? this.#makeHome(local);
  }

  #makeHome(local: Local): Home {
    const size = sizeOf(local.type);
    let home: Home;
    if (isScalar(local.type) && !local.addressed && !this.program.captured.has(local)) {
      home = { kind: "reg", reg: this.b.fresh() };
    } else if (size > this.unit.typed.config.onStackLimit) {
      home = { kind: "scratch", offset: this.program.scratch.piece(size, true) };
    } else if (this.program.captured.has(local)) {
      home = { kind: "frame", offset: this.inFrame(size) };
    } else {
      home = { kind: "slot", base: this.b.slot(size, local.name, true) };
    }
    this.#homes.set(local, home);
    return home;
  }

  #findHome(local: Local): Home | undefined {
    const home = this.#homes.get(local);
    if (home || !this.outer) return home;
    return this.outer.#findHome(local);
  }

  /** Whether a local has a place already, here or in a function around. */
  knows(local: Local): boolean {
    return this.#findHome(local) !== undefined;
  }

  /** The memory of a local that is not in a register. */
  memoryOf(local: Local): Place {
    const home = this.home(local);
    switch (home.kind) {
      case "reg":
        throw new Error(`${local.name} is in a register`);
      case "slot":
        return { base: home.base, offset: 0, space: "bpf" };
      case "scratch":
        return this.scratchPlace(home.offset);
      case "frame":
        return { base: this.#frameWith(local), offset: home.offset, space: "bpf" };
    }
  }

  /** Address of the frame, here or in an outer function, that has a local. */
  #frameWith(local: Local): Value {
    if (this.#homes.has(local)) return this.needFrame();
    let frame = this.outerFrame;
    for (let cx = this.outer!; !cx.#homes.has(local); cx = cx.outer!) {
      frame = this.b.load(frame, FRAME.parent, 8);
    }
    return frame;
  }

  /** Bytes of the frame that callbacks reach. */
  inFrame(size: number): number {
    const frame = this.needFrame();
    const offset = this.#frameSize;
    this.#frameSize += (size + 7) & ~7;
    this.b.func.slots[frame.slot].size = this.#frameSize;
    return offset;
  }

  needFrame(): Extract<Value, { kind: "slot" }> {
    this.#frame ??= this.b.slot(FRAME.locals, "frame", true);
    return this.#frame;
  }

  /** The probe's context, wherever this code runs. */
  get context(): Value {
    return this.outer ? this.b.load(this.outerFrame, FRAME.context, 8) : this.parameter(0);
  }

  /** Ends the function: fills in what was prepared, and hands the IR over. */
  finish(): void {
    this.b.return();
    if (this.#scratchReg !== undefined) this.#fillScratch();
    this.program.functions.push(this.b.func);
  }

  #fillScratch(): void {
    const block = this.#scratchBlock!;
    const slot = this.b.func.slots.push({ size: 8, name: "scratch key" }) - 1;
    const key: Value = { kind: "slot", slot, offset: 0 };
    const next = block.end;
    if (next.op !== "jump") throw new Error("a prepare block goes on to the body");
    const failed = this.b.block("no scratch", true);
    this.b.func.blocks.push(failed);
    const cpu = this.layout.scratchByCpu ? this.b.fresh() : undefined;
    if (cpu !== undefined)
      block.code.push({ op: "call", helper: "get_smp_processor_id", args: [], dst: cpu });
    block.code.push(
      { op: "store", base: key, offset: 0, size: 4, value: cpu === undefined ? constant(0) : reg(cpu) },
      {
        op: "call",
        helper: "map_lookup_elem",
        args: [{ kind: "map", map: this.layout.scratchMap() }, key],
        dst: this.#scratchReg!,
      },
    );
    block.end = {
      op: "branch",
      condition: "eq",
      left: reg(this.#scratchReg!),
      right: constant(0),
      width: 64,
      yes: failed.id,
      no: next.to,
    };
  }
}
