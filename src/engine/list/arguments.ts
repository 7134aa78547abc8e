/** The arguments of a probe as C declares them, for `list -v`. */
import { type Btf, loadVmlinux, tracepointFieldTexts } from "libbpf-ts";
import { parseUsdtArgs } from "libbpf-ts/usdt-args";
import type { Kernel, UserBinary, UserSymbol } from "../compile/kernel.ts";
import { functionsOf, isLanguage } from "../compile/probes/userSymbols.ts";
import { eachModule, moduleTypes } from "./modules.ts";

const btfOf = (module: string): Btf => (module === "vmlinux" ? loadVmlinux() : moduleTypes(module));

/** Names of the functions of a module, or "vmlinux", of which types are known. */
export function typedFunctions(module: string): Set<string> {
  try {
    const btf = btfOf(module);
    return new Set(Array.from(btf.idsOfKind("func"), (id) => btf.name(id)));
  } catch {
    return new Set();
  }
}

/** The first of these functions that the kernel, the module or any module has. */
function findFunction(names: readonly string[], module?: string): { btf: Btf; id: number } | undefined {
  const find = (btf: Btf) => {
    for (const name of names) {
      const id = btf.findByName(name, "func");
      if (id !== undefined) return { btf, id };
    }
    return undefined;
  };
  if (module !== undefined) return find(btfOf(module));
  const own = find(loadVmlinux());
  if (own) return own;
  for (const [, btf] of eachModule()) {
    const found = find(btf);
    if (found) return found;
  }
  return undefined;
}

/** "struct sock * sk", one a parameter. */
function parameterLines(
  names: readonly string[],
  module: string | undefined,
  { skip = 0, result = false } = {},
): string[] {
  const found = findFunction(names, module);
  const type = found?.btf.typeById(found.id);
  const proto = type?.kind === "func" ? found?.btf.typeById(type.type) : undefined;
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
    parameterLines([functionOf(parts)], moduleOf(parts), { result });

const LINES: Record<string, Lines> = {
  tracepoint: (_kernel, [category, event]) => tracepointFieldTexts(category, event),
  rawtracepoint: (_kernel, parts) => {
    // Only the functions that call a tracepoint name its parameters; the first is the tracepoint's own data.
    const callers = ["__traceiter_", "__probestub_", "__bpf_trace_"].map((prefix) => prefix + last(parts));
    return parameterLines(callers, moduleOf(parts), { skip: 1 });
  },
  kprobe: functionLines(false),
  // A return probe has the result alone.
  kretprobe: (kernel, parts) => functionLines(true)(kernel, parts).filter((line) => line.endsWith(" retval")),
  fentry: functionLines(false),
  fexit: functionLines(true),
  uprobe: userLines,
  // The first parameter is the iteration itself.
  iter: (_kernel, [target]) => parameterLines([`bpf_iter_${target}`], undefined, { skip: 1 }),
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
