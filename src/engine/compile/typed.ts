/**
 * The checked program: what the checker hands to code generation. Sugar is gone, names are resolved, literals folded,
 * every conversion is an explicit cast, every node has its type. Code generation never asks what a name means.
 *
 * Values of scalar types are 64-bit registers, already sign- or zero-extended from their type's width.
 * Values of aggregate types (string, buffer, array, struct, tuple, inet, …) are addresses of bytes.
 */
import type { Span } from "./diagnostic.ts";
import type { AggregationType, Field, Type } from "./types.ts";

/** A scratch variable, once per scope it is declared in. `addressed`: `&$x` is taken, so it lives in memory. */
export interface Local {
  name: string;
  type: Type;
  addressed: boolean;
  span: Span;
}

/** A script map. Scalar maps have no key. */
export interface MapInfo {
  name: string;
  key?: Type;
  value: Type;
  /** `let @a = lruhash(100)`. */
  declared?: { mapType: "hash" | "lruhash" | "percpuhash" | "percpulruhash"; maxEntries: number };
  /** Used in a way that needs all CPUs' values in the kernel: (int64)@c, comparison, for-loop. */
  readInKernel: boolean;
  span: Span;
}

/** Where an action's arguments come from; decided per probe type. */
export type Attach =
  | { kind: "begin" | "end" }
  | {
      kind: "tracepoint";
      category: string;
      event: string;
      id: number;
      syscall?: { number: number; exit: boolean };
    }
  /** `btfId`: the btf_trace_* typedef, when the kernel has BTF. */
  | { kind: "rawtracepoint"; event: string; btfId?: number; module?: string }
  /** `typed`: stands in for fentry or fexit, so that BTF tells its arguments. */
  | {
      kind: "kprobe";
      function: string;
      module?: string;
      offset: number;
      address?: bigint;
      return: boolean;
      /** Several functions have the name, and all are meant. */
      several?: true;
      typed?: true;
    }
  /** `program`: id of the BPF program that the function belongs to. `untyped`: stands in for kprobe or kretprobe. */
  | {
      kind: "fentry";
      function: string;
      module: string;
      btfId: number;
      exit: boolean;
      program?: number;
      untyped?: true;
    }
  /** `inside`: not where the function begins. */
  | { kind: "uprobe"; path: string; symbol: string; offset: number; return: boolean; inside?: true }
  | {
      kind: "usdt";
      path: string;
      provider: string;
      name: string;
      offset: number;
      semaphoreOffset: number;
      arguments: string;
    }
  /** period in nanoseconds on every CPU, or one CPU for interval; frequency in Hz. */
  | { kind: "profile" | "interval"; period: bigint }
  | { kind: "software" | "hardware"; event: string; config: number; period: bigint }
  | { kind: "watchpoint"; address: bigint; length: number; mode: string }
  | { kind: "iter"; target: string; btfId: number; pin?: string }
  | { kind: "self"; signal: string }
  | { kind: "bench" | "test"; name: string };

export interface Probe {
  /** Fully expanded, canonical: "tracepoint:syscalls:sys_enter_openat", "begin". */
  name: string;
  attach: Attach;
  span: Span;
  /** The script's own name for it (`name=interval:s:1`), which `probe` gives. */
  label?: string;
}

/**
 * One body to generate, and the probes that can share it: their arguments lie alike and the body does not tell them
 * apart except through `probe`/`func` values, which come from the attach cookie.
 */
export interface TypedAction {
  probes: Probe[];
  predicate?: TypedExpression;
  body: TypedBlock;
  span: Span;
}

export interface TypedProgram {
  actions: TypedAction[];
  maps: MapInfo[];
  config: Config;
  /** Named options that the script asks for with getopt(). */
  options: {
    name: string;
    type: "bool" | "int" | "string";
    default: string;
    description?: string;
    span: Span;
  }[];
}

export interface Config {
  maxMapKeys: number;
  maxStrlen: number;
  maxProbes: number;
  maxBpfProgs: number;
  onStackLimit: number;
  /** undefined: chosen by memory. */
  perfRbPages?: number;
  stackMode: "bpftrace" | "perf" | "raw" | "build_id";
  strTruncTrailer: string;
  printMapsOnExit: boolean;
  missingProbes: "error" | "warn" | "ignore";
  license: string;
  cppDemangle: boolean;
  lazySymbolication: boolean;
  cacheUserSymbols: "PER_PID" | "PER_PROGRAM" | "NONE";
  showDebugInfo: boolean;
  maxCatBytes: number;
  logSize: number;
  /** tracedeck's own: how syscall tracepoints attach. auto: raw when an action has two or more. */
  syscallAttach: "auto" | "raw" | "tracepoint";
  /** tracedeck's own: whether kprobe and fentry may stand in for one another where the kernel lacks one of them. */
  kernelFunctionFallback: boolean;
  unstable: Record<string, "error" | "warn" | "enable">;
}

export interface TypedBlock {
  statements: TypedStatement[];
  /** Value of a block expression. */
  result?: TypedExpression;
}

export type TypedStatement =
  | { op: "expression"; value: TypedExpression; span: Span }
  /** The value already has the local's type. Without value: zero. */
  | { op: "set-local"; local: Local; value?: TypedExpression; span: Span }
  /** Plain value maps: value has the map's type. */
  | { op: "set-map"; map: MapInfo; key?: TypedExpression; value: TypedExpression; span: Span }
  /** `@[k] = count()` and its kind: argument absent for count. */
  | {
      op: "aggregate";
      map: MapInfo;
      key?: TypedExpression;
      aggregation: AggregationType;
      value?: TypedExpression;
      span: Span;
    }
  | { op: "if"; condition: TypedExpression; then: TypedBlock; else?: TypedBlock; span: Span }
  /** unroll is already expanded by the checker into blocks. */
  | { op: "block"; body: TypedBlock; span: Span }
  | { op: "while"; condition: TypedExpression; body: TypedBlock; span: Span }
  | {
      op: "for-range";
      local: Local;
      start: TypedExpression;
      end: TypedExpression;
      body: TypedBlock;
      span: Span;
    }
  /** The local is a (key, value) tuple; aggregations arrive as their integer value. */
  | { op: "for-map"; local: Local; map: MapInfo; body: TypedBlock; span: Span }
  | { op: "break" | "continue"; span: Span }
  | { op: "return"; value?: TypedExpression; span: Span }
  /** A function's body, put where it is called; `leave` goes to its end. Ids count from 2. */
  | { op: "function-body"; id: number; body: TypedBlock; span: Span }
  | { op: "leave"; id: number; span: Span }
  /** A call that user space carries out: printf, print, clear, exit, … Arguments are what the record carries. */
  | {
      op: "emit";
      action: EmitAction;
      arguments: TypedExpression[] /** for system()/exit()… ends the program after it */;
      span: Span;
    };

/** What a record asks of user space. Formats are strings already checked against the arguments. */
export type EmitAction =
  | { kind: "printf" | "system" | "cat" | "errorf" | "warnf"; format: string }
  | { kind: "print-value" }
  /** arguments: none. */
  | { kind: "print-map"; map: MapInfo; top?: number; div?: number }
  /** print(@m[k]): arguments [key, value]; printed as "@m[k]: v". */
  | { kind: "print-map-item"; map: MapInfo }
  | { kind: "clear" | "zero"; map: MapInfo }
  | { kind: "exit" }
  | { kind: "time"; format: string }
  /** arguments: the char** pointer; the record carries up to 16 strings. */
  | { kind: "join"; separator: string }
  | { kind: "strftime"; format: string }
  | { kind: "runtime-error" };

export type TypedExpression = { type: Type; span: Span } & (
  | { op: "int"; value: bigint }
  | { op: "string"; value: string }
  /** Bytes known at compile time (pton, string escapes). */
  | { op: "bytes"; value: Uint8Array }
  | { op: "local"; local: Local }
  /** Register argument N of the traced function (kprobe, uprobe) or argument slot N (raw tracepoint, fentry). */
  | { op: "arg"; index: number }
  /** A USDT argument by its location string. */
  | { op: "usdt-arg"; spec: string }
  /** Return value; fexit: the slot after the arguments. */
  | { op: "retval"; slot?: number }
  | { op: "reg"; name: string }
  /** A field of the tracepoint record at ctx + offset. For syscall tracepoints, `syscallArg` (or -1: ret, -2: nr) also tells where the raw form has it. */
  | { op: "context-field"; field: Field; syscallArg?: number }
  /** The context pointer itself (ctx). */
  | { op: "context" }
  /** A builtin without arguments that code generation knows by name: pid tid uid gid nsecs elapsed cpu comm … */
  | { op: "builtin"; name: string }
  /** A function that code generation knows by name: str, buf, kstack, ustack, ksym, strncmp, ntop, has_key, len, … */
  | {
      op: "call";
      name: string;
      arguments: TypedExpression[];
      map?: MapInfo;
      data?: Record<string, string | number | bigint | boolean>;
    }
  | { op: "unary"; operator: "-" | "!" | "~"; operand: TypedExpression }
  | {
      op: "binary";
      operator:
        | "+"
        | "-"
        | "*"
        | "/"
        | "%"
        | "&"
        | "|"
        | "^"
        | "<<"
        | ">>"
        | "=="
        | "!="
        | "<"
        | "<="
        | ">"
        | ">=";
      left: TypedExpression;
      right: TypedExpression;
    }
  /** Equality of strings, arrays, tuples, buffers: by bytes. */
  | { op: "compare-bytes"; equal: boolean; left: TypedExpression; right: TypedExpression }
  | { op: "logical"; operator: "&&" | "||"; left: TypedExpression; right: TypedExpression }
  | { op: "ternary"; condition: TypedExpression; then: TypedExpression; else: TypedExpression }
  /** Integer width and sign, int ↔ pointer, string resize, int ↔ array of the same size. */
  | { op: "cast"; operand: TypedExpression }
  /** Member of a struct value in memory or behind a pointer: base is a pointer, or a struct-typed expression. */
  | { op: "field"; base: TypedExpression; field: Field }
  | { op: "index"; base: TypedExpression; index: TypedExpression }
  | { op: "tuple-element"; base: TypedExpression; index: number }
  | { op: "deref"; pointer: TypedExpression }
  | { op: "address-of-local"; local: Local }
  | { op: "address-of-map"; map: MapInfo; key?: TypedExpression }
  | { op: "tuple"; elements: TypedExpression[] }
  /** Missing keys read as zero. Aggregations read as their merged integer (all CPUs). */
  | { op: "map-get"; map: MapInfo; key?: TypedExpression }
  /** ++ and --, on a local or a plain integer map entry. Step is 1, or the pointee's size. */
  | {
      op: "increment";
      target: { local: Local } | { map: MapInfo; key?: TypedExpression };
      delta: bigint;
      prefix: boolean;
    }
  | { op: "block"; body: TypedBlock }
);
