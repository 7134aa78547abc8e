/** Kernel structs, unions and enums by pattern: their names, or their declarations as C writes them. */
import { type Btf, type BtfType, loadVmlinux } from "libbpf-ts";
import { wildcard } from "../compile/probes/wildcard.ts";

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

/** Types that match "struct NAME", with wildcards. */
export function listTypes(pattern: string, verbose: boolean): string[] {
  const [keyword, name = "*"] = pattern.split(/\s+/);
  const kind = KEYWORDS.find((word) => word === keyword);
  if (!kind) return [];
  const btf = loadVmlinux();
  const wants = wildcard(name);
  const ids = [...btf.idsOfKind(kind), ...(kind === "enum" ? btf.idsOfKind("enum64") : [])];
  const found = ids.filter((id) => btf.name(id) !== "" && wants(btf.name(id)));
  const texts = found.map((id) => {
    if (!verbose) return `${kind} ${btf.name(id)}`;
    const type = btf.typeById(id);
    const text = kind === "enum" ? enumText(type as Enumeration) : compositeText(btf, type as Composite);
    return `vmlinux: ${text};`;
  });
  return [...new Set(texts)].sort();
}
