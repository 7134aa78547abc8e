/** Kernel functions by name, in the kernel's types or a module's, and their parameters as text. */
import { type Btf, type ByteTarget, loadVmlinux, type ParameterChoice, ParameterWriter } from "libbpf-ts";
import { eachModule, moduleTypes } from "./modules.ts";

/** A function: in which types, and which of them. */
export interface Found {
  btf: Btf;
  id: number;
}

const failed = new Map<string, unknown>();

/** Throws where the kernel or the module has no types; asked for once, for it will be for each function. */
function typesOf(module: string): Btf {
  if (failed.has(module)) throw failed.get(module);
  try {
    return module === "vmlinux" ? loadVmlinux() : moduleTypes(module);
  } catch (error) {
    failed.set(module, error);
    throw error;
  }
}

/** Lookups that come one by one: from then on there will be many. */
const FEW_LOOKUPS = 2;
let lookups = 0;

const named = (btf: Btf, name: string): Found | undefined => {
  if (++lookups > FEW_LOOKUPS) btf.indexNames();
  const id = btf.findByName(name, "func");
  return id === undefined ? undefined : { btf, id };
};

/** What the types of the module have, or the kernel's own, or else any module's. */
export function findIn(module: string | undefined, find: (btf: Btf) => Found | undefined): Found | undefined {
  const found = find(typesOf(module ?? "vmlinux"));
  if (found || module !== undefined) return found;
  for (const [, btf] of eachModule()) {
    const other = find(btf);
    if (other) return other;
  }
  return undefined;
}

export const functionNamed = (module: string | undefined, name: string): Found | undefined =>
  findIn(module, (btf) => named(btf, name));

/** Whether the types of a module, or "vmlinux", have a function; none where they can't be read. */
export function typedFunctions(module: string): (name: string) => boolean {
  try {
    const btf = typesOf(module);
    btf.indexNames();
    return (name) => btf.findByName(name, "func") !== undefined;
  } catch {
    return () => false;
  }
}

const prefixed = new Map<Btf, Map<string, ReadonlyMap<string, number>>>();

/** The function whose name is a prefix and what follows it: all of the prefix are found at once, for many will be asked for. */
export function functionAfter(btf: Btf, prefix: string, rest: string): Found | undefined {
  const ofBtf = prefixed.get(btf) ?? new Map<string, ReadonlyMap<string, number>>();
  prefixed.set(btf, ofBtf);
  let ids = ofBtf.get(prefix);
  if (!ids) {
    ids = new Map(btf.idsWithPrefix(prefix, "func").map((id) => [btf.name(id).slice(prefix.length), id]));
    ofBtf.set(prefix, ids);
  }
  const id = ids.get(rest);
  return id === undefined ? undefined : { btf, id };
}

export const INDENTATION = "    ";

/** Writes the chosen parameters of functions of any types. */
export function parameterWriter(
  choice: ParameterChoice,
): (into: ByteTarget, found: Found | undefined) => void {
  const writers = new Map<Btf, ParameterWriter>();
  function writerOf(btf: Btf): ParameterWriter {
    let writer = writers.get(btf);
    if (!writer) {
      writer = new ParameterWriter(btf, INDENTATION, choice, btf.base && writerOf(btf.base));
      writers.set(btf, writer);
    }
    return writer;
  }
  return (into, found) => {
    if (found) writerOf(found.btf).write(into, found.id);
  };
}
