/**
 * Everything that a script refers to, brought in: imports, headers, #defines, macros. What comes out stands on its own:
 * struct, enum and typedef definitions, map declarations and actions, with no import, macro or preprocessor line left.
 */
import type { CDefinition, Import, Script } from "../ast.ts";
import { type Diagnostic, Diagnostics, type Span } from "../diagnostic.ts";
import type { Kernel } from "../kernel.ts";
import { emptyScript, parseScript } from "../parse/script.ts";
import { isValueName } from "../parse/types.ts";
import { KNOWN_CONSTANTS } from "../tables/constants.ts";
import { Conditions, codeTokens, Defines } from "./defines.ts";
import { Expander } from "./expander.ts";
import { defaultIncludePaths, Headers } from "./headers.ts";
import { MacroTable } from "./macros.ts";
import { directoryOf, resolvePath } from "./paths.ts";
import { STANDARD_LIBRARY, STANDARD_MACROS } from "./stdlib.bt.ts";
import { reachable, usedNames } from "./used-names.ts";

export interface ExpandOptions {
  /** The script's path, for imports relative to it. Without: the working directory. */
  fileName?: string;
  kernel: Pick<
    Kernel,
    | "readFile"
    | "listDirectory"
    | "writableByAll"
    | "hasBtf"
    | "struct"
    | "typeNamed"
    | "enumConstant"
    | "release"
    | "arch"
  >;
  /** Further directories for #include (-I), searched first. */
  includePaths?: readonly string[];
  /** Headers to read before the script's own (--include). */
  includes?: readonly string[];
  /** Names of functions and builtins that are no macros. */
  isFunction?(name: string): boolean;
}

export interface ExpandResult {
  script: Script;
  diagnostics: Diagnostic[];
  /** The files that spans point into, by Span.file. The first is the script. */
  files: { name: string; text: string }[];
}

/** Expands a parsed script. `source` is its text, for `files`. */
export function expandScript(script: Script, source: string, options: ExpandOptions): ExpandResult {
  const report = new Diagnostics();
  const files = [{ name: options.fileName ?? "stdin", text: source }];
  const importer = new Importer(options, report, files);
  const whole = importer.importAll(script);
  const defines = predefined(options);
  const directory = (definition: CDefinition) =>
    importer.headers.has(definition) ? "." : directoryOf(files[definition.span.file ?? 0].name);
  const definitions = new DefinitionReader(options, report, defines, directory).read(whole);

  const macros = new MacroTable();
  for (const macro of whole.macros) {
    const original = macros.add(macro, false);
    if (original) {
      report.error("redefinition", macro.span, `there is already a macro ${macro.name} that takes the same`, {
        notes: [{ message: "it is defined here", span: original.span }],
      });
    }
  }
  addStandardMacros(whole, macros, files);

  const expander = new Expander({
    macros,
    defines,
    report,
    isFunction: options.isFunction ?? (() => false),
  });
  const expanded: Script = {
    ...whole,
    definitions: definitions.map((definition) => expandDefinition(definition, expander)),
    imports: [],
    macros: [],
    mapDeclarations: whole.mapDeclarations.map((declaration) => ({
      ...declaration,
      arguments: declaration.arguments.map((argument) => expander.expression(argument)),
    })),
    functions: whole.functions.map((definition) => ({
      ...definition,
      parameters: definition.parameters.map((each) => ({ ...each, type: expander.type(each.type) })),
      returns: expander.type(definition.returns),
      body: expander.block(definition.body),
    })),
    actions: whole.actions.map((action) => {
      const result = { ...action, body: expander.block(action.body) };
      if (action.predicate) result.predicate = expander.expression(action.predicate);
      return result;
    }),
  };
  return { script: expanded, diagnostics: report.list, files };
}

/** Parsed only if the script names one of them. */
function addStandardMacros(script: Script, macros: MacroTable, files: ExpandResult["files"]): void {
  const used = usedNames([script.actions, script.macros, script.functions]);
  if (!STANDARD_MACROS.some(({ name }) => used.has(name))) return;
  const { script: library } = parseScript(STANDARD_LIBRARY, files.length);
  files.push({ name: "standard library", text: STANDARD_LIBRARY });
  for (const macro of library.macros) macros.add(macro, true);
}

function expandDefinition(definition: CDefinition, expander: Expander): CDefinition {
  if (definition.kind === "typedef") return { ...definition, type: expander.type(definition.type) };
  if (definition.kind === "enum") {
    const values = definition.values.map((v) =>
      v.value ? { ...v, value: expander.expression(v.value) } : v,
    );
    return { ...definition, values };
  }
  if (definition.kind !== "struct") return definition;
  const fields = (list: typeof definition.fields): typeof definition.fields =>
    list.map((field) => ({
      ...field,
      type: expander.type(field.type),
      ...(field.inline && { inline: { ...field.inline, fields: fields(field.inline.fields) } }),
    }));
  return { ...definition, fields: fields(definition.fields) };
}

function predefined({ kernel }: ExpandOptions): Defines {
  const defines = new Defines();
  const names = [
    "__linux__",
    "__LP64__",
    "__bpftrace__",
    kernel.arch === "x64" ? "__x86_64__" : "__aarch64__",
  ];
  if (kernel.hasBtf) names.push("BPFTRACE_HAVE_BTF");
  for (const name of names) defines.set({ name, body: "1", span: { start: 0, end: 0 } });
  return defines;
}

/** Reads imported scripts, each once, what they import first. */
class Importer {
  /** Imported headers, as #includes whose path is already resolved. */
  readonly headers = new WeakSet<CDefinition>();
  private readonly options: ExpandOptions;
  private readonly report: Diagnostics;
  private readonly files: ExpandResult["files"];
  private readonly seen = new Set<string>();

  constructor(options: ExpandOptions, report: Diagnostics, files: ExpandResult["files"]) {
    this.options = options;
    this.report = report;
    this.files = files;
  }

  importAll(script: Script): Script {
    if (script.imports.length === 0) return script;
    const { fileName } = this.options;
    if (fileName) this.seen.add(resolvePath(".", fileName));
    return this.merge(script, fileName ? directoryOf(fileName) : ".");
  }

  /** The script with what it imports in front of its own items. */
  private merge(script: Script, directory: string): Script {
    const parts = script.imports.flatMap((item) => this.read(item, resolvePath(directory, item.path), true));
    return {
      ...script,
      definitions: [...parts.flatMap((part) => part.definitions), ...script.definitions],
      mapDeclarations: [...parts.flatMap((part) => part.mapDeclarations), ...script.mapDeclarations],
      macros: [...parts.flatMap((part) => part.macros), ...script.macros],
      actions: [...parts.flatMap((part) => part.actions), ...script.actions],
      functions: [...parts.flatMap((part) => part.functions), ...script.functions],
    };
  }

  /** What anybody could have put there is not run with our privileges. */
  private refuses(item: Import, path: string): boolean {
    const { kernel } = this.options;
    const open = [path, directoryOf(path)].find((place) => kernel.writableByAll?.(place));
    if (open === undefined) return false;
    this.report.error(
      "import-unsafe",
      item.span,
      `refusing to import ${path}: anybody may write to ${open}`,
      {
        hint: `keep it where only you may write, or: chmod o-w ${open}`,
      },
    );
    return true;
  }

  private read(item: Import, path: string, named: boolean): Script[] {
    if (this.seen.has(path)) return [];
    this.seen.add(path);
    const { kernel } = this.options;
    if (this.refuses(item, path)) return [];
    if (path.endsWith(".bpf.c")) {
      if (named)
        this.report.error("unsupported", item.span, "importing BPF C files is not supported yet", {
          hint: "write what it does as macros in a .bt file; types can be imported from a .h file",
        });
      return [];
    }
    if (!path.endsWith(".bt") && !path.endsWith(".h")) {
      const entries = kernel.listDirectory?.(path);
      if (entries)
        return [...entries].sort().flatMap((name) => this.read(item, resolvePath(path, name), false));
      if (named) {
        const known = "a .bt script, a .h header, or a directory of them can be imported";
        this.report.error("import-not-found", item.span, `can't import ${path}`, { hint: known });
      }
      return [];
    }
    const text = kernel.readFile(path);
    if (text === undefined) {
      this.report.error("import-not-found", item.span, `no such file: ${path}`, {
        hint: "paths are relative to the script that imports",
      });
      return [];
    }
    if (path.endsWith(".h")) {
      const include: CDefinition = { kind: "include", path, system: false, span: item.span };
      this.headers.add(include);
      return [{ ...emptyScript(item.span), definitions: [include] }];
    }
    const { script, diagnostics } = parseScript(text, this.files.length);
    this.files.push({ name: path, text });
    this.report.list.push(...diagnostics);
    for (const { span } of script.config) {
      this.report.error("misplaced", span, "an imported script can't have a config block", {
        notes: [{ message: "it is imported here", span: item.span }],
      });
    }
    return [this.merge(script, directoryOf(path))];
  }
}

/** Follows the preprocessor through the script's definitions, and reads the headers that something depends on. */
class DefinitionReader {
  private readonly options: ExpandOptions;
  private readonly report: Diagnostics;
  private readonly defines: Defines;
  private readonly directory: (definition: CDefinition) => string;
  private readonly missing: { path: string; span: Span }[] = [];

  constructor(
    options: ExpandOptions,
    report: Diagnostics,
    defines: Defines,
    directory: (definition: CDefinition) => string,
  ) {
    this.options = options;
    this.report = report;
    this.defines = defines;
    this.directory = directory;
  }

  read(script: Script): CDefinition[] {
    const { kernel, includePaths = [], includes = [] } = this.options;
    const own: CDefinition[] = [];
    const used = this.usedNames(script);
    const needed = new Set([...used].filter((name) => !this.isKnown(name)));
    const headers = new Headers({
      defines: this.defines,
      readFile: (path) => kernel.readFile(path),
      includePaths: [...includePaths, ...defaultIncludePaths(kernel.release, kernel.arch)],
      isReserved: (name) => this.isReserved(name),
    });
    // The script's own headers win over the kernel's types; the system's are read only for what nothing else explains.
    const wanted = new Set<CDefinition>();
    const include = (path: string, system: boolean, directory: string, span: Span) => {
      if (used.size === 0 || (system && needed.size === 0)) return;
      const before = headers.definitions.length;
      if (!headers.include(path, system, directory, span)) this.missing.push({ path, span });
      if (!system) for (const definition of headers.definitions.slice(before)) wanted.add(definition);
    };
    for (const path of includes) include(path, false, ".", { start: 0, end: 0 });
    const conditions = new Conditions(this.defines);
    for (const definition of script.definitions) {
      if (definition.kind === "condition") {
        if (!conditions.take(definition.directive, definition.text)) {
          this.report.error("syntax", definition.span, `#${definition.directive} without #if`);
        }
      } else if (!conditions.on) continue;
      else if (definition.kind === "define") this.defines.set(definition);
      else if (definition.kind === "undefine") this.defines.delete(definition.name);
      else if (definition.kind === "include") {
        include(definition.path, definition.system, this.directory(definition), definition.span);
      } else own.push(definition);
    }
    if (conditions.open) {
      const last = script.definitions.findLast((d) => d.kind === "condition")!;
      this.report.error("syntax", last.span, "#if without #endif");
    }
    const ownNames = new Set(own.map(keyOf));
    const found = reachable(headers.definitions, used).filter(
      (d) => !ownNames.has(keyOf(d)) && (wanted.has(d) || !this.kernelKnows(d)),
    );
    this.reportMissing(needed, found);
    return [...found, ...own];
  }

  /** Names that the script leaves open, if there is any header that could explain them. */
  private usedNames(script: Script): Set<string> {
    const hasHeaders = script.definitions.some((d) => d.kind === "include") || this.options.includes?.length;
    if (!hasHeaders) return new Set();
    const names = usedNames([
      script.actions,
      script.macros,
      script.functions,
      script.definitions,
      script.mapDeclarations,
    ]);
    for (const definition of script.definitions) {
      const text =
        definition.kind === "define"
          ? definition.body
          : definition.kind === "condition"
            ? definition.text
            : "";
      for (const token of codeTokens(text)) if (token.kind === "word") names.add(token.text);
    }
    return names;
  }

  private isReserved(name: string): boolean {
    return COMMON_WORDS.has(name) || isValueName(name) || this.options.isFunction?.(name) === true;
  }

  private isKnown(name: string): boolean {
    const { kernel } = this.options;
    if (name === "" || this.isReserved(name)) return true;
    const tagged = /^(struct|union) (.+)$/.exec(name);
    if (tagged) return kernel.struct(tagged[2], tagged[1] === "union") !== undefined;
    return kernel.typeNamed(name) !== undefined || kernel.enumConstant(name) !== undefined;
  }

  private kernelKnows(definition: CDefinition): boolean {
    const { kernel } = this.options;
    if (definition.kind === "struct") return kernel.struct(definition.name, definition.union) !== undefined;
    return definition.kind === "typedef" && kernel.typeNamed(definition.name) !== undefined;
  }

  /** A header that is not there matters only if something is still unexplained. */
  private reportMissing(needed: ReadonlySet<string>, found: readonly CDefinition[]): void {
    if (this.missing.length === 0) return;
    const explained = new Set(
      found.flatMap((d) => (d.kind === "enum" ? d.values.map((v) => v.name) : [keyOf(d)])),
    );
    const open = [...needed].filter(
      (name) =>
        !explained.has(name) && !this.defines.table.has(name) && !Object.hasOwn(KNOWN_CONSTANTS, name),
    );
    if (open.length === 0) return;
    for (const { path, span } of this.missing) {
      const message = `header ${path} was not found`;
      if (this.options.kernel.hasBtf) {
        this.report.warning("header-not-found", span, message, {
          hint: "types come from the kernel's BTF instead",
        });
      } else {
        this.report.error("header-not-found", span, message, {
          hint: "install the kernel's headers, or name their directory with -I",
        });
      }
    }
  }
}

/** Words that are part of the language or its functions' vocabulary. */
const COMMON_WORDS = new Set(
  (
    "printf print count sum avg min max stats hist lhist tseries clear zero delete has_key len exit time strftime str buf " +
    "join ksym usym kaddr uaddr kstack ustack dw_ustack strncmp ntop pton cat system perf raw bpftrace build_id boot monotonic tai " +
    "sw_tai string void bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 char short int long unsigned signed size_t " +
    "u8 u16 u32 u64 s8 s16 s32 s64 defined ifdef BPFTRACE_HAVE_BTF"
  ).split(" "),
);

const keyOf = (d: CDefinition): string => {
  if (d.kind === "struct") return `${d.union ? "union" : "struct"} ${d.name}`;
  return d.kind === "enum" ? `enum ${d.name}` : d.kind === "typedef" ? d.name : d.kind;
};
