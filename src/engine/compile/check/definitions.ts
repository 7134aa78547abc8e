/**
 * Types by name: the script's own structs, unions, enums and typedefs laid out as C does, then what the kernel's BTF has.
 * Also enum constants, and type names as they are written in casts, declarations and sizeof.
 */
import type { CDefinition, CField, Expression, TypeName } from "../ast.ts";
import type { Diagnostics } from "../diagnostic.ts";
import type { Kernel } from "../kernel.ts";
import {
  type AddressSpace,
  alignOf,
  BOOL,
  type EnumType,
  type Field,
  INT64,
  int,
  roundUp,
  type StructLayout,
  sizeOf,
  type Type,
  UINT64,
  VOID,
} from "../types.ts";
import { didYouMean } from "./nearest.ts";
import type { ProgramTypes } from "./program.ts";

const BASE_TYPES: Readonly<Record<string, Type>> = {
  void: VOID,
  bool: BOOL,
  _Bool: BOOL,
  uint8: int(1, false),
  int8: int(1, true),
  uint16: int(2, false),
  int16: int(2, true),
  uint32: int(4, false),
  int32: int(4, true),
  uint64: UINT64,
  int64: INT64,
  uint8_t: int(1, false),
  int8_t: int(1, true),
  uint16_t: int(2, false),
  int16_t: int(2, true),
  uint32_t: int(4, false),
  int32_t: int(4, true),
  uint64_t: UINT64,
  int64_t: INT64,
  u8: int(1, false),
  s8: int(1, true),
  u16: int(2, false),
  s16: int(2, true),
  u32: int(4, false),
  s32: int(4, true),
  u64: UINT64,
  s64: INT64,
  __u8: int(1, false),
  __s8: int(1, true),
  __u16: int(2, false),
  __s16: int(2, true),
  __u32: int(4, false),
  __s32: int(4, true),
  __u64: UINT64,
  __s64: INT64,
  size_t: UINT64,
  ssize_t: INT64,
  uintptr_t: UINT64,
  intptr_t: INT64,
  username_t: { kind: "username" },
  ksym_t: { kind: "ksym" },
  usym_t: { kind: "usym" },
  inet: { kind: "inet" },
  macaddr_t: { kind: "macaddr" },
};

const C_WORDS = new Set(["unsigned", "signed", "long", "short", "int", "char", "double", "float"]);

/** "unsigned long int" in any order; undefined: not made of C's integer words. */
function cInteger(base: string): Type | undefined {
  const words = base.split(/\s+/);
  if (!words.every((word) => C_WORDS.has(word))) return undefined;
  const has = (word: string) => words.includes(word);
  const signed = !has("unsigned");
  if (has("double")) return int(8, false);
  if (has("float")) return int(4, false);
  if (has("char")) return int(1, signed);
  if (has("short")) return int(2, signed);
  if (has("long")) return int(8, signed);
  return int(4, signed);
}

/** What evaluates expressions inside type names; the checker gives it. */
export interface TypeNameContext {
  report: Diagnostics;
  /** Where pointers of a script lead when nothing else says so. */
  space: AddressSpace;
  /** Value of a constant expression. */
  constant(expression: Expression): bigint | undefined;
  /** Type of typeof(expression). */
  typeOf(expression: Expression): Type | undefined;
  maxStrlen: number;
  /** Types of the program that the probe is in; they come before the kernel's. */
  program?: ProgramTypes;
}

interface StructDefinition {
  name: string;
  union: boolean;
  fields: CField[];
  packed: boolean;
}

export class Definitions {
  readonly #kernel: Kernel;
  readonly #structs = new Map<string, StructDefinition>();
  readonly #typedefs = new Map<string, TypeName>();
  readonly #enums = new Map<string, EnumType>();
  readonly #constants = new Map<string, { value: bigint; type: EnumType; size: 4 | 8 }>();
  readonly #layouts = new Map<string, StructLayout>();
  readonly #laying = new Set<string>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Enters the definitions of a script; call once, before anything is looked up. */
  add(definitions: readonly CDefinition[], cx: TypeNameContext): void {
    for (const definition of definitions) {
      if (definition.kind === "struct") {
        const key = `${definition.union ? "union" : "struct"} ${definition.name}`;
        if (this.#structs.has(key))
          cx.report.error("redefinition", definition.span, `${key} is defined twice in this script`);
        this.#structs.set(key, definition);
      } else if (definition.kind === "typedef") this.#typedefs.set(definition.name, definition.type);
      else if (definition.kind === "enum") this.#addEnum(definition, cx);
    }
    for (const [key, definition] of this.#structs) this.#layoutOf(key, definition, cx);
  }

  #addEnum(definition: CDefinition & { kind: "enum" }, cx: TypeNameContext): void {
    const names = new Map<bigint, string>();
    const type: EnumType = { name: definition.name, names };
    let next = 0n;
    for (const { name, value, span } of definition.values) {
      if (value) {
        const constant = cx.constant(value);
        if (constant === undefined)
          cx.report.error("not-constant", span, `the value of enum constant ${name} is not a constant`);
        else next = constant;
      }
      if (!names.has(next)) names.set(next, name);
      this.#constants.set(name, { value: next, type, size: next > 0xffffffffn ? 8 : 4 });
      next++;
    }
    if (definition.name) this.#enums.set(definition.name, type);
  }

  constant(
    name: string,
    program?: ProgramTypes,
  ): { value: bigint; type: EnumType; size: 1 | 2 | 4 | 8 } | undefined {
    return this.#constants.get(name) ?? program?.constant(name) ?? this.#kernel.enumConstant(name);
  }

  constantNames(): string[] {
    return [...this.#constants.keys()];
  }

  /** A struct or union of the script, the traced program or the kernel. */
  struct(name: string, union: boolean, program?: ProgramTypes): Type | undefined {
    const key = `${union ? "union" : "struct"} ${name}`;
    const own = this.#layouts.get(key);
    if (own) return { kind: "struct", name, union, layout: () => own };
    if (this.#laying.has(key) || this.#structs.has(key))
      return { kind: "struct", name, union, layout: () => this.#layouts.get(key) ?? EMPTY_LAYOUT };
    const traced = program?.struct(name, union);
    if (traced) return traced;
    const layout = this.#kernel.struct(name, union);
    return layout && { kind: "struct", name, union, layout: () => layout };
  }

  #layoutOf(key: string, definition: StructDefinition, cx: TypeNameContext): StructLayout {
    const known = this.#layouts.get(key);
    if (known) return known;
    this.#laying.add(key);
    const layout = this.#layFields(definition, cx);
    this.#laying.delete(key);
    this.#layouts.set(key, layout);
    return layout;
  }

  #layFields(definition: Omit<StructDefinition, "name">, cx: TypeNameContext): StructLayout {
    const fields: Field[] = [];
    let bits = 0;
    let size = 0;
    let align = 1;
    for (const field of definition.fields) {
      const inner = field.inline && this.#layFields(field.inline, cx);
      const type = this.#fieldType(field, inner, cx);
      if (!type) continue;
      const bytes = sizeOf(type);
      const fieldAlign = definition.packed ? 1 : alignOf(type);
      if (definition.union) bits = 0;
      if (field.bits !== undefined) {
        const unit = bytes * 8;
        if (field.bits === 0) {
          bits = roundUp(bits, unit);
          continue;
        }
        if (!definition.packed && Math.floor(bits / unit) !== Math.floor((bits + field.bits - 1) / unit))
          bits = roundUp(bits, unit);
        const storage = Math.floor(bits / unit) * bytes;
        if (field.name)
          fields.push({
            name: field.name,
            type,
            offset: storage,
            bit: { offset: bits - storage * 8, width: field.bits },
          });
        bits += field.bits;
      } else {
        bits = roundUp(bits, fieldAlign * 8);
        const offset = bits / 8;
        if (inner && !field.name)
          for (const member of inner.fields) fields.push({ ...member, offset: offset + member.offset });
        else fields.push({ name: field.name, type, offset });
        bits += bytes * 8;
      }
      align = Math.max(align, fieldAlign);
      size = Math.max(size, Math.ceil(bits / 8));
    }
    return { size: roundUp(size, align), align, fields };
  }

  #fieldType(field: CField, inner: StructLayout | undefined, cx: TypeNameContext): Type | undefined {
    if (!inner) return this.resolve(field.type, cx);
    const struct: Type = {
      kind: "struct",
      name: field.name || "(anonymous)",
      union: !!field.inline!.union,
      layout: () => inner,
    };
    return this.#modify(struct, field.type, cx);
  }

  /** The type that a name stands for; reports and gives undefined when there is none. */
  resolve(name: TypeName, cx: TypeNameContext): Type | undefined {
    const base = this.#base(name, cx);
    return base && this.#modify(base, name, cx);
  }

  #base(name: TypeName, cx: TypeNameContext): Type | undefined {
    if (name.typeof) {
      if (!("kind" in name.typeof)) return this.resolve(name.typeof, cx);
      return cx.typeOf(name.typeof);
    }
    const bare = name.base.replace(/^(struct|union|enum)\s+/, "");
    const tag = name.tag ?? (bare === name.base ? undefined : name.base.split(/\s+/)[0]);
    if (tag === "struct" || tag === "union") {
      const union = tag === "union";
      const definition = this.#structs.get(`${tag} ${bare}`);
      if (definition && !this.#laying.has(`${tag} ${bare}`)) this.#layoutOf(`${tag} ${bare}`, definition, cx);
      const found = this.struct(bare, union, cx.program);
      if (found) return found;
      if (name.modifiers[0]?.kind === "pointer" && this.#laying.size > 0)
        return { kind: "struct", name: bare, union, layout: () => EMPTY_LAYOUT };
      cx.report.error("unknown-type", name.span, `there is no ${tag} ${bare}`, {
        hint: cx.program?.problem
          ? `${cx.program.problem.message}; ${cx.program.problem.hint ?? "define it at the top of the script"}`
          : this.#kernel.hasBtf
            ? (didYouMean(bare, [
                ...[...this.#structs.values()].map((s) => s.name),
                ...this.#kernel.structNames(),
              ]) ?? "define it at the top of the script, or check its name: bpftool btf dump, or pahole")
            : "this kernel has no BTF: define the struct at the top of the script",
      });
      return undefined;
    }
    if (tag === "enum") {
      const traced = this.#enums.has(bare) ? undefined : cx.program?.enumNamed(bare);
      if (traced) return traced;
      const found = this.#enums.get(bare) ?? this.#kernel.enumNamed(bare);
      if (found) return { ...int(4, false), enum: found };
      cx.report.error("unknown-type", name.span, `there is no enum ${bare}`, {
        hint: didYouMean(bare, this.#enums.keys()),
      });
      return undefined;
    }
    const own = this.#typedefs.get(bare);
    if (own) return this.resolve(own, cx);
    if (bare === "string") return { kind: "string", size: cx.maxStrlen };
    if (bare === "buffer") return { kind: "buffer", size: cx.maxStrlen };
    const found =
      BASE_TYPES[bare] ??
      cInteger(bare) ??
      (this.#enums.has(bare) || this.#structs.has(`struct ${bare}`) ? undefined : cx.program?.named(bare)) ??
      this.#kernel.typeNamed(bare) ??
      (this.#enums.has(bare) ? ({ ...int(4, false), enum: this.#enums.get(bare) } as Type) : undefined) ??
      this.struct(bare, false) ??
      this.struct(bare, true);
    if (found) return found;
    cx.report.error("unknown-type", name.span, `there is no type ${bare}`, {
      hint: didYouMean(bare, [
        ...Object.keys(BASE_TYPES),
        ...this.#typedefs.keys(),
        ...[...this.#structs.values()].map((s) => s.name),
      ]),
    });
    return undefined;
  }

  /** `string[64]` and `buffer[256]` take the first length as their size. */
  #modify(base: Type, name: TypeName, cx: TypeNameContext): Type | undefined {
    let type = base;
    for (const [index, modifier] of name.modifiers.entries()) {
      if (modifier.kind === "pointer") {
        type = { kind: "pointer", to: type, space: cx.space };
        continue;
      }
      const length = modifier.length ? cx.constant(modifier.length) : 0n;
      if (length === undefined || length < 0n || length > 1n << 20n) {
        cx.report.error(
          "array-length",
          name.span,
          "an array's length is a constant that is not negative and at most 1048576",
        );
        return undefined;
      }
      if (index === 0 && (type.kind === "string" || type.kind === "buffer"))
        type = length > 0n ? { ...type, size: Number(length) } : type;
      else type = { kind: "array", of: type, length: Number(length) };
    }
    return type;
  }
}

const EMPTY_LAYOUT: StructLayout = { size: 0, align: 1, fields: [] };
