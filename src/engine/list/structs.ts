/** Kernel structs, unions and enums by pattern: their names, or their declarations as C writes them. */
import { type Btf, type BtfType, loadVmlinux } from "libbpf-ts";
import { wildcard } from "../compile/probes/wildcard.ts";
import { eachModule } from "./modules.ts";

type Composite = Extract<BtfType, { kind: "struct" | "union" }>;
type Enumeration = Extract<BtfType, { kind: "enum" | "enum64" }>;

const KEYWORDS = ["struct", "union", "enum"] as const;

/** Whether a pattern asks for types: "struct task_*". */
export const isTypePattern = (pattern: string): boolean => /^(struct|union|enum)\s/.test(pattern);

/** "int x[4]", "struct list_head *next", "void (*fn)(int)". */
function declarator(btf: Btf, typeId: number, name: string, indent: string): string {
  const type = btf.typeById(typeId);
  if (type.kind === "array") return declarator(btf, type.type, `${name}[${type.count}]`, indent);
  if ((type.kind === "struct" || type.kind === "union") && type.name === "") {
    return `${compositeText(btf, type, indent)}${name && ` ${name}`}`;
  }
  if (type.kind === "ptr") {
    const target = btf.typeById(type.type);
    if (target.kind === "func_proto") {
      const parameters = target.params.map((p) => (p.type ? btf.typeName(p.type) : "..."));
      return `${btf.typeName(target.returns)} (*${name})(${parameters.join(", ") || "void"})`;
    }
    if (target.kind === "array") return declarator(btf, type.type, `(*${name})`, indent);
  }
  const text = btf.typeName(typeId);
  return `${text}${text.endsWith("*") ? "" : " "}${name}`;
}

function compositeText(btf: Btf, type: Composite, indent = ""): string {
  const inner = `${indent}\t`;
  const members = type.members.map((member) => {
    const bits = member.bitSize ? `:${member.bitSize}` : "";
    return `${inner}${declarator(btf, member.type, member.name, inner)}${bits};\n`;
  });
  return `${type.kind}${type.name && ` ${type.name}`} {\n${members.join("")}${indent}}`;
}

const enumText = (type: Enumeration): string =>
  `enum${type.name && ` ${type.name}`} {\n${type.values.map(({ name, value }) => `\t${name} = ${value},\n`).join("")}}`;

type Keyword = (typeof KEYWORDS)[number];

/** Named types of a kind: id and name. */
function* namedTypes(btf: Btf, kind: Keyword): Iterable<[id: number, name: string]> {
  for (const one of kind === "enum" ? (["enum", "enum64"] as const) : [kind]) {
    for (const id of btf.idsOfKind(one)) {
      const name = btf.name(id);
      if (name !== "") yield [id, name];
    }
  }
}

function definition(btf: Btf, kind: Keyword, id: number): string {
  const type = btf.typeById(id);
  return `${kind === "enum" ? enumText(type as Enumeration) : compositeText(btf, type as Composite)};`;
}

/** "struct task_*" → the keyword and the pattern of names. */
function parsePattern(pattern: string): { kind: Keyword | undefined; name: string } {
  const [keyword, name = "*"] = pattern.split(/\s+/);
  return { kind: KEYWORDS.find((word) => word === keyword), name };
}

/**
 * Types that match "struct NAME", with wildcards, of the kernel and its modules; `verbose`: as C declares them, behind the
 * name of the object they are in.
 */
export function listTypes(pattern: string, verbose: boolean): string[] {
  const { kind, name: wanted } = parsePattern(pattern);
  if (!kind) return [];
  const wants = wildcard(wanted);
  const texts = new Map<string, string>();
  for (const [module, btf] of [["vmlinux", loadVmlinux()] as const, ...eachModule()]) {
    for (const [id, name] of namedTypes(btf, kind)) {
      if (!wants(name)) continue;
      const text = verbose ? definition(btf, kind, id) : `${kind} ${name}`;
      if (!texts.has(text)) texts.set(text, verbose ? `${module}: ${text}` : text);
    }
  }
  return [...texts.values()].sort();
}

/** Names of the kernel's own types of the pattern's kind. */
export function typeNames(pattern: string): { kind: string; name: string; names: string[] } {
  const { kind = "struct", name } = parsePattern(pattern);
  return { kind, name, names: Array.from(namedTypes(loadVmlinux(), kind), ([, each]) => each) };
}
