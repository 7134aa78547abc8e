/** The arguments of a probe as C declares them, for `list -v`. */
import { type Btf, loadVmlinux, tracepointFieldTexts } from "libbpf-ts";
import { parseUsdtArgs } from "libbpf-ts/usdt-args";
import type { Kernel, UserBinary, UserSymbol } from "../compile/kernel.ts";
import { functionsOf, isLanguage } from "../compile/probes/userSymbols.ts";
import { eachModule, moduleTypes } from "./modules.ts";

const opened = new Map<string, Btf | Error>();

/** Types of a module or "vmlinux", asked for once: what has none has none for every function. */
function btfOf(module: string): Btf {
  let btf = opened.get(module);
  if (!btf) {
    try {
      btf = module === "vmlinux" ? loadVmlinux() : moduleTypes(module);
    } catch (error) {
      btf = error instanceof Error ? error : new Error(String(error));
    }
    opened.set(module, btf);
  }
  if (btf instanceof Error) throw btf;
  return btf;
}

/** Lookups of a function that are answered one by one, before the names of all are read. */
const FEW_LOOKUPS = 200;
const functionIds = new Map<Btf, ReadonlyMap<string, number>>();
let lookups = 0;

/** Of functions of one name the first. */
function idsByName(btf: Btf): ReadonlyMap<string, number> {
  let ids = functionIds.get(btf);
  if (!ids) {
    ids = new Map(Array.from(btf.idsOfKind("func").toReversed(), (id) => [btf.name(id), id]));
    functionIds.set(btf, ids);
  }
  return ids;
}

const functionNamed = (btf: Btf, name: string): number | undefined =>
  ++lookups > FEW_LOOKUPS || functionIds.has(btf) ? idsByName(btf).get(name) : btf.findByName(name, "func");

/** Functions of a module, or "vmlinux", of which types are known, by name. */
export function typedFunctions(module: string): ReadonlyMap<string, number> {
  try {
    return idsByName(btfOf(module));
  } catch {
    return new Map();
  }
}

interface Found {
  btf: Btf;
  id: number;
}

/** What the kernel, the module or any module has. */
function findIn(module: string | undefined, find: (btf: Btf) => number | undefined): Found | undefined {
  const found = (btf: Btf): Found | undefined => {
    const id = find(btf);
    return id === undefined ? undefined : { btf, id };
  };
  if (module !== undefined) return found(btfOf(module));
  const own = found(btfOf("vmlinux"));
  if (own) return own;
  for (const [, btf] of eachModule()) {
    const other = found(btf);
    if (other) return other;
  }
  return undefined;
}

const prefixed = new Map<Btf, Map<string, ReadonlyMap<string, number>>>();

/** The function whose name is a prefix and what follows it: all of the prefix are found at once, for many will be asked for. */
function functionAfter(btf: Btf, prefix: string, rest: string): number | undefined {
  const ofBtf = prefixed.get(btf) ?? new Map<string, ReadonlyMap<string, number>>();
  prefixed.set(btf, ofBtf);
  let ids = ofBtf.get(prefix);
  if (!ids) {
    ids = new Map(btf.idsWithPrefix(prefix, "func").map((id) => [btf.name(id).slice(prefix.length), id]));
    ofBtf.set(prefix, ids);
  }
  return ids.get(rest);
}

/** Only the functions that call a tracepoint name its parameters. */
const callerOf = (btf: Btf, event: string): number | undefined =>
  functionAfter(btf, "__traceiter_", event) ??
  functionAfter(btf, "__probestub_", event) ??
  functionAfter(btf, "__bpf_trace_", event);

/** "struct sock * sk", one a parameter. */
function parameterLines(found: Found | undefined, { skip = 0, result = false } = {}): string[] {
  const proto = found?.btf.typeById(found.btf.prototypeOf(found.id));
  if (!found || proto?.kind !== "func_proto") return [];
  const { btf } = found;
  const lines = proto.params
    .slice(skip)
    .map((parameter) => (parameter.type ? `${btf.typeName(parameter.type)} ${parameter.name}` : "..."));
  return result && proto.returns !== 0 ? [...lines, `${btf.typeName(proto.returns)} retval`] : lines;
}

const symbolsByName = new WeakMap<UserBinary, Map<string, UserSymbol>>();

function symbolsOf(binary: UserBinary): Map<string, UserSymbol> {
  let known = symbolsByName.get(binary);
  if (!known) {
    known = new Map(binary.symbols().map((symbol) => [symbol.name, symbol]));
    symbolsByName.set(binary, known);
  }
  return known;
}

/** Parameters of a function of a program with debug info. */
function userLines(kernel: Kernel, [path, ...names]: string[]): string[] {
  const [binary] = kernel.binaries(path);
  const info = binary?.debugInfo?.();
  if (!info || "tried" in info) return [];
  const [language, ...written] = names;
  const symbol = isLanguage(language)
    ? functionsOf(binary, written.join(":").replace(/^"(.*)"$/s, "$1"), language)[0]
    : symbolsOf(binary).get(names.join(":"));
  if (!symbol) return [];
  return info.function(symbol.offset, symbol.name)?.arguments.map(({ declaration }) => declaration) ?? [];
}

type Lines = (kernel: Kernel, parts: string[]) => string[];

const last = (parts: string[]): string => parts[parts.length - 1];
const moduleOf = (parts: string[]): string | undefined => (parts.length > 1 ? parts[0] : undefined);
/** "vfs_read+4" is in vfs_read. */
const functionOf = (parts: string[]): string => last(parts).replace(/\+.*$/, "");

const functionLines =
  (result: boolean): Lines =>
  (_kernel, parts) =>
    parameterLines(
      findIn(moduleOf(parts), (btf) => functionNamed(btf, functionOf(parts))),
      { result },
    );

let syscallExit: string[] | undefined;

/** The kernel has one class for the exits of all system calls: hundreds of files that say the same. */
function tracepointLines(category: string, event: string): string[] {
  if (category !== "syscalls" || !event.startsWith("sys_exit_")) return tracepointFieldTexts(category, event);
  syscallExit ??= tracepointFieldTexts(category, event);
  return syscallExit;
}

const LINES: Record<string, Lines> = {
  tracepoint: (_kernel, [category, event]) => tracepointLines(category, event),
  // The first parameter is the tracepoint's own data.
  rawtracepoint: (_kernel, parts) =>
    parameterLines(
      findIn(moduleOf(parts), (btf) => callerOf(btf, last(parts))),
      { skip: 1 },
    ),
  kprobe: functionLines(false),
  // A return probe has the result alone.
  kretprobe: (kernel, parts) => functionLines(true)(kernel, parts).filter((line) => line.endsWith(" retval")),
  fentry: functionLines(false),
  fexit: functionLines(true),
  uprobe: userLines,
  // The first parameter is the iteration itself.
  iter: (_kernel, [target]) =>
    parameterLines(
      findIn(undefined, (btf) => functionAfter(btf, "bpf_iter_", target)),
      { skip: 1 },
    ),
  usdt: (kernel, [path, provider, name]) => {
    const probe = kernel
      .binaries(path)
      .flatMap((binary) => binary.usdt())
      .find((point) => point.provider === provider && point.name === name);
    return parseUsdtArgs(probe?.arguments ?? "", kernel.arch).map(
      ({ size, signed, float }, i) => `${float ? "float" : signed ? "int" : "uint"}${size * 8} arg${i}`,
    );
  },
};

/** One line per argument of a listed probe; none where nobody says. `problem` gets the reason where there is one. */
export function argumentLines(
  kernel: Kernel,
  probe: string,
  problem: (message: string) => void = () => {},
): string[] {
  const [type, ...parts] = probe.split(":");
  try {
    return LINES[type]?.(kernel, parts) ?? [];
  } catch (error) {
    problem(error instanceof Error ? error.message : String(error));
    return [];
  }
}
