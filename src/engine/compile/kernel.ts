/**
 * What the compiler may know of the kernel and the machine it compiles for: an argument, never a global. The engine
 * passes the live one (src/engine/kernel), tests pass recorded ones. All answers are synchronous and cached by the giver.
 */
import type { ProgramPlan } from "./plan.ts";
import type { EnumType, Field, StructLayout, Type } from "./types.ts";

export type Arch = "x64" | "arm64";

export interface TracepointFormat {
  id: number;
  /** All fields, common_* first, offsets into the record. */
  fields: Field[];
}

/** A kernel function or raw tracepoint prototype from BTF. */
export interface Prototype {
  arguments: { name: string; type: Type }[];
  returns: Type;
  /** BTF id for attaching (fentry/fexit, tp_btf typedef), and the BTF object it is in ("vmlinux" or a module). */
  btfId: number;
  module: string;
}

export interface UserSymbol {
  name: string;
  /** File offset: what a uprobe attaches to. */
  offset: number;
  /** Virtual address as linked, and size in bytes (0: unknown). */
  address: number;
  size: number;
  /** Its code chooses, once, which function is to be called by this name. */
  indirect?: boolean;
  /** Symbol versions: "GLIBC_2.14". */
  versions?: readonly string[];
}

export interface UsdtProbe {
  provider: string;
  name: string;
  offset: number;
  semaphoreOffset: number;
  /** "8@%rdi -4@-20(%rbp)"; symbols are numbers already where the binary knows them. */
  arguments: string;
}

/** Where an argument is when its function begins. */
export type ArgumentPlace =
  /**
   * The N-th argument register; past the last of them, words of the stack. `words`: a value of so many words from there on;
   * `address`: where the argument points to.
   */
  | { kind: "argument"; index: number; words?: number; address?: boolean }
  | { kind: "register"; register: string }
  /** `why` follows the argument's name: "is floating point, …"; `hint` is what to do. */
  | { kind: "unreadable"; why: string; hint?: string };

/** A function as its program's debug info describes it. */
export interface UserFunction {
  /** `declaration`: as C writes it, "struct list * head". */
  arguments: { name: string; type: Type; declaration: string; place: ArgumentPlace }[];
}

/** Where the code of a source line begins. */
export type SourcePlaces =
  | { kind: "found"; path: string; offsets: number[] }
  /** Several source files end in this path. */
  | { kind: "ambiguous"; paths: string[] }
  /** `similar`: files of the same name elsewhere. */
  | { kind: "no-file"; similar: string[] }
  /** `nearest`: lines before and after it that have code. */
  | { kind: "no-code"; path: string; nearest: number[] };

/**
 * Debug info of a program. Offsets are file offsets, `near` is one of the code from which names are seen. All but layouts
 * throw an Error with a sentence where the file is damaged or of a kind that is not read.
 */
export interface UserDebugInfo {
  /** The function that begins at an offset, and is `symbol` in the symbol table. */
  function(offset: number, symbol: string): UserFunction | undefined;
  struct(name: string, union: boolean, near?: number): Type | undefined;
  enumNamed(name: string, near?: number): Type | undefined;
  typeNamed(name: string, near?: number): Type | undefined;
  enumConstant(
    name: string,
    near: number,
  ): { value: bigint; type: EnumType; size: 1 | 2 | 4 | 8 } | undefined;
  line(file: string, line: number, column?: number): SourcePlaces;
  /** Where the code of a function begins that has none of its own, being inlined wherever it is called. */
  inlinedFunction(name: string): { path: string; line: number } | undefined;
}

export interface MissingDebugInfo {
  /** Paths at which a separate debug file was looked for. */
  tried: string[];
  /** A separate file that is there and has no debug info either. */
  stripped?: string;
}

export interface UserBinary {
  /** The path that resolves the name given (ld.so cache, PATH, /proc/PID/root). */
  path: string;
  symbols(): readonly UserSymbol[];
  /** Functions by their exact name: several where versions or source files have one each. */
  functions(name: string): readonly UserSymbol[];
  /** Those on whose first instruction the kernel can put a probe. */
  probeable?(symbols: readonly UserSymbol[]): readonly UserSymbol[];
  /** Whether an instruction begins so many bytes into a function; undefined: it can't be told. */
  beginsInstruction?(symbol: UserSymbol, offset: number): boolean | undefined;
  /** A variable or a function by its exact name. */
  symbol?(name: string): UserSymbol | undefined;
  /** Where it is loaded differs from run to run: a library, or a position-independent program. */
  movable?: boolean;
  usdt(): readonly UsdtProbe[];
  language?: "go" | "rust" | "c++";
  /** Throws an Error with a sentence where the file is damaged. */
  debugInfo?(): UserDebugInfo | MissingDebugInfo;
}

/** A program in the kernel, or a function of it, that fentry and fexit can attach to. */
export interface BpfFunction {
  program: number;
  name: string;
  /** BTF id of the function in the program's own BTF. */
  btfId: number;
}

export interface Kernel {
  release: string;
  version: readonly [major: number, minor: number, patch: number];
  arch: Arch;
  pageSize: number;
  possibleCpus: number;
  onlineCpus: readonly number[];
  /** Names are rows of libbpf-ts `features`. */
  has(feature: string): boolean;
  /** Why it has not, in the kernel's words as far as there are any. */
  whyNot?(feature: string): string | undefined;

  /** BTF types by C name. Undefined: this kernel's BTF has none, or there is no BTF. */
  hasBtf: boolean;
  struct(name: string, union?: boolean): StructLayout | undefined;
  /** typedef or base type ("size_t", "u32", "uint64_t") resolved. */
  typeNamed(name: string): Type | undefined;
  enumNamed(name: string): EnumType | undefined;
  /** An enum constant's value and its enum. */
  enumConstant(name: string): { value: bigint; type: EnumType; size: 1 | 2 | 4 | 8 } | undefined;
  /** Struct names for "did you mean" and completion. */
  structNames(): Iterable<string>;

  /** category → event names. */
  tracepointCategories(): readonly string[];
  tracepoints(category: string): readonly string[];
  tracepointFormat(category: string, name: string): TracepointFormat | undefined;
  rawTracepoints(): readonly string[];
  rawTracepoint(name: string): Prototype | undefined;
  /** "vmlinux", or the module that has it; without BTF nobody knows. */
  rawTracepointModule(name: string): string;
  /** Kinds of objects that programs can iterate over: "task" for `struct bpf_iter__task`. */
  iterators(): readonly string[];
  /** Functions that kprobe and fentry can take, by their modules, "vmlinux" for the kernel proper. Names may repeat. */
  functions(): ReadonlyMap<string, readonly string[]>;
  /** Functions on the kernel's list of those that kprobes must leave alone. */
  blacklisted?(name: string): boolean;
  functionPrototype(name: string, module?: string): Prototype | undefined;
  /**
   * A function of the kernel that BPF programs may call: one that BTF marks so (6.10), or any where it marks none. Of the
   * kernel proper: those of modules are undefined.
   */
  kfunc?(name: string): Prototype | undefined;
  /** Names that `kfunc` knows; none where BTF marks none. */
  kfuncNames?(): Iterable<string>;
  /** Whether programs of a type may call it: tried. */
  kfuncAllowed?(name: string, type: ProgramPlan["type"]): boolean;
  /** BPF programs that have types, and their functions. */
  bpfFunctions?(): readonly BpfFunction[];
  bpfFunctionPrototype?(program: number, btfId: number): Prototype | undefined;
  /** Kernel symbol → address, from kallsyms; "vmlinux" is the kernel proper. */
  symbolAddress(name: string, module?: string): bigint | undefined;
  /** The function that an address is in. */
  functionAt?(address: bigint): { name: string; module: string; offset: number } | undefined;
  /** Syscall name → number on this architecture (from the machine's own table), undefined if unknown. */
  syscallNumber(name: string): number | undefined;

  /** ELF file by path, library name or "*"-pattern; empty: no such file. Throws SysError-like errors with a sentence. */
  binaries(pattern: string, pid?: number): readonly UserBinary[];
  /** Why `binaries` finds nothing for a path or a name without wildcards. */
  whyNoBinary?(name: string, pid?: number): { message: string; hint?: string };
  /** Programs and libraries that a process, or any process, has mapped to execute. */
  mappedBinaries(pid?: number): readonly UserBinary[];
  /** The program that a command line (-c) runs, then the libraries it is linked to. Empty: it can't be told. */
  commandBinaries(command: string): readonly UserBinary[];

  /** Cgroup v2 id of a path; undefined: none there. */
  cgroupId(path: string): bigint | undefined;
  /** For imports, #include and cat of headers at compile time. Undefined: no such file. */
  readFile(path: string): string | undefined;
  /** File names in a directory, for imports of a whole one. Undefined: no such directory. */
  listDirectory?(path: string): readonly string[] | undefined;
  /** Whether anybody may write to a file or directory: then what stands there may be anybody's. */
  writableByAll?(path: string): boolean;
  /** Device and inode of the caller's pid namespace, when it is not the initial one. */
  pidNamespace?: { device: bigint; inode: bigint };
}
