/** Trees as short text, so that tests can be rows: `a + b * c` is `(+ a (* b c))`. */
import type {
  Block,
  CDefinition,
  CField,
  Expression,
  Script,
  Statement,
  TypeArgument,
  TypeName,
} from "../ast.ts";

export function sketchScript(script: Script): string {
  return [
    ...script.definitions.map(sketchDefinition),
    ...script.config.map((c) => `config{${c.entries.map((e) => `${e.name}=${String(e.value)}`).join(" ")}}`),
    ...script.imports.map((i) => `import ${i.path}`),
    ...script.mapDeclarations.map((m) => `${m.name}=${m.mapType}(${m.arguments.map(sketch).join(" ")})`),
    ...script.macros.map(
      (m) => `macro ${m.name}(${m.parameters.map((p) => p.name).join(" ")}) ${sketchBlock(m.body)}`,
    ),
    ...script.actions.map((a) => {
      const probes = a.probes.map(
        (p) => `${p.label ? `${p.label}=` : ""}${[p.provider, ...p.parts].join("|")}`,
      );
      return `${probes.join(",")}${a.predicate ? ` /${sketch(a.predicate)}/` : ""} ${sketchBlock(a.body)}`;
    }),
  ].join("\n");
}

export function sketchBlock(block: Block): string {
  const parts = block.statements.map((s) => `${sketchStatement(s)};`);
  if (block.result) parts.push(sketch(block.result));
  return `{${parts.join(" ")}}`;
}

export function sketchStatement(s: Statement): string {
  switch (s.kind) {
    case "expression":
      return sketch(s.expression);
    case "discard":
      return `_ = ${sketch(s.expression)}`;
    case "assign":
      return `${sketch(s.target)} ${s.operator} ${sketch(s.value)}`;
    case "let":
      return `let ${s.name}${s.type ? `:${sketchType(s.type)}` : ""}${s.value ? ` = ${sketch(s.value)}` : ""}`;
    case "if": {
      const otherwise = s.else ? ` else ${sketchBlock(s.else)}` : "";
      return `if${s.comptime ? " comptime" : ""} ${sketch(s.condition)} ${sketchBlock(s.then)}${otherwise}`;
    }
    case "unroll":
      return `unroll ${sketch(s.count)} ${sketchBlock(s.body)}`;
    case "while":
      return `while ${sketch(s.condition)} ${sketchBlock(s.body)}`;
    case "for-range":
      return `for ${s.variable} ${sketch(s.start)}..${sketch(s.end)} ${sketchBlock(s.body)}`;
    case "for-map":
      return `for ${s.variable} ${sketch(s.map)} ${sketchBlock(s.body)}`;
    case "block":
      return sketchBlock(s.body);
    case "return":
      return s.value ? `return ${sketch(s.value)}` : "return";
    default:
      return s.kind;
  }
}

export function sketch(e: Expression | TypeArgument): string {
  switch (e.kind) {
    case "type":
      return `<${sketchType(e.type)}>`;
    case "integer":
      return String(e.value);
    case "string":
      return JSON.stringify(e.value);
    case "boolean":
      return String(e.value);
    case "identifier":
    case "variable":
      return e.name;
    case "positional":
      return e.index < 0 ? "$#" : `$${e.index}`;
    case "map":
      return e.key ? `${e.name}[${sketch(e.key)}]` : e.name;
    case "call":
      return `${e.name}(${e.arguments.map(sketch).join(" ")})`;
    case "unary":
      return `(${e.operator} ${sketch(e.operand)})`;
    case "increment":
      return e.prefix ? `(${e.operator}_ ${sketch(e.target)})` : `(_${e.operator} ${sketch(e.target)})`;
    case "binary":
      return `(${e.operator} ${sketch(e.left)} ${sketch(e.right)})`;
    case "ternary":
      return `(? ${sketch(e.condition)} ${sketch(e.then)} ${sketch(e.else)})`;
    case "cast":
      return `(<${sketchType(e.type)}> ${sketch(e.operand)})`;
    case "field":
      return `${sketch(e.base)}${e.arrow ? "->" : "."}${e.name}`;
    case "index":
      return `${sketch(e.base)}[${sketch(e.index)}]`;
    case "tuple":
      return `tuple(${e.elements.map(sketch).join(" ")})`;
    case "record":
      return `record(${e.fields.map((f) => `${f.name}=${sketch(f.value)}`).join(" ")})`;
    case "sizeof":
      return `sizeof(${sketch(e.of)})`;
    case "offsetof":
      return `offsetof(${sketch(e.of)} ${e.path.join(".")})`;
    case "block":
      return sketchBlock(e.body);
    case "if-expression":
      return `if ${sketch(e.condition)} ${sketchBlock(e.then)}${e.else ? ` else ${sketchBlock(e.else)}` : ""}`;
    case "error":
      return "error";
  }
}

export function sketchType(type: TypeName): string {
  const base = type.typeof
    ? `typeof(${"kind" in type.typeof ? sketch(type.typeof) : sketchType(type.typeof)})`
    : type.base;
  const modifiers = type.modifiers.map((m) =>
    m.kind === "pointer" ? "*" : `[${m.length ? sketch(m.length) : ""}]`,
  );
  return base + modifiers.join("");
}

export function sketchDefinition(d: CDefinition): string {
  switch (d.kind) {
    case "include":
      return `include ${d.system ? `<${d.path}>` : `"${d.path}"`}`;
    case "define":
      return `define ${d.name}${d.parameters ? `(${d.parameters.join(",")})` : ""} ${d.body}`;
    case "undefine":
      return `undef ${d.name}`;
    case "condition":
      return `#${d.directive} ${d.text}`.trim();
    case "typedef":
      return `typedef ${sketchType(d.type)} ${d.name}`;
    case "enum":
      return `enum ${d.name}{${d.values.map((v) => (v.value ? `${v.name}=${sketch(v.value)}` : v.name)).join(" ")}}`;
    case "struct":
      return `${d.packed ? "packed " : ""}${d.union ? "union" : "struct"} ${d.name}{${sketchFields(d.fields)}}`;
  }
}

function sketchFields(fields: CField[]): string {
  return fields
    .map((f) => {
      const inline = f.inline ? `{${sketchFields(f.inline.fields)}}` : "";
      return `${sketchType(f.type)}${inline} ${f.name}${f.bits === undefined ? "" : `:${f.bits}`}`.trim();
    })
    .join("; ");
}
