/** The script as a whole: definitions, config, imports, map declarations, macros, actions, in whatever state they are. */
import { type Token, tokenize } from "../../../syntax/lexer.ts";
import type {
  ActionBlock,
  ConfigBlock,
  FunctionDefinition,
  Macro,
  MapDeclaration,
  ProbeSpec,
  Script,
} from "../ast.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { Cursor } from "./cursor.ts";
import { parseDefinition, parseDirective, skipAttributes } from "./definitions.ts";
import { describe, parseExpression, parseStringToken } from "./expressions.ts";
import { parseNumber } from "./literals.ts";
import { probeSpec } from "./probe-spec.ts";
import { asStatements, parseBlock } from "./statements.ts";
import { isBuiltinName, parseType } from "./types.ts";

export interface ParseResult {
  script: Script;
  diagnostics: Diagnostic[];
  /** All of them, comments too. */
  tokens: Token[];
}

export const emptyScript = (span: Script["span"]): Script => ({
  definitions: [],
  config: [],
  imports: [],
  mapDeclarations: [],
  macros: [],
  functions: [],
  actions: [],
  span,
});

/** Parses a script in any state. Never throws; broken parts are error nodes, each with a diagnostic. */
export function parseScript(source: string, file?: number): ParseResult {
  const tokens = tokenize(source);
  const p = new Cursor(
    tokens.filter((token) => token.kind !== "comment"),
    file,
  );
  for (const token of tokens) {
    if (token.kind === "comment" && token.unterminated) {
      p.error("syntax", p.span(token.start, token.start + 2), "the comment is not closed", "end it with */");
      p.swallowed = true;
    }
  }
  const script = emptyScript(p.span(0, source.length));
  parseItems(p, script);
  script.imports.push(...p.innerImports);
  return { script, diagnostics: p.diagnostics.list, tokens };
}

/** How far the script has come: what belongs further up is reported. */
type Section = "definitions" | "settings" | "body";

function parseItems(p: Cursor, script: Script): void {
  if (p.peek().kind === "shebang") p.next();
  let section: Section = "definitions";
  while (p.peek().kind !== "end") {
    const start = p.position;
    section = parseItem(p, script, section);
    if (p.panicking) p.synchroniseItem();
    if (p.position === start) p.next();
  }
}

function parseItem(p: Cursor, script: Script, section: Section): Section {
  const token = p.peek();
  const misplaced = (what: string, where: string) =>
    p.error("misplaced", p.tokenSpan(token), `${what} must stand ${where}`, "move it up");
  if (token.kind === "directive" || token.kind === "shebang") {
    if (section !== "definitions") misplaced("C definitions", "at the top of the script");
    const definition = parseDirective(p);
    if (definition) script.definitions.push(definition);
    return section;
  }
  if (token.kind === "word" && token.top) {
    switch (token.text) {
      case "struct":
      case "union":
      case "enum":
      case "typedef":
        if (section !== "definitions") misplaced("C definitions", "at the top of the script");
        parseDefinition(p, script.definitions);
        return section;
      case "__attribute__": {
        const last = script.definitions.at(-1);
        const packed = skipAttributes(p);
        if (last?.kind === "struct" && packed) last.packed = true;
        p.accept(";");
        return section;
      }
      case "config":
        if (section === "body") misplaced("the config block", "before probes, macros and map declarations");
        else if (script.config.length > 0)
          p.error("misplaced", p.tokenSpan(token), "there is already a config block");
        parseConfig(p, script.config);
        return section === "body" ? "body" : "settings";
      case "import":
        if (section === "body") misplaced("imports", "before probes, macros and map declarations");
        parseImport(p, script);
        return section === "body" ? "body" : "settings";
      case "let":
        parseMapDeclaration(p, script.mapDeclarations);
        return "body";
      case "macro":
        parseMacro(p, script.macros);
        return "body";
      case "fn":
        parseFunction(p, script.functions);
        return "body";
    }
  }
  if (token.kind === "operator" && (token.text === ";" || token.text === "}" || token.text === ")")) {
    if (token.text !== ";") {
      p.error("syntax", p.tokenSpan(token), `'${token.text}' closes nothing that is open`);
    }
    p.next();
    return section;
  }
  if (token.kind === "probe" || p.at("{") || p.at("/") || p.at(",")) {
    parseAction(p, script.actions);
    return "body";
  }
  const hint =
    token.kind === "map"
      ? `to declare a map, write let ${token.text} = hash(100);`
      : "statements stand between { and } after a probe";
  p.unexpected(`expected a probe, but found ${describe(token.text)}`, hint);
  return section;
}

function parseConfig(p: Cursor, out: ConfigBlock[]): void {
  const { start } = p.next();
  p.expect("=", "after config", "as in config = { stack_mode=perf }");
  if (p.panicking && p.at("{")) p.panicking = false;
  if (!p.expect("{", "after 'config ='")) return;
  const block: ConfigBlock = { entries: [], span: p.span(start) };
  out.push(block);
  while (!p.at("}") && !p.atBoundary()) {
    if (p.accept(";") || p.accept(",")) continue;
    const from = p.position;
    parseConfigEntry(p, block);
    if (p.panicking) p.synchronise(from);
    if (p.position === from) p.skipBalanced();
    if (p.position === from) break;
  }
  p.expect("}", "to close the config block");
  block.span = p.span(start);
}

function parseConfigEntry(p: Cursor, block: ConfigBlock): void {
  const name = p.peek();
  if (name.kind !== "word") {
    p.unexpected("expected a setting's name", "as in stack_mode=perf");
    return;
  }
  p.next();
  if (!p.accept("=")) {
    p.unexpected(`expected '=' and a value after ${describe(name.text)}`);
    return;
  }
  const token = p.peek();
  const valueSpan = p.tokenSpan(token);
  let value: string | bigint | boolean;
  if (token.kind === "string") {
    value = parseStringToken(p);
  } else if (token.kind === "number") {
    p.next();
    const number = parseNumber(token.text);
    if ("error" in number) {
      p.error("bad-number", valueSpan, number.error, number.hint);
      return;
    }
    value = number.value;
  } else if (token.kind === "word" && !token.top) {
    p.next();
    value = token.text === "true" ? true : token.text === "false" ? false : token.text;
  } else {
    p.unexpected("expected a setting's value: a number, a word, true, false, or a string in double quotes");
    return;
  }
  block.entries.push({ name: name.text, value, span: p.span(name.start), valueSpan });
  if (p.at("}") || p.accept(";") || p.accept(",")) return;
  p.unexpected("expected ';' or '}' after the setting");
  if (p.atWord() && p.at("=", 1)) p.panicking = false;
}

function parseImport(p: Cursor, script: Script): void {
  const { start } = p.next();
  if (p.peek().kind !== "string") {
    p.unexpected('expected a path in quotes after import, as in import "helpers.bt";');
    return;
  }
  const path = parseStringToken(p);
  script.imports.push({ path, span: p.span(start) });
  p.expect(";", "after the import");
}

/** `let @a = lruhash(100);` */
function parseMapDeclaration(p: Cursor, out: MapDeclaration[]): void {
  const { start } = p.next();
  const name = p.peek();
  if (name.kind !== "map") {
    const variable =
      name.kind === "variable" ? "a variable is declared inside of a probe's braces" : undefined;
    p.unexpected("expected a map after let, as in let @a = hash(100);", variable);
    return;
  }
  p.next();
  if (!p.expect("=", "and the map's type after its name")) return;
  const type = p.peek();
  if (type.kind !== "word") {
    p.unexpected("expected the map's type: hash, lruhash, percpuhash or percpulruhash");
    return;
  }
  p.next();
  if (!p.expect("(", "and the greatest number of entries after the map's type")) return;
  const declaration: MapDeclaration = {
    name: name.text,
    mapType: type.text,
    arguments: [],
    span: p.span(start),
  };
  if (!p.at(")")) {
    do {
      declaration.arguments.push(parseExpression(p));
    } while (!p.panicking && p.accept(","));
  }
  p.expect(")", "after the greatest number of entries");
  if (!p.panicking) p.accept(";");
  declaration.span = p.span(start);
  out.push(declaration);
}

/** `macro name($variable, @map, expression) { … }` */
function parseMacro(p: Cursor, out: Macro[]): void {
  const { start } = p.next();
  const name = p.peek();
  if (name.kind !== "word") {
    p.unexpected("expected the macro's name");
    return;
  }
  p.next();
  const macro: Macro = {
    name: name.text,
    parameters: [],
    body: { statements: [], span: p.span(start) },
    span: p.span(start),
  };
  if (!p.at("{")) {
    if (!p.expect("(", "and the macro's parameters")) return;
    while (!p.at(")") && !p.panicking) {
      parseParameter(p, macro);
      if (!p.accept(",")) break;
    }
    if (!p.expect(")", "after the macro's parameters")) return;
  }
  macro.span = p.span(start);
  macro.body = parseBlock(p, true);
  out.push(macro);
}

const PARAMETER_KINDS = { variable: "variable", map: "map", word: "expression" } as const;

function parseParameter(p: Cursor, macro: Macro): void {
  const token = p.peek();
  const kind = PARAMETER_KINDS[token.kind as keyof typeof PARAMETER_KINDS];
  const span = p.tokenSpan(token);
  if (kind === undefined || token.top) {
    p.unexpected("expected a parameter: $variable, @map, or a name that stands for an expression");
    return;
  }
  p.next();
  if (kind === "expression" && isBuiltinName(token.text)) {
    p.error("syntax", span, `${describe(token.text)} is a builtin and can't be a parameter's name`);
  } else if (macro.parameters.some((parameter) => parameter.name === token.text)) {
    p.error("syntax", span, `there is already a parameter ${describe(token.text)}`);
  }
  macro.parameters.push({ kind, name: token.text, span });
}

/** `fn name($a: type): type { … }` */
function parseFunction(p: Cursor, out: FunctionDefinition[]): void {
  const start = p.next().start;
  if (!p.atWord()) {
    p.unexpected("expected the function's name");
    return;
  }
  const name = p.next().text;
  const span = p.span(start);
  const parameters: FunctionDefinition["parameters"] = [];
  if (!p.expect("(", "and the function's parameters")) return;
  while (p.peek().kind === "variable") {
    const token = p.next();
    if (!p.expect(":", "and the parameter's type")) return;
    if (parameters.some((parameter) => parameter.name === token.text))
      p.error("syntax", p.tokenSpan(token), `there is already a parameter ${describe(token.text)}`);
    parameters.push({ name: token.text, type: parseType(p), span: p.tokenSpan(token) });
    if (p.panicking || !p.accept(",")) break;
  }
  if (!p.expect(")", "after the function's parameters, as in fn twice($a: int64): int64")) return;
  if (!p.expect(":", "and the type of what the function returns, or void")) return;
  const returns = parseType(p);
  out.push({ name, parameters, returns, body: parseBlock(p, false), span });
}

/** `probe, probe /predicate/ { … }` */
function parseAction(p: Cursor, out: ActionBlock[]): void {
  const { start } = p.peek();
  const probes: ProbeSpec[] = [];
  if (p.peek().kind !== "probe") {
    p.error(
      "syntax",
      p.tokenSpan(p.peek()),
      `expected a probe before ${describe(p.peek().text)}`,
      "as in tracepoint:syscalls:sys_enter_openat { … }",
    );
    p.accept(",");
  }
  while (p.peek().kind === "probe") {
    const token = p.next();
    probes.push(probeSpec(token.text, p.tokenSpan(token)));
    checkQuotes(p, token);
    if (!p.accept(",")) break;
  }
  const action: ActionBlock = { probes, body: { statements: [], span: p.span(start) }, span: p.span(start) };
  if (p.accept("/")) {
    action.predicate = parseExpression(p);
    if (!p.panicking && !p.accept("/")) {
      p.unexpected("expected '/' to close the predicate", p.at("=") ? "to compare, write ==" : undefined);
    }
    if (p.panicking) skipPredicate(p);
  }
  if (p.at("{")) {
    action.body = asStatements(parseBlock(p, false));
  } else {
    p.unexpected(
      probes.length > 0 ? `expected '{' after ${describe(probes.at(-1)!.text)}` : "expected '{'",
      "what a probe does stands between { and }",
    );
  }
  action.span = p.span(start);
  out.push(action);
}

function checkQuotes(p: Cursor, token: Token): void {
  const quotes = token.text.replace(/\\./g, "").split('"').length - 1;
  if (quotes % 2 === 1)
    p.error("unterminated-string", p.tokenSpan(token), "a quoted part of the probe is not closed");
}

/** To the body, after a predicate that can't be read. */
function skipPredicate(p: Cursor): void {
  p.panicking = false;
  while (!p.at("{") && !p.atBoundary()) p.next();
}
