/** What the debug info of a traced program says: of the function at a probe, and of types by name. */
import type { Span } from "../diagnostic.ts";
import type { MissingDebugInfo, UserDebugInfo, UserFunction } from "../kernel.ts";
import type { Probe, TypedExpression } from "../typed.ts";
import { type EnumType, type Type, UINT64 } from "../types.ts";
import type { Context } from "./context.ts";
import { someOf } from "./nearest.ts";

export interface Problem {
  message: string;
  hint?: string;
  /** The probe is not at the beginning of a function. */
  inside?: true;
}

export const isProblem = (value: object): value is Problem => "message" in value;

/** How to get debug info where there is none: build it, or install it where it was looked for. */
export function missingHint(path: string, { tried, stripped }: MissingDebugInfo): string {
  const separate = stripped
    ? `${stripped} belongs to it and has none either`
    : tried.length
      ? `a separate file would be at ${someOf(tried, 4)}`
      : `${path} names no separate debug file`;
  return `build it with -g, or install its debug symbols (Debian: the package's -dbgsym or -dbg); ${separate}`;
}

function debugInfoOf(path: string, cx: Context): UserDebugInfo | Problem {
  try {
    const [binary] = cx.kernel.binaries(path);
    const info = binary?.debugInfo?.();
    if (!info) return { message: `the debug info of ${path} is not known here` };
    if (!("tried" in info)) return info;
    return { message: `${path} has no debug info`, hint: missingHint(path, info) };
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
}

/** The traced function of a uprobe at a function's beginning, with its parameters. */
export function functionOf(probe: Probe, cx: Context): UserFunction | Problem {
  const { attach } = probe;
  if (attach.kind !== "uprobe" || attach.return)
    return { message: `${probe.name} is not at the beginning of a function` };
  const info = debugInfoOf(attach.path, cx);
  if (isProblem(info)) return info;
  try {
    const found = info.function(attach.offset, attach.symbol);
    if (found) return found;
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) };
  }
  const [binary] = cx.kernel.binaries(attach.path);
  const isInside = binary
    ?.symbols()
    .some(({ name, offset }) => name === attach.symbol && offset < attach.offset);
  return isInside
    ? {
        message: `${probe.name} is inside a function, where its arguments may no longer be where they came`,
        hint: `uprobe:${attach.path}:${attach.symbol} has them; reg() reads registers here`,
        inside: true,
      }
    : {
        message: `the debug info of ${attach.path} does not describe ${attach.symbol || "what is at this address"}`,
        hint: attach.symbol.endsWith(".cold")
          ? "it is a part of a function that the compiler moved away: leave it out"
          : "the file it comes from was built without -g",
      };
}

/** Names that `args` offers. */
export function programArguments(probe: Probe, cx: Context): string[] {
  const found = functionOf(probe, cx);
  return isProblem(found) ? [] : found.arguments.map(({ name }) => name).filter(Boolean);
}

/** An argument of the function at a probe; else the names that there are, or why none is known. */
export function programArgument(
  probe: Probe,
  name: string,
  cx: Context,
): { argument: UserFunction["arguments"][number] } | { names: string[] } | { problem: Problem } {
  const found = functionOf(probe, cx);
  if (isProblem(found)) return { problem: found };
  const argument = found.arguments.find((candidate) => candidate.name === name);
  return argument ? { argument } : { names: found.arguments.map((each) => each.name).filter(Boolean) };
}

/** The 64 bits that an argument arrives in. Undefined, and reported: BPF cannot read it. */
export function argumentSlot(
  { name, place }: UserFunction["arguments"][number],
  others: readonly string[],
  span: Span,
  cx: Context,
): TypedExpression | undefined {
  switch (place.kind) {
    case "argument":
      return { op: "arg", index: place.index, type: UINT64, span };
    case "register":
      return { op: "reg", name: place.register, type: UINT64, span };
    case "unreadable": {
      const readable = others.length
        ? `readable here: ${someOf(others.map((other) => `args.${other}`))}`
        : undefined;
      const hints = [place.hint, readable].filter(Boolean).join("; ");
      cx.error("unreadable-argument", span, `args.${name} ${place.why}`, hints || undefined);
      return undefined;
    }
  }
}

/** Types of the traced program, for names in casts and declarations. */
export interface ProgramTypes {
  struct(name: string, union: boolean): Type | undefined;
  enumNamed(name: string): Type | undefined;
  named(name: string): Type | undefined;
  constant(name: string): { value: bigint; type: EnumType; size: 1 | 2 | 4 | 8 } | undefined;
  /** Why there are none. */
  problem?: Problem;
}

/** Of the program that the action's probes are in; undefined where they are in none. */
export function programTypes(probes: readonly Probe[], cx: Context): ProgramTypes | undefined {
  const attach = probes[0]?.attach;
  if (attach?.kind !== "uprobe" && attach?.kind !== "usdt") return undefined;
  const info = debugInfoOf(attach.path, cx);
  const near = attach.offset;
  const ask = <T>(question: (debug: UserDebugInfo) => T | undefined): T | undefined => {
    if (isProblem(info)) return undefined;
    try {
      return question(info);
    } catch {
      return undefined;
    }
  };
  return {
    struct: (name, union) => ask((debug) => debug.struct(name, union, near)),
    enumNamed: (name) => ask((debug) => debug.enumNamed(name, near)),
    named: (name) =>
      ask(
        (debug) =>
          debug.typeNamed(name, near) ??
          debug.struct(name, false, near) ??
          debug.struct(name, true, near) ??
          debug.enumNamed(name, near),
      ),
    constant: (name) => ask((debug) => debug.enumConstant(name, near)),
    ...(isProblem(info) ? { problem: info } : {}),
  };
}
