/**
 * C at the top of the script: preprocessor lines, struct, union, enum, typedef.
 *
 * A declarator is read inside out as C has it and stored left to right as the language has it: `int (*p)[4]` becomes
 * `int[4]*`. Functions behind pointers have no use here: they become `void`. A named struct inside another is a definition
 * of its own, too.
 */

import { tokenizeC } from "../../../syntax/lexer.ts";
import type { CDefinition, CField, Expression, TypeName } from "../ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseExpression } from "./expressions.ts";
import { parseArrayLength, parseBase, skipQualifiers } from "./types.ts";

/** What a preprocessor line says. Undefined: one that has no meaning here (#pragma, #error, #line). */
export function parseDirective(p: Cursor): CDefinition | undefined {
  const token = p.next();
  const span = p.tokenSpan(token);
  const line = token.text.replace(/\\\r?\n/g, " ");
  const match = /^#\s*([A-Za-z_]*)\s*([\s\S]*)$/.exec(line);
  const directive = match?.[1] ?? "";
  const rest = stripComments(match?.[2] ?? "");
  switch (directive) {
    case "include": {
      const path = /^(?:<([^>]+)>|"([^"]+)")/.exec(rest);
      if (!path) break;
      return { kind: "include", path: path[1] ?? path[2], system: path[1] !== undefined, span };
    }
    case "define": {
      const name = /^([A-Za-z_]\w*)(\(([^)]*)\))?\s*([\s\S]*)$/.exec(rest);
      if (!name) break;
      const body = name[4].trim();
      if (name[2] === undefined) {
        if (/^[-(0-9"~!]/.test(body)) p.valueDefines.add(name[1]);
        return { kind: "define", name: name[1], body, span };
      }
      const parameters = name[3].split(",").map((s) => s.trim());
      if (parameters.length === 1 && parameters[0] === "") parameters.pop();
      return { kind: "define", name: name[1], parameters, body, span };
    }
    case "undef": {
      const name = /^[A-Za-z_]\w*/.exec(rest);
      if (!name) break;
      return { kind: "undefine", name: name[0], span };
    }
    case "if":
    case "ifdef":
    case "ifndef":
    case "elif":
    case "else":
    case "endif":
      return { kind: "condition", directive, text: rest.trim(), span };
    case "pragma":
    case "error":
    case "warning":
    case "line":
    case "":
      return undefined;
  }
  const known = "as in #include <linux/path.h> or #define NAME value";
  p.error("syntax", span, `this is no complete preprocessor line: #${directive}`, known);
  return undefined;
}

/** A line's comments, but not what looks like one inside a string. */
function stripComments(text: string): string {
  if (!text.includes("/*") && !text.includes("//")) return text;
  let result = "";
  let from = 0;
  for (const token of tokenizeC(text)) {
    if (token.kind !== "comment") continue;
    result += `${text.slice(from, token.start)} `;
    from = token.end;
  }
  return result + text.slice(from);
}

interface Specifier {
  type: TypeName;
  inline?: NonNullable<CField["inline"]>;
}

/** `struct x {…};`, `enum x {…};`, `typedef …;` at the cursor. */
export function parseDefinition(p: Cursor, out: CDefinition[]): void {
  const { start } = p.peek();
  const typedef = p.acceptWord("typedef");
  const before = out.length;
  const specifier = parseSpecifier(p, out, typedef ? undefined : "definition");
  if (p.panicking) return;
  if (!typedef) {
    if (out.length === before && !p.at(";")) {
      p.unexpected(`expected '{' after '${specifier.type.base}'`);
      return;
    }
    skipAttributes(p);
    p.accept(";");
    return;
  }
  do {
    const declared = parseDeclarator(p, specifier.type);
    if (!declared.name) {
      p.unexpected("expected the new type's name");
      return;
    }
    const { inline } = specifier;
    if (inline && specifier.type.base === specifier.type.tag) {
      // An anonymous struct is known by its typedef.
      const name = declared.name;
      out.push({ kind: "struct", name, ...inline, span: p.span(start) });
      specifier.type = { ...specifier.type, base: `${specifier.type.tag} ${name}` };
      declared.type = { ...declared.type, base: specifier.type.base };
    }
    out.push({ kind: "typedef", name: declared.name, type: declared.type, span: p.span(start) });
  } while (p.accept(","));
  skipAttributes(p);
  p.expect(";", "after the typedef");
}

/** What stands before the declarators. Definitions met on the way go to `out`. */
function parseSpecifier(p: Cursor, out: CDefinition[], purpose?: "definition"): Specifier {
  const { start } = p.peek();
  skipQualifiers(p);
  skipAttributes(p);
  const type: TypeName = { base: "", modifiers: [], span: p.span(start) };
  const word = p.peek();
  if (word.kind === "word" && /^(?:struct|union|enum)$/.test(word.text)) {
    p.next();
    let packed = skipAttributes(p);
    const tag = word.text as "struct" | "union" | "enum";
    const name = p.atWord() ? p.next().text : "";
    packed = skipAttributes(p) || packed;
    type.tag = tag;
    type.base = name ? `${tag} ${name}` : tag;
    if (p.at("{")) {
      if (tag === "enum") {
        const values = parseEnumerators(p);
        skipAttributes(p);
        out.push({ kind: "enum", name, values, span: p.span(start) });
        if (!name) {
          type.base = "unsigned int";
          delete type.tag;
        }
        type.span = p.span(start);
        return { type };
      }
      const fields = parseFields(p, out);
      packed = skipAttributes(p) || packed;
      const union = tag === "union";
      type.span = p.span(start);
      if (name || purpose === "definition") {
        out.push({ kind: "struct", name, union, fields, packed, span: p.span(start) });
      }
      skipQualifiers(p);
      return { type, inline: { union, fields, packed } };
    }
    if (!name) p.unexpected(`expected a name or '{' after '${tag}'`);
  } else {
    parseBase(p, type);
  }
  skipQualifiers(p);
  skipAttributes(p);
  type.span = p.span(start);
  return { type };
}

function parseEnumerators(p: Cursor): { name: string; value?: Expression; span: CField["span"] }[] {
  const values: { name: string; value?: Expression; span: CField["span"] }[] = [];
  p.next();
  while (!p.at("}") && !p.atBoundary()) {
    const name = p.peek();
    if (name.kind !== "word") {
      p.unexpected("expected a constant's name");
      return values;
    }
    p.next();
    const entry: (typeof values)[number] = { name: name.text, span: p.tokenSpan(name) };
    if (p.accept("=")) entry.value = parseExpression(p);
    if (p.panicking) return values;
    values.push(entry);
    p.valueDefines.add(name.text);
    if (!p.accept(",")) break;
  }
  p.expect("}", "to close the enum");
  return values;
}

/** The body of a struct, braces included. A field that can't be read is reported and left out. */
export function parseFields(p: Cursor, out: CDefinition[]): CField[] {
  return p.nested(
    () => {
      const fields: CField[] = [];
      const open = p.next();
      while (!p.at("}") && !p.atBoundary()) {
        if (p.accept(";")) continue;
        const start = p.position;
        parseField(p, out, fields);
        if (p.panicking) skipField(p);
        if (p.position === start) p.skipBalanced();
        if (p.position === start) break;
      }
      if (!p.accept("}")) {
        p.error("syntax", p.tokenSpan(open), "expected '}' to close the definition");
        p.panicking = true;
      }
      return fields;
    },
    () => [],
  );
}

function skipField(p: Cursor): void {
  p.panicking = false;
  while (!p.at("}") && !p.atBoundary() && !p.accept(";")) p.skipBalanced();
}

function parseField(p: Cursor, out: CDefinition[], fields: CField[]): void {
  const { start } = p.peek();
  const specifier = parseSpecifier(p, out);
  const { inline, type } = specifier;
  if (p.panicking) return;
  if (p.accept(";")) {
    // A struct without declarator: its fields belong to the outer one, if it has no name of its own either.
    if (inline && type.base === type.tag) fields.push({ name: "", type, inline, span: p.span(start) });
    return;
  }
  do {
    const declared = parseDeclarator(p, type);
    const field: CField = { name: declared.name, type: declared.type, span: p.span(start) };
    if (inline) field.inline = inline;
    if (p.accept(":")) {
      const bits = parseExpression(p);
      if (bits.kind === "integer") field.bits = Number(bits.value);
      else p.error("syntax", bits.span, "a bit-field's width is a number");
    } else if (!declared.name) {
      p.unexpected("expected a field's name");
    }
    skipAttributes(p);
    if (p.panicking) return;
    if (field.name || field.bits !== undefined) fields.push(field);
  } while (p.accept(","));
  // As C compilers do, the last field may go without.
  if (!p.at("}")) p.expect(";", "after the field");
}

/** `*name`, `name[4]`, `(*name)(int)`, `(*name)[4]`: the name, and the type with the modifiers put on. */
function parseDeclarator(p: Cursor, base: TypeName): { name: string; type: TypeName } {
  return p.nested(
    () => {
      const { start } = p.peek();
      const modifiers = [...base.modifiers];
      for (;;) {
        skipQualifiers(p);
        skipAttributes(p);
        if (!p.accept("*")) break;
        modifiers.push({ kind: "pointer" });
      }
      let type: TypeName = { ...base, modifiers };
      let name = "";
      let inner: number | undefined;
      if (p.at("(") && (p.at("*", 1) || p.at("(", 1))) {
        inner = p.position;
        p.skipBalanced();
      } else if (p.atWord()) {
        name = p.next().text;
      }
      const arrays: TypeName["modifiers"] = [];
      while (p.at("[") && !p.panicking) arrays.push(parseArrayLength(p));
      // C's `int a[2][3]` is an array of 2 arrays of 3: as written left to right, the last comes first.
      type = { ...type, modifiers: [...type.modifiers, ...arrays.reverse()] };
      if (p.at("(")) {
        p.skipBalanced();
        type = { base: "void", modifiers: [], span: type.span };
      }
      if (inner !== undefined && !p.panicking) {
        const after = p.position;
        p.reset(inner);
        p.next();
        const declared = parseDeclarator(p, type);
        p.reset(after);
        return declared;
      }
      return { name, type: { ...type, span: p.span(Math.min(start, base.span.start)) } };
    },
    () => ({ name: "", type: base }),
  );
}

/** Skips `__attribute__((…))`, `__aligned(…)` and their kind; true when one of them packs. */
export function skipAttributes(p: Cursor): boolean {
  let packed = false;
  for (;;) {
    if (p.atWord("__attribute__") || p.atWord("__attribute")) {
      const word = p.next();
      if (!p.at("(") || !p.at("(", 1)) {
        p.error("syntax", p.tokenSpan(word), "expected '((' after __attribute__");
        return packed;
      }
      const start = p.position;
      p.skipBalanced();
      if (p.previous()?.text !== ")") {
        p.error("syntax", p.tokenSpan(word), "expected '))' to close __attribute__");
      }
      for (let at = p.position; at > start; at--) {
        const token = p.peek(at - p.position);
        if (token.kind === "word" && /^(?:__)?packed(?:__)?$/.test(token.text)) packed = true;
      }
    } else if (p.atWord("__packed")) {
      p.next();
      packed = true;
    } else return packed;
  }
}
