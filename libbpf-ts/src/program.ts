// BPF programs: loading them, running them without a probe, and reading what they cost.
//
// A program is loaded without a log first: the log of a program that loads costs time and is read by nobody. Only what
// the verifier refuses is loaded a second time with a log that grows until it fits.

import { Errno, kernelAtLeast, ranOut, SysError } from "./errno.ts";
import { addressOf, attr, bpf, bpfCallName, bpfOrThrow, close, cstring, raiseMemlock } from "./sys.ts";
import { AttachType, type AttachTypeName, Cmd, ProgType, type ProgTypeName } from "./uapi.ts";

export interface ProgramSpec {
  type: ProgTypeName;
  /** 8-byte instructions as `asm` encodes them. */
  instructions: Uint8Array | BigUint64Array;
  /** "GPL" opens the helpers that tracing needs. */
  license?: string;
  name?: string;
  expectedAttachType?: AttachTypeName;
  /** Bits of `ProgFlag`. */
  flags?: number;
  /** BTF id of the function, tracepoint or iterator that a `tracing` program attaches to. */
  attachBtfId?: number;
  /** Descriptor of the BTF object (a module's) that `attachBtfId` counts in; the kernel's own by default. */
  attachBtfFd?: number;
  /** Descriptor of the program to attach to, for fentry and fexit on BPF programs. */
  attachProgFd?: number;
  /** BTF object that `funcInfo` and `lineInfo` refer to. */
  btfFd?: number;
  /** Records of struct bpf_func_info, 8 bytes each. */
  funcInfo?: Uint8Array;
  /** Records of struct bpf_line_info, 16 bytes each. */
  lineInfo?: Uint8Array;
  fdArray?: Int32Array;
  /** Keep a log of a successful load as well, in `verifierLog`: 1 the branches, 2 every instruction, 4 statistics only. */
  logLevel?: number;
}

export interface ProgramInfo {
  id: number;
  type: number;
  name: string;
  /** Eight bytes that name the instructions, in hexadecimal. */
  tag: string;
  jitedLen: number;
  xlatedLen: number;
  loadedByUid: number;
  loadTimeNs: bigint;
  mapCount: number;
  btfId: number;
  /** Nanoseconds and runs while statistics were on (`enableStats`). */
  runTimeNs: bigint;
  runCnt: bigint;
  /** Runs the kernel left out because the program was running on that CPU already (5.12). */
  recursionMisses: bigint;
  /** Instructions the verifier walked (5.16). */
  verifiedInsns: number;
}

export interface TestRunOptions {
  /** Context bytes: arguments of 8 bytes each for raw tracepoints. */
  context?: Uint8Array;
  /** Run on this CPU instead of the current one (raw tracepoints). */
  cpu?: number;
  data?: Uint8Array;
  repeat?: number;
}

/** The verifier refused a program. `log` is all it said; the message has the last lines. */
export class VerifierError extends SysError {
  readonly log: string;

  constructor(call: string, errno: number, log: string) {
    super(call, errno, "the log says why");
    this.name = "VerifierError";
    this.log = log;
    const lines = log.trimEnd().split("\n");
    const tail = lines.filter((line) => !/^processed \d+ insns/.test(line)).slice(-4);
    const left = lines.length - tail.length;
    this.message = `${call}: the verifier refused the program (${this.code})\n  ${tail.join("\n  ")}${
      left > 0 ? `\n  (${left} lines before; the whole text is in .log)` : ""
    }`;
  }
}

const LOAD_SIZE = 144;
const FIRST_LOG = 64 * 1024;
/** Kernels before 5.2 take no more than 16 MiB. */
const LAST_LOG = 16 * 1024 * 1024 - 1;
/** BPF_LOG_STATS (5.2): complaints and statistics, without the instructions that were walked. */
const ERRORS_ONLY = 4;
const INFO_SIZE = 232;

function bytesOf(view: Uint8Array | BigUint64Array): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function load(spec: ProgramSpec, license: Uint8Array, logLevel: number, log: Uint8Array | undefined): number {
  const instructions = bytesOf(spec.instructions);
  // The verifier gives up with EAGAIN when a signal is pending; libbpf tries five times as well.
  for (let attempt = 0; ; attempt++) {
    attr
      .begin()
      .u32(0, ProgType[spec.type])
      .u32(4, instructions.byteLength / 8)
      .ptr(8, instructions)
      .ptr(16, license);
    if (log) attr.u32(24, logLevel).u32(28, log.byteLength).ptr(32, log);
    attr.u32(44, spec.flags ?? 0).name(48, spec.name ?? "");
    if (spec.expectedAttachType) attr.u32(68, AttachType[spec.expectedAttachType]);
    if (spec.btfFd !== undefined) {
      attr.u32(72, spec.btfFd);
      if (spec.funcInfo?.byteLength)
        attr
          .u32(76, 8)
          .ptr(80, spec.funcInfo)
          .u32(88, spec.funcInfo.byteLength / 8);
      if (spec.lineInfo?.byteLength)
        attr
          .u32(92, 16)
          .ptr(96, spec.lineInfo)
          .u32(104, spec.lineInfo.byteLength / 16);
    }
    attr
      .u32(108, spec.attachBtfId ?? 0)
      .u32(112, spec.attachBtfFd ?? spec.attachProgFd ?? 0)
      .ptr(120, spec.fdArray);
    const result = bpf(Cmd.progLoad, LOAD_SIZE);
    if (result !== -Errno.EAGAIN || attempt === 5) return result;
  }
}

function logText(log: Uint8Array): string {
  const end = log.indexOf(0);
  return Buffer.from(log.buffer, log.byteOffset, end < 0 ? log.byteLength : end).toString("utf8");
}

/** Loads with a log, enlarging it until it fits; where none does (before 6.4), the complaints alone have to do. */
function loadWithLog(
  spec: ProgramSpec,
  license: Uint8Array,
  logLevel: number,
): { result: number; log: string } {
  for (let size = FIRST_LOG; ; ) {
    const log = new Uint8Array(size);
    const result = load(spec, license, logLevel, log);
    const trueSize = attr.view.getUint32(140, true);
    if (result === -Errno.ENOSPC && size === LAST_LOG && logLevel !== ERRORS_ONLY)
      return loadWithLog(spec, license, ERRORS_ONLY);
    if (result !== -Errno.ENOSPC || size === LAST_LOG) return { result, log: logText(log) };
    size = Math.min(LAST_LOG, Math.max(trueSize, size * 4));
  }
}

/** Reads struct bpf_prog_info of a program. */
export function programInfo(fd: number): ProgramInfo {
  const info = new DataView(new ArrayBuffer(INFO_SIZE));
  attr.begin().u32(0, fd).u32(4, INFO_SIZE).ptr(8, info);
  bpfOrThrow(Cmd.objGetInfoByFd, 16, "program");
  const name = Buffer.from(info.buffer, 64, 16).toString("latin1");
  return {
    id: info.getUint32(4, true),
    type: info.getUint32(0, true),
    name: name.slice(0, name.indexOf("\0")),
    tag: Buffer.from(info.buffer, 8, 8).toString("hex"),
    jitedLen: info.getUint32(16, true),
    xlatedLen: info.getUint32(20, true),
    loadedByUid: info.getUint32(48, true),
    loadTimeNs: info.getBigUint64(40, true),
    mapCount: info.getUint32(52, true),
    btfId: info.getUint32(128, true),
    runTimeNs: info.getBigUint64(192, true),
    runCnt: info.getBigUint64(200, true),
    recursionMisses: info.getBigUint64(208, true),
    verifiedInsns: info.getUint32(216, true),
  };
}

/** A function of a program that was loaded with types: its name's type id in the BTF object `btfId`. */
export interface ProgramFunction {
  instruction: number;
  typeId: number;
}

/** Reads bpf_func_info of a program; empty for one without types. */
function functionsOf(fd: number): ProgramFunction[] {
  const info = new DataView(new ArrayBuffer(INFO_SIZE));
  const read = () => {
    attr.begin().u32(0, fd).u32(4, INFO_SIZE).ptr(8, info);
    bpfOrThrow(Cmd.objGetInfoByFd, 16, "program");
  };
  read();
  const count = info.getUint32(144, true);
  const size = info.getUint32(132, true);
  if (count === 0 || size < 8) return [];
  const records = new DataView(new ArrayBuffer(count * size));
  new Uint8Array(info.buffer).fill(0);
  info.setUint32(132, size, true);
  info.setBigUint64(136, addressOf(records), true);
  info.setUint32(144, count, true);
  read();
  return Array.from({ length: info.getUint32(144, true) }, (_, i) => ({
    instruction: records.getUint32(i * size, true),
    typeId: records.getUint32(i * size + 4, true),
  }));
}

/** A loaded program. Disposing closes the descriptor; links keep the program alive on their own. */
export class BpfProgram implements Disposable {
  readonly fd: number;
  readonly type: ProgTypeName;
  readonly name: string;
  /** What the verifier said, where `logLevel` asked for it. */
  readonly verifierLog: string;
  #closed = false;

  private constructor(fd: number, type: ProgTypeName, name: string, verifierLog: string) {
    this.fd = fd;
    this.type = type;
    this.name = name;
    this.verifierLog = verifierLog;
  }

  /** Verifies and loads a program; throws VerifierError, or SysError where the verifier never saw it. */
  static load(spec: ProgramSpec): BpfProgram {
    const license = cstring(spec.license ?? "GPL");
    const name = spec.name ?? "";
    let log = "";
    let result: number;
    if (spec.logLevel) {
      ({ result, log } = loadWithLog(spec, license, spec.logLevel));
    } else {
      result = load(spec, license, 0, undefined);
      if (result === -Errno.EPERM && !kernelAtLeast("5.11") && raiseMemlock())
        result = load(spec, license, 0, undefined);
      // A way of a million instructions tells nothing, and takes many times as long to write down.
      if (result < 0)
        ({ result, log } = loadWithLog(spec, license, result === -Errno.E2BIG ? ERRORS_ONLY : 1));
    }
    if (result < 0) {
      const call = bpfCallName(Cmd.progLoad, `${spec.type}${name && ` "${name}"`}`);
      throw log.trim() === "" || ranOut(-result)
        ? new SysError(call, -result)
        : new VerifierError(call, -result, log);
    }
    return new BpfProgram(result, spec.type, name, log);
  }

  /** A program of the system by its id (CAP_SYS_ADMIN). */
  static open(id: number): BpfProgram {
    attr.begin().u32(0, id);
    const fd = bpfOrThrow(Cmd.progGetFdById, 12, `id ${id}`);
    const { type, name } = programInfo(fd);
    const typeName = Object.entries(ProgType).find(([, value]) => value === type)?.[0];
    return new BpfProgram(fd, (typeName ?? "unspec") as ProgTypeName, name, "");
  }

  info(): ProgramInfo {
    return programInfo(this.fd);
  }

  /** Its functions, the main one first; empty for a program without types. */
  functions(): ProgramFunction[] {
    return functionsOf(this.fd);
  }

  /** The instructions as the verifier rewrote them; what `asm.disassemble` reads. */
  xlated(): Uint8Array {
    const instructions = new Uint8Array(this.info().xlatedLen);
    const info = new DataView(new ArrayBuffer(INFO_SIZE));
    info.setUint32(20, instructions.byteLength, true);
    info.setBigUint64(32, addressOf(instructions), true);
    attr.begin().u32(0, this.fd).u32(4, INFO_SIZE).ptr(8, info);
    bpfOrThrow(Cmd.objGetInfoByFd, 16, "program");
    return instructions;
  }

  /** Runs the program once, now, without a probe (raw_tracepoint since 5.10, syscall since 5.14); its return value. */
  testRun(options: TestRunOptions = {}): number {
    return this.trial(options).returned;
  }

  /** The same; also the nanoseconds that one of `repeat` runs took, which the kernel tells of programs for packets. */
  trial(options: TestRunOptions = {}): { returned: number; nanoseconds: number } {
    // A raw tracepoint program gets up to 12 arguments, and must get as many as it reads.
    const context = options.context ?? (this.type === "raw_tracepoint" ? new Uint8Array(96) : undefined);
    attr
      .begin()
      .u32(0, this.fd)
      .u32(8, options.data?.byteLength ?? 0)
      .ptr(16, options.data);
    attr
      .u32(32, options.repeat ?? 0)
      .u32(40, context?.byteLength ?? 0)
      .ptr(48, context);
    if (options.cpu !== undefined) attr.u32(64, 1).u32(68, options.cpu);
    bpfOrThrow(Cmd.progTestRun, 80, this.name);
    return { returned: attr.view.getUint32(4, true), nanoseconds: attr.view.getUint32(36, true) };
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.fd);
  }
}

/** Has the kernel measure every program's runs until disposed (5.8). */
export function enableStats(): Disposable {
  attr.begin().u32(0, 0);
  const fd = bpfOrThrow(Cmd.enableStats, 4);
  return { [Symbol.dispose]: () => close(fd) };
}

function listIds(cmd: number): number[] {
  const ids: number[] = [];
  for (let id = 0; ; ) {
    attr.begin().u32(0, id);
    const result = bpf(cmd, 12);
    if (result === -Errno.ENOENT) return ids;
    if (result < 0) throw new SysError(bpfCallName(cmd), -result);
    id = attr.view.getUint32(4, true);
    ids.push(id);
  }
}

/** Ids of every program in the kernel (CAP_SYS_ADMIN). */
export function listPrograms(): number[] {
  return listIds(Cmd.progGetNextId);
}

/** Ids of every map in the kernel (CAP_SYS_ADMIN). */
export function listMaps(): number[] {
  return listIds(Cmd.mapGetNextId);
}

/** Ids of every link in the kernel (CAP_SYS_ADMIN, 5.8). */
export function listLinks(): number[] {
  return listIds(Cmd.linkGetNextId);
}

/** Facts of a program of the system by its id (CAP_SYS_ADMIN). */
export function programInfoById(id: number): ProgramInfo {
  using program = BpfProgram.open(id);
  return program.info();
}
