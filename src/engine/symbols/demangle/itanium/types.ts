/** Types and template arguments. */
import { parseExpression, parseLiteral } from "./expressions.ts";
import { parseName, parseSubstitution, parseUnscoped } from "./names.ts";
import { type Node, sequence, text } from "./nodes.ts";
import { isDigit, Malformed, type Reader } from "./reader.ts";
import { BUILTIN_TYPES } from "./tables.ts";

const QUALIFIERS: Record<string, string> = { r: " restrict", V: " volatile", K: " const" };
const MARKS: Record<string, "*" | "&" | "&&"> = { P: "*", R: "&", O: "&&" };
const SUFFIXES: Record<string, string> = { C: " _Complex", G: " _Imaginary" };
const ELABORATED: Record<string, string> = { Ts: "struct ", Tu: "union ", Te: "enum " };

/** Qualifiers in the order in which they are written: innermost first. */
export function parseQualifiers(r: Reader): string[] {
  const found: string[] = [];
  while (QUALIFIERS[r.peek()]) found.unshift(QUALIFIERS[r.next()]);
  return found;
}

export function parseType(r: Reader): Node {
  return r.descend(() => readType(r));
}

function readType(r: Reader): Node {
  const first = r.peek();
  if (BUILTIN_TYPES[first]) return text(BUILTIN_TYPES[r.next()]);
  if (QUALIFIERS[first]) {
    const qualifiers = parseQualifiers(r);
    return r.remember({ kind: "qualified", of: parseType(r), qualifiers });
  }
  const mark = MARKS[first];
  if (mark) {
    r.next();
    return r.remember({ kind: "pointer", of: parseType(r), mark });
  }
  if (SUFFIXES[first]) {
    r.next();
    return r.remember({ kind: "qualified", of: parseType(r), qualifiers: [SUFFIXES[first]] });
  }
  if (isDigit(first) || first === "N" || first === "Z") return r.remember(parseName(r, false));
  switch (first) {
    case "A":
      return r.remember(parseArray(r));
    case "M": {
      r.next();
      const owner = parseType(r);
      return r.remember({ kind: "member", class: owner, of: parseType(r) });
    }
    case "F":
      return r.remember(parseFunction(r, ""));
    case "T":
      return parseParameterType(r);
    case "S":
      return parseSubstitutedType(r);
    case "U":
      return r.remember(parseVendorQualified(r));
    case "u": {
      r.next();
      const name = text(r.identifier());
      if (r.peek() !== "I") return r.remember(name);
      return r.remember({ kind: "template", name, arguments: parseTemplateArguments(r) });
    }
    case "D":
      return parseD(r);
  }
  throw new Malformed();
}

function parseArray(r: Reader): Node {
  r.expect("A");
  let dimension: Node | undefined;
  if (r.peek() !== "_") {
    const number = r.number();
    dimension = number === undefined ? parseExpression(r) : text(String(number));
  }
  r.expect("_");
  return { kind: "array", of: parseType(r), dimension };
}

/** From "F" on; `exception` is what a noexcept before it says. */
function parseFunction(r: Reader, exception: string): Node {
  r.expect("F");
  r.eat("Y");
  const returns = parseType(r);
  const parameters: Node[] = [];
  let qualifiers = "";
  for (;;) {
    if (r.eat("E")) break;
    if (r.eat("RE")) qualifiers = " &";
    else if (r.eat("OE")) qualifiers = " &&";
    else {
      parameters.push(parseType(r));
      continue;
    }
    break;
  }
  return { kind: "function", returns, parameters, qualifiers: qualifiers + exception };
}

export function parseParameter(r: Reader): Node {
  r.expect("T");
  return { kind: "parameter", index: r.index(), scope: r.scope, automatic: r.inLambda };
}

/** A template parameter, with arguments of its own when it is a template. */
function parseParameterType(r: Reader): Node {
  const words = ELABORATED[r.two()];
  if (words) {
    r.at += 2;
    return r.remember(sequence(words, parseName(r, false)));
  }
  const parameter = r.remember(parseParameter(r));
  if (r.peek() !== "I" || r.inConversion) return parameter;
  return r.remember({ kind: "template", name: parameter, arguments: parseTemplateArguments(r) });
}

function parseSubstitutedType(r: Reader): Node {
  if (r.peek(1) === "t") {
    const name = r.remember(parseUnscoped(r));
    if (r.peek() !== "I") return name;
    return r.remember({ kind: "template", name, arguments: parseTemplateArguments(r) });
  }
  const part = parseSubstitution(r);
  if (r.peek() !== "I") return part;
  return r.remember({ kind: "template", name: part, arguments: parseTemplateArguments(r) });
}

function parseVendorQualified(r: Reader): Node {
  r.expect("U");
  const name = text(r.identifier());
  const parts: (string | Node)[] =
    r.peek() === "I" ? [{ kind: "template", name, arguments: parseTemplateArguments(r) }] : [name];
  const of = parseType(r);
  return sequence(of, " ", ...parts);
}

function parseD(r: Reader): Node {
  const code = r.two();
  const builtin = BUILTIN_TYPES[code];
  if (builtin) {
    r.at += 2;
    return text(builtin);
  }
  r.at += 2;
  switch (code) {
    case "Dp":
      return r.remember({ kind: "expansion", of: parseType(r) });
    case "Dt":
    case "DT": {
      const expression = parseExpression(r);
      r.expect("E");
      return r.remember(sequence("decltype (", expression, ")"));
    }
    case "DF": {
      const bits = r.number();
      if (r.eat("b")) return text(bits === 16 ? "std::bfloat16_t" : `std::bfloat${bits}_t`);
      if (r.eat("x")) return text(`_Float${bits}x`);
      r.expect("_");
      return text(`_Float${bits}`);
    }
    case "DB":
    case "DU": {
      const bits = r.number();
      const size = bits === undefined ? parseExpression(r) : text(String(bits));
      r.expect("_");
      return sequence(code === "DU" ? "unsigned _BitInt(" : "_BitInt(", size, ")");
    }
    case "Dv": {
      const number = r.number();
      let size: Node;
      if (number !== undefined) size = text(String(number));
      else size = r.eat("_") ? parseExpression(r) : text("");
      if (number !== undefined || r.peek() === "_") r.expect("_");
      const of = parseType(r);
      return r.remember(sequence(of, " __vector(", size, ")"));
    }
    case "Dx":
      return r.remember(parseFunction(r, " transaction_safe"));
    case "Do":
      return r.remember(parseFunction(r, " noexcept"));
    case "DO": {
      parseExpression(r);
      r.expect("E");
      return r.remember(parseFunction(r, " noexcept"));
    }
    case "Dw":
      r.until(() => parseType(r));
      return r.remember(parseFunction(r, " throw"));
  }
  throw new Malformed();
}

export function parseTemplateArguments(r: Reader): Node[] {
  return r.descend(() => {
    r.expect("I");
    const { inConversion } = r;
    r.inConversion = false;
    const items = r.until(() => parseTemplateArgument(r));
    r.inConversion = inConversion;
    return items;
  });
}

function parseTemplateArgument(r: Reader): Node {
  switch (r.peek()) {
    case "X": {
      r.next();
      const expression = parseExpression(r);
      r.expect("E");
      return expression;
    }
    case "L":
      return parseLiteral(r);
    case "I":
    case "J":
      r.next();
      return { kind: "pack", items: r.until(() => r.descend(() => parseTemplateArgument(r))) };
    default:
      return parseType(r);
  }
}
