/** Expressions, as they stand in decltype, array bounds and template arguments. */
import { parseConversionType, parseEncoding, parseOperatorName } from "./names.ts";
import { type Node, sequence, text } from "./nodes.ts";
import { isDigit, Malformed, type Reader } from "./reader.ts";
import { LITERAL_SUFFIXES, NAMED_CASTS, OPERATORS } from "./tables.ts";
import { parseParameter, parseTemplateArguments, parseType } from "./types.ts";

/** An operand: names and lists stand alone, everything else in parentheses. */
function operand(node: Node): Node {
  const alone = node.kind === "text" || node.kind === "nested" || node.kind === "list";
  return alone ? node : sequence("(", node, ")");
}

function list(items: readonly Node[], open = "(", close = ")"): Node {
  return { kind: "list", items, open, close };
}

export function parseExpression(r: Reader): Node {
  return r.descend(() => readExpression(r));
}

function readExpression(r: Reader): Node {
  const first = r.peek();
  if (first === "L") return parseLiteral(r);
  if (first === "T") return parseParameter(r);
  if (isDigit(first)) return parseSimpleName(r);
  const code = r.two();
  r.at += 2;
  const special = FORMS[code];
  if (special) return special(r, code);
  const row = OPERATORS[code];
  if (row) return parseOperation(r, code, row[0], row[1]);
  throw new Malformed();
}

function parseOperation(r: Reader, code: string, symbol: string, shape: string): Node {
  switch (shape) {
    case "type":
      return sequence(symbol, "(", parseType(r), ")");
    case "prefix": {
      const of = parseExpression(r);
      // A member's address is written without its parameters.
      const bare =
        code === "ad" && of.kind === "encoding" && of.name.kind === "nested" && of.qualifiers === "";
      return sequence(symbol, operand(bare ? of.name : of));
    }
    case "postfix": {
      if (r.eat("_")) return sequence(symbol, operand(parseExpression(r)));
      return sequence(operand(parseExpression(r)), symbol);
    }
    case "infix": {
      const left = operand(parseExpression(r));
      const right = operand(parseExpression(r));
      // Within template arguments a bare ">" would end them.
      if (code === "gt") return sequence("(", left, symbol, right, ")");
      return sequence(left, symbol, right);
    }
  }
  throw new Malformed();
}

type Form = (r: Reader, code: string) => Node;

const FORMS: Readonly<Record<string, Form>> = {
  fp: (r) => {
    if (r.eat("T")) return text("this");
    r.eat("r");
    r.eat("V");
    r.eat("K");
    return text(`{parm#${r.index() + 1}}`);
  },
  fL: parseOuterOrFold,
  fl: parseFold,
  fr: parseFold,
  fR: parseFold,
  il: (r) =>
    list(
      r.until(() => parseExpression(r)),
      "{",
      "}",
    ),
  tl: (r) => {
    const type = parseType(r);
    return sequence(
      type,
      list(
        r.until(() => parseExpression(r)),
        "{",
        "}",
      ),
    );
  },
  sp: (r) => ({ kind: "expansion", of: parseExpression(r) }),
  sZ: (r) => ({ kind: "packSize", of: r.peek() === "T" ? parseParameter(r) : parseExpression(r) }),
  sP: (r) => {
    const items = r.until(() => parseType(r));
    return sequence("sizeof...", list(items));
  },
  sr: parseScoped,
  on: parseNamedOperator,
  dn: (r) => sequence("~", isDigit(r.peek()) ? parseSimpleName(r) : parseType(r)),
  gs: (r) => sequence("::", parseExpression(r)),
  cv: (r) => {
    const type = parseConversionType(r);
    if (r.eat("_")) return sequence("(", type, ")", list(r.until(() => parseExpression(r))));
    return sequence("(", type, ")", operand(parseExpression(r)));
  },
  cl: (r) => {
    const callee = operand(parseExpression(r));
    return sequence(callee, list(r.until(() => parseExpression(r))));
  },
  ix: (r) => {
    const array = operand(parseExpression(r));
    return sequence(array, "[", parseExpression(r), "]");
  },
  dt: (r) => {
    const object = operand(parseExpression(r));
    return sequence(object, ".", parseExpression(r));
  },
  pt: (r) => {
    const object = operand(parseExpression(r));
    return sequence(object, "->", parseExpression(r));
  },
  qu: (r) => {
    const condition = operand(parseExpression(r));
    const yes = operand(parseExpression(r));
    return sequence(condition, "?", yes, " : ", operand(parseExpression(r)));
  },
  tr: () => text("throw"),
  nw: parseNew,
  na: parseNew,
  nx: (r) => sequence("noexcept(", parseExpression(r), ")"),
  cc: parseNamedCast,
  dc: parseNamedCast,
  rc: parseNamedCast,
  sc: parseNamedCast,
};

function parseNamedCast(r: Reader, code: string): Node {
  const type = parseType(r);
  return sequence(`${NAMED_CASTS[code]}<`, type, ">", "(", parseExpression(r), ")");
}

function parseNew(r: Reader, code: string): Node {
  const placement: Node[] = [];
  while (!r.eat("_")) placement.push(parseExpression(r));
  const type = parseType(r);
  const words = code === "na" ? "new[] " : "new ";
  const parts: (string | Node)[] = [words];
  if (placement.length > 0) parts.push(list(placement), " ");
  parts.push(type);
  if (r.eat("pi")) parts.push(list(r.until(() => parseExpression(r))));
  else if (r.eat("il"))
    parts.push(
      list(
        r.until(() => parseExpression(r)),
        "{",
        "}",
      ),
    );
  else r.expect("E");
  return { kind: "sequence", parts };
}

/** "fL" is a left fold with a start value, or, before a digit, a parameter of a function further out. */
function parseOuterOrFold(r: Reader, code: string): Node {
  if (!isDigit(r.peek())) return parseFold(r, code);
  r.number();
  r.expect("p");
  while (/[rVK]/.test(r.peek())) r.next();
  return text(`{parm#${r.index() + 1}}`);
}

function parseFold(r: Reader, code: string): Node {
  const row = OPERATORS[r.two()];
  if (!row) throw new Malformed();
  r.at += 2;
  const symbol = row[0];
  const first = operand(parseExpression(r));
  if (code === "fl") return sequence("(...", symbol, first, ")");
  if (code === "fr") return sequence("(", first, symbol, "...)");
  const second = operand(parseExpression(r));
  return sequence("(", first, symbol, "...", symbol, second, ")");
}

function parseNamedOperator(r: Reader): Node {
  return withArguments(r, parseOperatorName(r));
}

function parseSimpleName(r: Reader): Node {
  return withArguments(r, text(r.identifier()));
}

function withArguments(r: Reader, name: Node): Node {
  return r.peek() === "I" ? { kind: "template", name, arguments: parseTemplateArguments(r) } : name;
}

function isBaseName(r: Reader, ahead: number): boolean {
  const code = r.peek(ahead) + r.peek(ahead + 1);
  return isDigit(code[0] ?? "") || code === "on" || code === "dn";
}

/** "sr": a name in a scope that depends on template parameters. Older compilers write no "E" before the last part. */
function parseScoped(r: Reader): Node {
  let scope: Node;
  if (isDigit(r.peek())) {
    scope = parseSimpleName(r);
    while (isDigit(r.peek())) {
      const name = parseSimpleName(r);
      scope = { kind: "nested", scope, name };
    }
    if (r.peek() === "E" && isBaseName(r, 1)) r.next();
    else if (!isBaseName(r, 0)) return scope;
  } else scope = parseType(r);
  let name: Node;
  if (isDigit(r.peek())) name = text(r.identifier());
  else if (r.eat("dn")) name = sequence("~", isDigit(r.peek()) ? text(r.identifier()) : parseType(r));
  else {
    r.eat("on");
    name = parseOperatorName(r);
  }
  return withArguments(r, { kind: "nested", scope, name });
}

/** "L" type value "E", or "L" and a whole mangled name. */
export function parseLiteral(r: Reader): Node {
  r.expect("L");
  if (r.eat("_Z") || r.peek() === "Z") {
    r.eat("Z");
    const encoding = parseEncoding(r);
    r.expect("E");
    return encoding;
  }
  const code = r.peek();
  const type = parseType(r);
  const negative = r.eat("n");
  const from = r.at;
  const end = r.text.indexOf("E", from);
  if (end < 0) throw new Malformed();
  r.at = end + 1;
  const digits = r.text.slice(from, end);
  if (!/^[\w.]*$/.test(digits)) throw new Malformed();
  const value = (negative ? "-" : "") + digits;
  const suffix = type.kind === "text" ? LITERAL_SUFFIXES[type.text] : undefined;
  if (digits === "") return type;
  if (suffix !== undefined) return sequence(value + suffix);
  if (code === "b" && (digits === "0" || digits === "1")) return sequence(digits === "1" ? "true" : "false");
  return sequence("(", type, ")", /[fdeg]/.test(code) ? `[${value}]` : value);
}
