/** The arguments of a probe as C declares them, for `list -v`. */
import { type Btf, loadModule, loadVmlinux, readTracepointFormat, type TracepointField } from "libbpf-ts";
import type { Kernel, Prototype } from "../compile/kernel.ts";

const btfOf = (module: string): Btf => (module === "vmlinux" ? loadVmlinux() : loadModule(module));

/** Names of the functions of a module, or "vmlinux", of which types are known. */
export function typedFunctions(module: string): Set<string> {
  try {
    const btf = btfOf(module);
    return new Set(Array.from(btf.idsOfKind("func"), (id) => btf.name(id)));
  } catch {
    return new Set();
  }
}

function prototypeLines({ btfId, module }: Prototype, skip: number, withReturn: boolean): string[] {
  const btf = btfOf(module);
  const target = btf.typeById(btfId);
  let id = target.kind === "func" ? target.type : btfId;
  // btf_trace_* names a pointer to the prototype.
  for (let type = btf.typeById(id); type.kind === "typedef" || type.kind === "ptr"; type = btf.typeById(id)) {
    id = type.type;
  }
  const proto = btf.typeById(id);
  if (proto.kind !== "func_proto") return [];
  const lines = proto.params
    .slice(skip)
    .map((parameter) => (parameter.type ? `${btf.typeName(parameter.type)} ${parameter.name}` : "..."));
  return withReturn && proto.returns !== 0 ? [...lines, `${btf.typeName(proto.returns)} retval`] : lines;
}

function fieldLine(field: TracepointField): string {
  const array = field.isArray ? `[${field.arrayLength || ""}]` : "";
  return `${field.dataLoc ? "__data_loc " : field.relLoc ? "__rel_loc " : ""}${field.type}${array} ${field.name}`;
}

/** Parameters of a function of a program with debug info. */
function userLines(kernel: Kernel, [path, ...names]: string[]): string[] {
  const [binary] = kernel.binaries(path);
  const info = binary?.debugInfo?.();
  const symbol = binary?.symbol?.(names.join(":"));
  if (!info || !symbol || "tried" in info) return [];
  return info.function(symbol.offset, symbol.name)?.arguments.map(({ declaration }) => declaration) ?? [];
}

type Lines = (kernel: Kernel, parts: string[]) => string[];

const last = (parts: string[]): string => parts[parts.length - 1];
const moduleOf = (parts: string[]): string | undefined => (parts.length > 1 ? parts[0] : undefined);

const functionLines =
  (withReturn: boolean): Lines =>
  (kernel, parts) => {
    const prototype = kernel.functionPrototype(last(parts), moduleOf(parts));
    return prototype ? prototypeLines(prototype, 0, withReturn) : [];
  };

const LINES: Record<string, Lines> = {
  tracepoint: (_kernel, [category, event]) =>
    readTracepointFormat(category, event)
      .fields.filter(({ name }) => !name.startsWith("common_"))
      .map(fieldLine),
  rawtracepoint: (kernel, parts) => {
    // Only the function that calls the tracepoint names its parameters; the first is the tracepoint's own data.
    const prototype =
      kernel.functionPrototype(`__traceiter_${last(parts)}`) ?? kernel.rawTracepoint(last(parts));
    return prototype ? prototypeLines(prototype, 1, false) : [];
  },
  kprobe: functionLines(false),
  kretprobe: functionLines(false),
  fentry: functionLines(false),
  fexit: functionLines(true),
  uprobe: userLines,
  iter: (kernel, [target]) => {
    const prototype = kernel.functionPrototype(`bpf_iter_${target}`);
    return prototype ? prototypeLines(prototype, 0, false) : [];
  },
};

/** One line per argument of a listed probe; none where the kernel does not say. */
export function argumentLines(kernel: Kernel, probe: string): string[] {
  const [type, ...parts] = probe.split(":");
  try {
    return LINES[type]?.(kernel, parts) ?? [];
  } catch {
    return [];
  }
}
