/**
 * C headers, read for what a script can use of them: structs, unions, enums, typedefs and #defines. Everything else
 * (functions, variables, inline assembly, whatever the next kernel brings) is skipped without a word, and so is a
 * definition that can't be read to its end: half a struct would have wrong offsets.
 */
import type { CDefinition } from "../ast.ts";
import type { Span } from "../diagnostic.ts";
import type { Arch } from "../kernel.ts";
import { Cursor } from "../parse/cursor.ts";
import { parseDefinition } from "../parse/definitions.ts";
import { Conditions, codeTokens, type Defines } from "./defines.ts";
import { directoryOf, resolvePath } from "./paths.ts";

const MAX_FILES = 3000;
const MAX_BYTES = 16 << 20;
const MAX_DEPTH = 100;

export interface HeaderContext {
  defines: Defines;
  readFile(path: string): string | undefined;
  /** Where `<x.h>` is looked for, in order. */
  includePaths: readonly string[];
  /** Names that a header may not take from the language: the kernel's own headers define min() and max(). */
  isReserved(name: string): boolean;
}

export class Headers {
  readonly definitions: CDefinition[] = [];
  private readonly cx: HeaderContext;
  private readonly seen = new Set<string>();
  private bytes = 0;
  private depth = 0;

  constructor(cx: HeaderContext) {
    this.cx = cx;
  }

  /** Reads a header and what it includes. False: there is no such file. */
  include(path: string, system: boolean, from: string, span: Span): boolean {
    const candidates = this.cx.includePaths.map((directory) => resolvePath(directory, path));
    if (!system || path.startsWith("/")) candidates.unshift(resolvePath(from, path));
    for (const candidate of candidates) {
      if (this.seen.has(candidate)) return true;
      const text = this.cx.readFile(candidate);
      if (text === undefined) continue;
      this.seen.add(candidate);
      this.bytes += text.length;
      if (this.seen.size <= MAX_FILES && this.bytes <= MAX_BYTES && this.depth < MAX_DEPTH) {
        this.depth++;
        this.read(text, directoryOf(candidate), span);
        this.depth--;
      }
      return true;
    }
    return false;
  }

  private read(text: string, directory: string, span: Span): void {
    const { defines } = this.cx;
    const conditions = new Conditions(defines);
    const code: string[] = [];
    for (const line of logicalLines(text)) {
      const directive = /^\s*#\s*([a-z_]*)\s*(.*)$/.exec(line);
      if (!directive) {
        if (conditions.on) code.push(line);
        continue;
      }
      const [, name, rest] = directive;
      switch (name) {
        case "if":
        case "ifdef":
        case "ifndef":
        case "elif":
        case "else":
        case "endif":
          conditions.take(name, rest);
          continue;
      }
      if (!conditions.on) continue;
      if (name === "define") this.define(rest, span);
      else if (name === "undef") defines.delete(rest.trim());
      else if (name === "include" || name === "include_next") {
        const path = /^(?:<([^>]+)>|"([^"]+)")/.exec(rest);
        if (path) this.include(path[1] ?? path[2], path[1] !== undefined, directory, span);
      }
    }
    this.declarations(code.join("\n"), span);
  }

  private define(rest: string, span: Span): void {
    const match = /^([A-Za-z_]\w*)(?:\(([^)]*)\))?\s*(.*)$/.exec(rest);
    if (!match) return;
    const [, name, list, body] = match;
    if (this.cx.isReserved(name)) return;
    const parameters = list === undefined ? undefined : list.split(",").map((s) => s.trim());
    if (parameters?.length === 1 && parameters[0] === "") parameters.pop();
    this.cx.defines.set({ name, ...(parameters && { parameters }), body: body.trim(), span });
  }

  private declarations(code: string, span: Span): void {
    if (!/\b(?:struct|union|enum|typedef)\b/.test(code)) return;
    const tokens = this.cx.defines.expand(codeTokens(code)).filter((token) => !NOISE.has(token.text));
    const end = code.length;
    const p = new Cursor(
      [...tokens, { kind: "end", text: "", start: end, end, newline: false }],
      undefined,
      span,
    );
    while (p.peek().kind !== "end") {
      if (!/^(?:struct|union|enum|typedef)$/.test(p.peek().text)) {
        skipDeclaration(p);
        continue;
      }
      const start = p.position;
      const found: CDefinition[] = [];
      p.diagnostics.list.length = 0;
      parseDefinition(p, found);
      if (p.diagnostics.list.length === 0 && !p.panicking && p.position > start) {
        this.definitions.push(...found);
        continue;
      }
      p.panicking = false;
      p.reset(start);
      skipDeclaration(p);
    }
  }
}

/** Words that say nothing about layout and that no header defines where we could see it. */
const NOISE = new Set([
  "__extension__",
  "__user",
  "__kernel",
  "__iomem",
  "__rcu",
  "__percpu",
  "__force",
  "__bitwise",
  "__inline",
  "__inline__",
  "__randomize_layout",
]);

/** To the semicolon, or past the braces of a function's body. */
function skipDeclaration(p: Cursor): void {
  while (p.peek().kind !== "end") {
    if (p.accept(";")) return;
    const body = p.at("{");
    const start = p.position;
    p.skipBalanced();
    if (p.position === start) p.next();
    if (body && !p.at(",") && !p.at(";")) return;
  }
}

/** Lines with comments blanked and continuations joined. */
function logicalLines(text: string): string[] {
  const plain = text.replace(
    /\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*|"[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'/g,
    (match) => (match[0] === "/" ? " " : match),
  );
  return plain.replace(/\\\r?\n/g, " ").split(/\r?\n/);
}

/** Where headers usually are: the running kernel's, then the system's. */
export function defaultIncludePaths(release: string, arch: Arch): string[] {
  const kernelArch = arch === "x64" ? "x86" : "arm64";
  const triplet = arch === "x64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
  const trees = ["build", "source"].map((tree) => `/lib/modules/${release}/${tree}`);
  const kernel = trees.flatMap((tree) => [
    `${tree}/arch/${kernelArch}/include`,
    `${tree}/arch/${kernelArch}/include/generated`,
    `${tree}/include`,
    `${tree}/arch/${kernelArch}/include/uapi`,
    `${tree}/arch/${kernelArch}/include/generated/uapi`,
    `${tree}/include/uapi`,
    `${tree}/include/generated/uapi`,
  ]);
  return [...kernel, `/usr/local/include`, `/usr/include/${triplet}`, "/usr/include"];
}
