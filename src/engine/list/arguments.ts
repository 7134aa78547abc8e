/** The arguments of a probe as C declares them, for `list -v`. */
import { type Btf, tracepointFieldTexts } from "libbpf-ts";
import { parseUsdtArgs } from "libbpf-ts/usdt-args";
import type { Kernel, UserBinary, UserSymbol } from "../compile/kernel.ts";
import { functionsOf, isLanguage } from "../compile/probes/userSymbols.ts";
import type { ByteWriter } from "../output/bytes.ts";
import {
  type Found,
  findIn,
  functionAfter,
  functionNamed,
  INDENTATION,
  parameterWriter,
} from "./functions.ts";
import type { Probe } from "./probes.ts";

/** Only the functions that call a tracepoint name its parameters. */
const callerOf = (btf: Btf, event: string): Found | undefined =>
  functionAfter(btf, "__traceiter_", event) ??
  functionAfter(btf, "__probestub_", event) ??
  functionAfter(btf, "__bpf_trace_", event);

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

/** Writes a line per argument. */
type Write = (into: ByteWriter, kernel: Kernel, parts: string[]) => void;

const last = (parts: string[]): string => parts[parts.length - 1];
const moduleOf = (parts: string[]): string | undefined => (parts.length > 1 ? parts[0] : undefined);
/** "vfs_read+4" is in vfs_read. */
const functionOf = (parts: string[]): string => {
  const name = last(parts);
  const plus = name.indexOf("+");
  return plus < 0 ? name : name.slice(0, plus);
};

/** Texts of prototypes are made once for all types of probes that write the same of them. */
const writeParameters = parameterWriter({ parameters: true, result: false, skip: 0 });
const writeResult = parameterWriter({ parameters: false, result: true, skip: 0 });
const writeBoth = parameterWriter({ parameters: true, result: true, skip: 0 });
/** The first parameter is the tracepoint's, or the iteration's, own. */
const writeOthers = parameterWriter({ parameters: true, result: false, skip: 1 });

const kernelFunction =
  (write: ReturnType<typeof parameterWriter>): Write =>
  (into, _kernel, parts) =>
    write(into, functionNamed(moduleOf(parts), functionOf(parts)));

const lines =
  (linesOf: (kernel: Kernel, parts: string[]) => readonly string[]): Write =>
  (into, kernel, parts) => {
    for (const line of linesOf(kernel, parts)) {
      into.ascii(INDENTATION);
      into.name(line);
      into.ascii("\n");
    }
  };

let syscallExit: string[] | undefined;

/** The kernel has one class for the exits of all system calls: hundreds of files that say the same. */
function tracepointFields(category: string, event: string): string[] {
  if (category !== "syscalls" || !event.startsWith("sys_exit_")) return tracepointFieldTexts(category, event);
  syscallExit ??= tracepointFieldTexts(category, event);
  return syscallExit;
}

function usdtArguments(kernel: Kernel, [path, provider, name]: string[]): string[] {
  const probe = kernel
    .binaries(path)
    .flatMap((binary) => binary.usdt())
    .find((point) => point.provider === provider && point.name === name);
  return parseUsdtArgs(probe?.arguments ?? "", kernel.arch).map(
    ({ size, signed, float }, i) => `${float ? "float" : signed ? "int" : "uint"}${size * 8} arg${i}`,
  );
}

const WRITES: Record<string, Write> = {
  tracepoint: lines((_kernel, [category, event]) => tracepointFields(category, event)),
  rawtracepoint: (into, _kernel, parts) =>
    writeOthers(
      into,
      findIn(moduleOf(parts), (btf) => callerOf(btf, last(parts))),
    ),
  kprobe: kernelFunction(writeParameters),
  kretprobe: kernelFunction(writeResult),
  fentry: kernelFunction(writeParameters),
  fexit: kernelFunction(writeBoth),
  uprobe: lines(userLines),
  iter: (into, _kernel, [target]) =>
    writeOthers(
      into,
      findIn(undefined, (btf) => functionAfter(btf, "bpf_iter_", target)),
    ),
  usdt: lines(usdtArguments),
};

/** A line per argument of a listed probe, set in; none where nobody says. `problem` gets the reason where there is one. */
export function writeArguments(
  into: ByteWriter,
  kernel: Kernel,
  [type, ...parts]: Probe,
  problem: (message: string) => void = () => {},
): void {
  try {
    WRITES[type]?.(into, kernel, parts);
  } catch (error) {
    problem(error instanceof Error ? error.message : String(error));
  }
}
