/** Source text through the front end, for tests: what it means, and what is wrong with it. */
import { checkScript } from "../check/index.ts";
import { type Diagnostic, Diagnostics } from "../diagnostic.ts";
import { expandScript } from "../expand/index.ts";
import type { CompileOptions } from "../index.ts";
import type { Kernel } from "../kernel.ts";
import { parseScript } from "../parse/index.ts";
import { functionNamed } from "../tables/functions.ts";
import type { TypedProgram } from "../typed.ts";
import { recordedKernel } from "./recordedKernel.ts";

/** As the recorded kernel, with the features that its machine lacks. */
export const fullKernel = (overrides: Partial<Kernel> = {}): Kernel =>
  recordedKernel({ has: () => true, ...overrides });

export interface Checked {
  program: TypedProgram | undefined;
  diagnostics: Diagnostic[];
}

export function checkSource(source: string, options: CompileOptions = {}, kernel = fullKernel()): Checked {
  const report = new Diagnostics();
  const parsed = parseScript(source);
  report.list.push(...parsed.diagnostics);
  const expanded = expandScript(parsed.script, source, {
    kernel,
    isFunction: (name) => functionNamed(name) !== undefined,
  });
  report.list.push(...expanded.diagnostics);
  const program = checkScript(expanded.script, kernel, options, report);
  return { program, diagnostics: report.list };
}

/** A program that must have no errors. */
export function checked(source: string, options: CompileOptions = {}, kernel = fullKernel()): TypedProgram {
  const { program, diagnostics } = checkSource(source, options, kernel);
  const errors = diagnostics.filter((d) => d.severity === "error");
  if (!program || errors.length > 0)
    throw new Error(`${source}\n${errors.map((d) => `${d.code}: ${d.message}`).join("\n")}`);
  return program;
}
