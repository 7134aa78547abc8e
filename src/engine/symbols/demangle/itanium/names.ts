/** Names: of functions, variables, scopes, operators, lambdas, and the compiler's own tables. */
import { parseExpression } from "./expressions.ts";
import { type Node, sequence, text } from "./nodes.ts";
import { isDigit, Malformed, type Reader } from "./reader.ts";
import { OPERATORS, SPECIAL, STANDARD } from "./tables.ts";
import { parseParameter, parseQualifiers, parseTemplateArguments, parseType } from "./types.ts";

const LOWER = /^[a-z]/;

/** <encoding>: a function with its parameters, a variable, or a special name. `T_` in it means its own arguments. */
export function parseEncoding(r: Reader): Node {
  return r.descend(() => {
    if (/^(?:T[^_0-9]|G[A-Z])/.test(r.two())) return parseSpecial(r);
    const outer = r.scope;
    r.scope = { outer };
    const encoding = readEncoding(r);
    // A name within a function may speak of the function's template arguments.
    outer.arguments ??= r.scope.arguments;
    r.scope = outer;
    return encoding;
  });
}

function readEncoding(r: Reader): Node {
  const holder: { qualifiers: string } = { qualifiers: "" };
  const name = parseName(r, true, holder);
  if (r.done || r.peek() === "E" || r.peek() === ".") {
    return holder.qualifiers === ""
      ? name
      : { kind: "encoding", name, parameters: [], qualifiers: holder.qualifiers };
  }
  const returns = tellsReturnType(name) ? parseType(r) : undefined;
  const parameters: Node[] = [];
  while (!r.done && r.peek() !== "E" && r.peek() !== ".") parameters.push(parseType(r));
  if (parameters.length === 0) throw new Malformed();
  return { kind: "encoding", name, returns, parameters, qualifiers: holder.qualifiers };
}

/** Templates do, except constructors, destructors and conversions. */
function tellsReturnType(name: Node): boolean {
  let last = name;
  for (;;) {
    if (last.kind === "nested" || last.kind === "local") last = last.name;
    else if (last.kind === "template") {
      let inner = last.name;
      while (inner.kind === "nested" || inner.kind === "local" || inner.kind === "tagged") {
        inner = inner.kind === "tagged" ? inner.of : inner.name;
      }
      return inner.kind !== "constructor" && inner.kind !== "conversion";
    } else return false;
  }
}

function parseCallOffset(r: Reader): void {
  const kind = r.next();
  if (kind !== "h" && kind !== "v") throw new Malformed();
  r.skipSigned();
  r.expect("_");
  if (kind === "v") {
    r.skipSigned();
    r.expect("_");
  }
}

function parseSpecial(r: Reader): Node {
  const code = r.two();
  r.at += 2;
  const row = SPECIAL[code];
  if (row) {
    const [words, of] = row;
    if (of === "type") return sequence(words, parseType(r));
    return sequence(words, of === "name" ? parseName(r, false) : parseEncoding(r));
  }
  switch (code) {
    case "Th":
    case "Tv":
      r.at--;
      parseCallOffset(r);
      return sequence(code === "Th" ? "non-virtual thunk to " : "virtual thunk to ", parseEncoding(r));
    case "Tc":
      parseCallOffset(r);
      parseCallOffset(r);
      return sequence("covariant return thunk to ", parseEncoding(r));
    case "TC": {
      const derived = parseType(r);
      r.number();
      r.expect("_");
      return sequence("construction vtable for ", parseType(r), "-in-", derived);
    }
    case "TA": {
      const parameter = r.peek() === "L" || r.peek() === "X" ? parseArgumentObject(r) : parseType(r);
      return sequence("template parameter object for ", parameter);
    }
    case "GR": {
      const name = parseName(r, false);
      return sequence(`reference temporary #${r.done ? 0 : r.sequenceId()} for `, name);
    }
    case "GT": {
      const kind = r.next();
      const words = kind === "n" ? "non-transaction clone for " : "transaction clone for ";
      return sequence(words, parseEncoding(r));
    }
    case "GI":
      return sequence("initializer for module ", text(r.eat("W") ? r.identifier() : ""));
  }
  throw new Malformed();
}

function parseArgumentObject(r: Reader): Node {
  if (!r.eat("X")) return parseExpression(r);
  const expression = parseExpression(r);
  r.expect("E");
  return expression;
}

/**
 * <name>. `ofEncoding`: its template arguments are what T_ stands for. `holder` takes the qualifiers of a member
 * function.
 */
export function parseName(r: Reader, ofEncoding: boolean, holder?: { qualifiers: string }): Node {
  return r.descend(() => {
    const first = r.peek();
    if (first === "N") return parseNested(r, ofEncoding, holder);
    if (first === "Z") return parseLocal(r, holder);
    let name: Node;
    if (first === "S" && r.peek(1) !== "t") {
      name = parseSubstitution(r);
      if (r.peek() !== "I") return name;
    } else {
      name = parseUnscoped(r);
      if (r.peek() !== "I") return name;
      r.remember(name);
    }
    return withArguments(r, name, ofEncoding);
  });
}

function withArguments(r: Reader, name: Node, ofEncoding: boolean): Node {
  const given = parseTemplateArguments(r);
  if (ofEncoding) r.scope.arguments = given;
  return { kind: "template", name, arguments: given };
}

export function parseUnscoped(r: Reader): Node {
  if (!r.eat("St")) return parseUnqualified(r, undefined);
  return { kind: "nested", scope: text("std"), name: parseUnqualified(r, undefined) };
}

function parseNested(r: Reader, ofEncoding: boolean, holder?: { qualifiers: string }): Node {
  r.expect("N");
  r.eat("H");
  let qualifiers = parseQualifiers(r).join("");
  if (r.eat("R")) qualifiers += " &";
  else if (r.eat("O")) qualifiers += " &&";
  if (holder) holder.qualifiers = qualifiers;
  let soFar: Node | undefined;
  let remembered = false;
  while (!r.eat("E")) {
    const first = r.peek();
    remembered = true;
    if (first === "T") {
      if (soFar) throw new Malformed();
      soFar = r.remember(parseParameter(r));
    } else if (first === "I") {
      if (!soFar) throw new Malformed();
      soFar = r.remember(withArguments(r, soFar, ofEncoding));
    } else if (first === "D" && /[tT]/.test(r.peek(1))) {
      if (soFar) throw new Malformed();
      soFar = parseType(r);
    } else if (first === "S") {
      if (soFar) throw new Malformed();
      remembered = false;
      soFar = r.eat("St") ? text("std") : parseSubstitution(r);
    } else if (first === "M") {
      if (!soFar) throw new Malformed();
      r.next();
    } else {
      const name = parseUnqualified(r, soFar);
      soFar = r.remember(soFar ? { kind: "nested", scope: soFar, name } : name);
    }
  }
  if (!soFar || !remembered) throw new Malformed();
  // The whole is remembered by who reads it as a type, not as a name.
  r.substitutions.pop();
  return soFar;
}

function skipDiscriminator(r: Reader): void {
  if (!r.eat("_")) return;
  if (r.eat("_")) {
    r.number();
    r.expect("_");
  } else if (isDigit(r.peek())) r.next();
}

/** Something declared within a function. */
function parseLocal(r: Reader, holder?: { qualifiers: string }): Node {
  r.expect("Z");
  const within = parseEncoding(r);
  r.expect("E");
  if (r.eat("s")) {
    skipDiscriminator(r);
    return { kind: "local", function: within, name: text("string literal") };
  }
  if (r.eat("d")) {
    const number = r.index() + 1;
    const name = parseName(r, true, holder);
    return {
      kind: "local",
      function: { kind: "local", function: within, name: text(`{default arg#${number}}`) },
      name,
    };
  }
  const name = parseName(r, true, holder);
  skipDiscriminator(r);
  return { kind: "local", function: within, name };
}

/** S_, S0_, … or one of the standard library's abbreviations. */
export function parseSubstitution(r: Reader): Node {
  r.expect("S");
  const standard = STANDARD[r.peek()];
  if (!standard) return r.recall(r.sequenceId());
  r.next();
  const [full, bare] = standard;
  const name: Node = { kind: "nested", scope: text("std"), name: { kind: "text", text: full, bare } };
  return r.peek() === "B" ? r.remember(parseTags(r, name)) : name;
}

function parseTags(r: Reader, name: Node): Node {
  let tagged = name;
  while (r.eat("B")) tagged = { kind: "tagged", of: tagged, tag: r.identifier() };
  return tagged;
}

function parseUnqualified(r: Reader, scope: Node | undefined): Node {
  return parseTags(r, readUnqualified(r, scope));
}

function readUnqualified(r: Reader, scope: Node | undefined): Node {
  r.eat("L");
  const first = r.peek();
  if (isDigit(first)) return text(r.identifier());
  if (first === "C" || (first === "D" && /[0-5]/.test(r.peek(1)))) return parseConstructor(r, scope);
  if (r.eat("DC")) {
    const names = r.until(() => r.identifier());
    return text(`[${names.join(", ")}]`);
  }
  if (r.eat("Ut")) return text(`{unnamed type#${r.index() + 1}}`);
  if (r.eat("Ul")) {
    const outer = r.inLambda;
    r.inLambda = true;
    const parameters = r.until(() => parseType(r));
    r.inLambda = outer;
    return { kind: "lambda", parameters, number: r.index() + 1 };
  }
  if (LOWER.test(first)) return parseOperatorName(r);
  throw new Malformed();
}

function parseConstructor(r: Reader, scope: Node | undefined): Node {
  if (!scope) throw new Malformed();
  const destructor = r.next() === "D";
  const inheriting = !destructor && r.eat("I");
  if (!isDigit(r.peek())) throw new Malformed();
  r.next();
  if (inheriting) parseType(r);
  return { kind: "constructor", name: baseName(scope), destructor };
}

/** What a constructor of a scope is called. */
function baseName(scope: Node): Node {
  switch (scope.kind) {
    case "nested":
      // A type without a name: the binutils take the name around it.
      if (scope.name.kind === "text" && scope.name.text.startsWith("{")) return baseName(scope.scope);
      return baseName(scope.name);
    case "local":
      return baseName(scope.name);
    case "template":
      return baseName(scope.name);
    case "tagged":
      return baseName(scope.of);
    case "text":
      return text(scope.bare ?? scope.text);
    default:
      return scope;
  }
}

export function parseConversionType(r: Reader): Node {
  const outer = r.inConversion;
  r.inConversion = true;
  const type = parseType(r);
  r.inConversion = outer;
  return type;
}

/** "operator+", "operator new", "operator int", "operator"" _s". */
export function parseOperatorName(r: Reader): Node {
  const code = r.two();
  if (code === "cv") {
    r.at += 2;
    return { kind: "conversion", type: parseConversionType(r) };
  }
  if (code === "li") {
    r.at += 2;
    return text(`operator"" ${r.identifier()}`);
  }
  if (code[0] === "v" && isDigit(code[1] ?? "")) {
    r.at += 2;
    return text(`operator ${r.identifier()}`);
  }
  const row = OPERATORS[code];
  if (!row) throw new Malformed();
  r.at += 2;
  const symbol = row[0].trimEnd();
  return text(LOWER.test(symbol) ? `operator ${symbol}` : `operator${symbol}`);
}
