/**
 * The running kernel as the compiler's argument. Everything is read at the first question and kept: a script that names
 * no kernel type does not pay for reading them.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { release } from "node:os";
import {
  features,
  hasFeature,
  Kallsyms,
  kfuncSupported,
  listTracepointCategories,
  listTracepoints,
  onlineCpus,
  possibleCpus,
  probeFeature,
  UnsupportedError,
} from "libbpf-ts";
import type {
  Arch,
  BpfFunction,
  Kernel,
  Prototype,
  TracepointFormat,
  UserBinary,
} from "../compile/kernel.ts";
import type { ProgramPlan } from "../compile/plan.ts";
import type { EnumType, StructLayout, Type } from "../compile/types.ts";
import { Binaries } from "./binaries.ts";
import { bpfFunctions } from "./bpfPrograms.ts";
import { BtfTypes } from "./btfTypes.ts";
import { scalarNamed } from "./cTypes.ts";
import { allFunctions, type FunctionNames, kprobeBlacklist, traceableFunctions } from "./functions.ts";
import { ownPidNamespace } from "./processes.ts";
import { syscallNumber } from "./syscalls.ts";
import { liveTracepointFormat, type TypeLookup } from "./tracepoints.ts";

const PAGE_SIZE = 4096;

/** A value that is made once, when it is first asked for. */
function lazy<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Answers by key, each made once; what is not there is remembered as well. */
function memo<T>(make: (key: string) => T): (key: string) => T {
  const known = new Map<string, T>();
  return (key) => {
    if (known.has(key)) return known.get(key) as T;
    const value = make(key);
    known.set(key, value);
    return value;
  };
}

/** An empty answer instead of an error, where this kernel has none or this user may not look. */
function orElse<T>(value: T, read: () => T): T {
  try {
    return read();
  } catch {
    return value;
  }
}

export interface KernelOptions {
  /** More places for separate debug files of programs. */
  debugDirectories?: readonly string[];
  /** A file that lists the functions which can be traced, instead of the kernel's own list. */
  traceableFunctions?: string;
  /** Features to do without. */
  without?: readonly string[];
}

class LiveKernel implements Kernel {
  readonly release = release();
  readonly version: readonly [number, number, number];
  readonly arch: Arch = process.arch === "arm64" ? "arm64" : "x64";
  readonly pageSize = PAGE_SIZE;

  #types = new BtfTypes();
  #binaries: Binaries;
  #kallsyms = lazy(() => Kallsyms.load());
  #onlineCpus = lazy(onlineCpus);
  #hasBtf = lazy(() => existsSync("/sys/kernel/btf/vmlinux"));
  #categories = lazy(() => orElse<string[]>([], listTracepointCategories));
  #events = memo((category) => orElse<string[]>([], () => listTracepoints(category)));
  #lookup: TypeLookup = {
    named: (name) => this.typeNamed(name),
    struct: (name, union) => this.struct(name, union),
    enumNamed: (name) => this.enumNamed(name),
  };
  #formats = memo((path): TracepointFormat | undefined => {
    const [category, event] = path.split(":");
    return orElse(undefined, () => liveTracepointFormat(category, event, this.#lookup));
  });
  #structs = memo((key) => {
    if (!this.hasBtf) return undefined;
    const union = key.startsWith("union ");
    return this.#types.struct(key.slice(key.indexOf(" ") + 1), union);
  });
  #named = memo((name) => scalarNamed(name) ?? (this.hasBtf ? this.#types.named(name) : undefined));
  #enums = memo((name) => (this.hasBtf ? this.#types.enumNamed(name) : undefined));
  #constants = memo((name) => (this.hasBtf ? this.#types.enumConstant(name) : undefined));
  #rawTracepointPrototypes = memo((name) => (this.hasBtf ? this.#types.rawTracepoint(name) : undefined));
  #prototypes = memo((key): Prototype | undefined => {
    const [name, module] = key.split("\0");
    return this.hasBtf ? this.#types.functionPrototype(name, module || undefined) : undefined;
  });
  #addresses = memo((key) => {
    const [name, module] = key.split("\0");
    const home = module === "vmlinux" ? "" : module;
    return orElse(undefined, () => this.#kallsyms().addressOf(name, home));
  });
  #kfuncs = memo((key) => {
    const [type, name] = key.split(" ");
    const prototype = this.kfunc(name);
    return prototype !== undefined && kfuncSupported(prototype.btfId, type as ProgramPlan["type"]).supported;
  });
  #blacklist = lazy(() => orElse(new Set<string>(), kprobeBlacklist));
  #bpfPrototypes = memo((key): Prototype | undefined => {
    const [program, btfId] = key.split(":").map(Number);
    return this.#types.bpfFunctionPrototype(program, btfId);
  });
  #rawTracepoints = lazy(() => {
    if (this.hasBtf) return [...this.#types.rawTracepoints().keys()].sort();
    const names = this.tracepointCategories().flatMap((category) => [...this.tracepoints(category)]);
    return [...new Set(names)].sort();
  });
  #iterators = lazy(() => (this.hasBtf ? this.#types.iterators() : []));
  #functions = lazy(
    () =>
      orElse(undefined, () => traceableFunctions(this.#options.traceableFunctions)) ??
      orElse<FunctionNames>(new Map(), () => allFunctions(this.#kallsyms())),
  );
  #pidNamespace = lazy(() =>
    orElse<{ device: bigint; inode: bigint } | undefined>(undefined, ownPidNamespace),
  );

  readonly #options: KernelOptions;

  constructor(options: KernelOptions) {
    this.#options = options;
    this.#binaries = new Binaries(this.arch, options.debugDirectories);
    const [major, minor, patch] = this.release.split(/[^0-9]+/, 3).map(Number);
    this.version = [major, minor, patch || 0];
  }

  get possibleCpus(): number {
    return possibleCpus();
  }
  get onlineCpus(): readonly number[] {
    return this.#onlineCpus();
  }
  get hasBtf(): boolean {
    return this.#hasBtf();
  }
  get pidNamespace(): { device: bigint; inode: bigint } | undefined {
    return this.#pidNamespace();
  }

  has(feature: string): boolean {
    if (this.#options.without?.includes(feature)) return false;
    return features.some((row) => row.name === feature) && hasFeature(feature);
  }
  whyNot(feature: string): string | undefined {
    // "bpf(…): operation not permitted (EPERM); more": what was tried is no news.
    return probeFeature(feature)
      .reason?.replace(/^\w+\(.*?\): /, "")
      .split("; ")[0];
  }

  struct(name: string, union = false): StructLayout | undefined {
    return this.#structs(`${union ? "union" : "struct"} ${name}`);
  }
  typeNamed(name: string): Type | undefined {
    return this.#named(name);
  }
  enumNamed(name: string): EnumType | undefined {
    return this.#enums(name);
  }
  enumConstant(name: string) {
    return this.#constants(name);
  }
  structNames(): Iterable<string> {
    return this.hasBtf ? this.#types.structNames() : [];
  }

  tracepointCategories(): readonly string[] {
    return this.#categories();
  }
  tracepoints(category: string): readonly string[] {
    return this.#events(category);
  }
  tracepointFormat(category: string, name: string): TracepointFormat | undefined {
    return this.#formats(`${category}:${name}`);
  }
  rawTracepoints(): readonly string[] {
    return this.#rawTracepoints();
  }
  rawTracepoint(name: string): Prototype | undefined {
    return this.#rawTracepointPrototypes(name);
  }
  rawTracepointModule(name: string): string {
    return (this.hasBtf && this.#types.rawTracepoints().get(name)) || "vmlinux";
  }
  iterators(): readonly string[] {
    return this.#iterators();
  }
  functions(): FunctionNames {
    return this.#functions();
  }
  functionPrototype(name: string, module?: string): Prototype | undefined {
    return this.#prototypes(`${name}\0${module ?? ""}`);
  }
  kfunc(name: string): Prototype | undefined {
    const marked = this.hasBtf ? this.#types.kfuncs() : new Set<string>();
    if (marked.size > 0 && !marked.has(name)) return undefined;
    return this.functionPrototype(name, "vmlinux");
  }
  kfuncNames(): Iterable<string> {
    return this.hasBtf ? this.#types.kfuncs() : [];
  }
  kfuncAllowed(name: string, type: ProgramPlan["type"]): boolean {
    return this.#kfuncs(`${type} ${name}`);
  }
  blacklisted(name: string): boolean {
    return this.#blacklist().has(name);
  }
  bpfFunctions(): readonly BpfFunction[] {
    return bpfFunctions();
  }
  bpfFunctionPrototype(program: number, btfId: number): Prototype | undefined {
    return this.#bpfPrototypes(`${program}:${btfId}`);
  }
  symbolAddress(name: string, module?: string): bigint | undefined {
    return this.#addresses(module === undefined ? name : `${name}\0${module}`);
  }
  functionAt(address: bigint) {
    return orElse(undefined, () => this.#kallsyms().symbolAt(address));
  }
  syscallNumber(name: string): number | undefined {
    return syscallNumber(name, this.arch);
  }

  binaries(pattern: string, pid?: number): readonly UserBinary[] {
    return this.#binaries.find(pattern, pid);
  }
  whyNoBinary(name: string, pid?: number) {
    return this.#binaries.whyNone(name, pid);
  }
  mappedBinaries(pid?: number): readonly UserBinary[] {
    return this.#binaries.mapped(pid);
  }
  commandBinaries(command: string): readonly UserBinary[] {
    return this.#binaries.ofCommand(command);
  }
  cgroupId(path: string): bigint | undefined {
    return orElse(undefined, () => statSync(path, { bigint: true }).ino);
  }
  readFile(path: string): string | undefined {
    return orElse<string | undefined>(undefined, () => readFileSync(path, "utf8"));
  }

  listDirectory(path: string): readonly string[] | undefined {
    return orElse<readonly string[] | undefined>(undefined, () => readdirSync(path));
  }

  writableByAll(path: string): boolean {
    return orElse(false, () => (statSync(path).mode & 0o002) !== 0);
  }
}

const kernels = memo((options) => new LiveKernel(JSON.parse(options) as KernelOptions));

/** The kernel that this process runs on. */
export const liveKernel = (options: KernelOptions = {}): Kernel => kernels(JSON.stringify(options));

/** Why tracefs cannot be read here, in a sentence; undefined: it can. */
export function tracefsObstacle(): string | undefined {
  try {
    listTracepointCategories();
    return undefined;
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof Error) return error.message;
    throw error;
  }
}
