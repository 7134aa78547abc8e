/** The names that a script leaves to be resolved: identifiers, calls, types. Decides which headers are worth reading. */
import type { CDefinition } from "../ast.ts";

/** Collects from any part of the tree. */
export function usedNames(node: unknown, into: Set<string> = new Set()): Set<string> {
  if (Array.isArray(node)) {
    for (const item of node) usedNames(item, into);
    return into;
  }
  if (typeof node !== "object" || node === null) return into;
  const object = node as Record<string, unknown>;
  if (object.kind === "identifier" || object.kind === "call") into.add(object.name as string);
  if (typeof object.base === "string" && Array.isArray(object.modifiers)) into.add(object.base);
  for (const key in object) {
    if (key !== "span" && typeof object[key] === "object") usedNames(object[key], into);
  }
  return into;
}

/** What a definition is called where it is used. */
function namesOf(definition: CDefinition): string[] {
  switch (definition.kind) {
    case "struct":
      return [`${definition.union ? "union" : "struct"} ${definition.name}`];
    case "enum":
      return [`enum ${definition.name}`, ...definition.values.map((value) => value.name)];
    case "typedef":
      return [definition.name];
    default:
      return [];
  }
}

/** Those of `definitions` that `names` lead to, directly or through fields; the first of several by the same name. */
export function reachable(definitions: readonly CDefinition[], names: Iterable<string>): CDefinition[] {
  const byName = new Map<string, CDefinition>();
  for (const definition of definitions) {
    for (const name of namesOf(definition)) if (!byName.has(name)) byName.set(name, definition);
  }
  const result = new Set<CDefinition>();
  const pending = [...names];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const definition = byName.get(name);
    if (!definition || result.has(definition)) continue;
    result.add(definition);
    pending.push(...usedNames(definition));
  }
  return definitions.filter((definition) => result.has(definition));
}
