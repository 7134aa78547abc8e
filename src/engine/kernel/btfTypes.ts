/**
 * BTF → the language's types. Structs refer to one another without end, so that a struct type only carries the way to its
 * layout. Types of modules are looked up when the kernel proper has none of the name.
 */
import { type Btf, type BtfMember, listModules, loadModule, loadVmlinux } from "libbpf-ts";
import type { Prototype } from "../compile/kernel.ts";
import {
  alignOf,
  type EnumType,
  type Field,
  int,
  type StructLayout,
  sizeOf,
  type Type,
} from "../compile/types.ts";

import { programTypes } from "./bpfPrograms.ts";

const VMLINUX = "vmlinux";
const EMPTY: StructLayout = { size: 0, align: 1, fields: [] };

function* taggedFunctions(btf: Btf, tag: string): Generator<string> {
  for (const id of btf.idsWithPrefix(tag, "decl_tag")) {
    const type = btf.typeById(id);
    if (type.kind === "decl_tag" && type.name === tag) yield btf.name(type.type);
  }
}

/** One BTF object: its types, made once. */
class TypeSource {
  readonly btf: Btf;
  readonly module: string;
  #types = new Map<number, Type>();
  #layouts = new Map<number, StructLayout>();
  #enums = new Map<number, EnumType>();

  constructor(btf: Btf, module: string) {
    this.btf = btf;
    this.module = module;
  }

  type(id: number): Type {
    let type = this.#types.get(id);
    if (!type) {
      type = this.#make(id);
      this.#types.set(id, type);
    }
    return type;
  }

  #make(id: number): Type {
    const { btf } = this;
    const resolved = btf.resolve(id);
    const type = btf.typeById(resolved);
    switch (type.kind) {
      case "int":
        if (type.bool) return { kind: "bool" };
        if (type.size === 16) return { kind: "array", of: int(8, false), length: 2 };
        // Built with -funsigned-char since 6.2, and text all the same.
        return int(type.size as 1 | 2 | 4 | 8, type.signed || type.name === "char");
      case "float":
        return type.size === 4 || type.size === 8
          ? int(type.size, false)
          : { kind: "array", of: int(1, false), length: type.size };
      case "enum":
      case "enum64":
        return { kind: "int", size: type.size as 4 | 8, signed: type.signed, enum: this.enumType(resolved) };
      case "ptr":
        return this.#pointer(type.type);
      case "array":
        return { kind: "array", of: this.type(type.type), length: type.count };
      case "struct":
      case "union":
        return {
          kind: "struct",
          name: type.name,
          union: type.kind === "union",
          layout: () => this.layout(resolved),
        };
      case "fwd": {
        const { name, union } = type;
        return { kind: "struct", name, union, layout: () => this.layoutNamed(name, union) ?? EMPTY };
      }
      default:
        return { kind: "void" };
    }
  }

  /** A pointer's target may be the struct that holds the pointer: only structs stop the recursion, by being lazy. */
  #pointer(target: number): Type {
    const tag = this.btf.typeById(target);
    const user = tag.kind === "type_tag" && tag.name === "user";
    return { kind: "pointer", to: this.type(target), space: user ? "user" : "kernel" };
  }

  layout(id: number): StructLayout {
    let layout = this.#layouts.get(id);
    if (!layout) {
      const fields: Field[] = [];
      this.#collect(id, 0, fields, 0);
      const size = this.btf.sizeOf(id);
      const align = fields.reduce((most, field) => {
        const own = Math.min(8, alignOf(field.type));
        return field.offset % own === 0 && size % own === 0 ? Math.max(most, own) : most;
      }, 1);
      layout = { size, align, fields };
      this.#layouts.set(id, layout);
    }
    return layout;
  }

  layoutNamed(name: string, union: boolean): StructLayout | undefined {
    const id = this.btf.findByName(name, union ? "union" : "struct");
    return id === undefined ? undefined : this.layout(id);
  }

  /** Members of anonymous structs and unions count as the outer one's. */
  #collect(id: number, bits: number, into: Field[], depth: number): void {
    const type = this.btf.typeById(id);
    if ((type.kind !== "struct" && type.kind !== "union") || depth > 32) return;
    for (const member of type.members) {
      const inner = this.btf.resolve(member.type);
      const kind = this.btf.kind(inner);
      if (member.name === "" && (kind === "struct" || kind === "union")) {
        this.#collect(inner, bits + member.bitOffset, into, depth + 1);
      } else if (member.name !== "") into.push(this.#field(member, bits));
    }
  }

  #field({ name, type: id, bitOffset, bitSize }: BtfMember, bits: number): Field {
    const type = this.type(id);
    const at = bits + bitOffset;
    if (bitSize === 0) return { name, type, offset: at >>> 3 };
    const unit = sizeOf(type) * 8;
    const start = Math.floor(at / unit) * unit;
    // A packed field may reach into the next unit; it is then read from the byte where it begins.
    const from = at - start + bitSize <= unit ? start : at & ~7;
    return { name, type, offset: from >>> 3, bit: { offset: at - from, width: bitSize } };
  }

  enumType(id: number): EnumType {
    let made = this.#enums.get(id);
    if (!made) {
      const type = this.btf.typeById(id);
      const values = type.kind === "enum" || type.kind === "enum64" ? type.values : [];
      made = { name: type.name, names: new Map(values.map(({ name, value }) => [value, name])) };
      this.#enums.set(id, made);
    }
    return made;
  }

  /** Parameters and result of a func_proto; `skip`: leading parameters that are no arguments. */
  prototype(protoId: number, btfId: number, skip: number, names?: readonly string[]): Prototype | undefined {
    const proto = this.btf.typeById(this.btf.resolve(protoId));
    if (proto.kind !== "func_proto") return undefined;
    const args = proto.params.slice(skip).map(({ name, type }, i) => ({
      name: name || names?.[i] || `arg${i}`,
      type: this.type(type),
    }));
    return { arguments: args, returns: this.type(proto.returns), btfId, module: this.module };
  }
}

export class BtfTypes {
  #sources: TypeSource[] | undefined;
  #kernel: TypeSource | undefined;
  #rawTracepoints: Map<string, string> | undefined;
  #kfuncs: ReadonlySet<string> | undefined;

  get #vmlinux(): TypeSource {
    this.#kernel ??= new TypeSource(loadVmlinux(), VMLINUX);
    return this.#kernel;
  }

  /** The kernel, then its modules. */
  *#all(): Iterable<TypeSource> {
    yield this.#vmlinux;
    this.#sources ??= listModules().flatMap((name) => {
      try {
        return [new TypeSource(loadModule(name), name)];
      } catch {
        // Unloaded meanwhile, or not permitted: its types are not there.
        return [];
      }
    });
    yield* this.#sources;
  }

  #first<T>(find: (source: TypeSource) => T | undefined): T | undefined {
    for (const source of this.#all()) {
      const found = find(source);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  struct(name: string, union: boolean): StructLayout | undefined {
    return this.#first((source) => source.layoutNamed(name, union));
  }

  /** A typedef or base type; not a tag ("struct x"). */
  named(name: string): Type | undefined {
    return this.#first((source) => {
      const id = source.btf.findByName(name, "typedef") ?? source.btf.findByName(name, "int");
      return id === undefined ? undefined : source.type(id);
    });
  }

  enumNamed(name: string): EnumType | undefined {
    return this.#first((source) => {
      const id = source.btf.findByName(name, "enum") ?? source.btf.findByName(name, "enum64");
      return id === undefined ? undefined : source.enumType(id);
    });
  }

  enumConstant(name: string): { value: bigint; type: EnumType; size: 1 | 2 | 4 | 8 } | undefined {
    return this.#first((source) => {
      const found = source.btf.findEnumValue(name);
      if (!found) return undefined;
      const size = source.btf.sizeOf(found.type) as 1 | 2 | 4 | 8;
      return { value: found.value, type: source.enumType(found.type), size };
    });
  }

  *structNames(): Iterable<string> {
    const { btf } = this.#vmlinux;
    for (const id of btf.idsOfKind("struct")) {
      const name = btf.name(id);
      if (name !== "") yield name;
    }
  }

  /** Arguments of a raw tracepoint. Their names are not in the typedef but in the functions that call it. */
  rawTracepoint(name: string): Prototype | undefined {
    return this.#first((source) => {
      const id = source.btf.findByName(`btf_trace_${name}`, "typedef");
      if (id === undefined) return undefined;
      const pointer = source.btf.typeById(source.btf.resolve(id));
      if (pointer.kind !== "ptr") return undefined;
      const named = [`__traceiter_${name}`, `__probestub_${name}`, `__bpf_trace_${name}`]
        .map((stub) => source.btf.findByName(stub, "func"))
        .find((stub) => stub !== undefined);
      const names = named === undefined ? undefined : this.#parameterNames(source, named)?.slice(1);
      return source.prototype(pointer.type, id, 1, names);
    });
  }

  #parameterNames(source: TypeSource, functionId: number): string[] | undefined {
    const type = source.btf.typeById(functionId);
    const proto = type.kind === "func" ? source.btf.typeById(type.type) : undefined;
    return proto?.kind === "func_proto" ? proto.params.map((param) => param.name) : undefined;
  }

  /** Raw tracepoints, and the module that has each. */
  rawTracepoints(): ReadonlyMap<string, string> {
    this.#rawTracepoints ??= this.#namesAfter("btf_trace_", "typedef");
    return this.#rawTracepoints;
  }

  /** What the verifier calls the trusted variant of an iterator's context (6.5) is no iterator of its own. */
  iterators(): string[] {
    const names = [...this.#namesAfter("bpf_iter__", "struct").keys()];
    return names.filter((name) => !name.endsWith("__safe_trusted")).sort();
  }

  /** What follows a prefix in the names of a kind of types, and the module that has each. */
  #namesAfter(prefix: string, kind: "typedef" | "struct"): Map<string, string> {
    const names = new Map<string, string>();
    for (const { btf, module } of this.#all()) {
      for (const id of btf.idsWithPrefix(prefix, kind)) {
        const name = btf.name(id).slice(prefix.length);
        if (!names.has(name)) names.set(name, module);
      }
    }
    return names;
  }

  /** A function of a BPF program, by the program's own types. */
  bpfFunctionPrototype(program: number, btfId: number): Prototype | undefined {
    const btf = programTypes(program)?.btf;
    const type = btf && btfId < btf.endId ? btf.typeById(btfId) : undefined;
    return type?.kind === "func" ? new TypeSource(btf!, "bpf").prototype(type.type, btfId, 0) : undefined;
  }

  /** Functions of the kernel proper that BTF marks as callable by programs. */
  kfuncs(): ReadonlySet<string> {
    this.#kfuncs ??= new Set(taggedFunctions(loadVmlinux(), "bpf_kfunc"));
    return this.#kfuncs;
  }

  functionPrototype(name: string, module?: string): Prototype | undefined {
    return this.#first((source) => {
      if (module !== undefined && module !== source.module) return undefined;
      const id = source.btf.findByName(name, "func");
      const type = id === undefined ? undefined : source.btf.typeById(id);
      return type?.kind === "func" ? source.prototype(type.type, id!, 0) : undefined;
    });
  }
}
