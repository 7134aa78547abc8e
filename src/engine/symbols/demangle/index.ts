/** Names of functions as their authors wrote them: C++ and Rust. */
import { demangleItanium } from "./itanium/index.ts";
import { demangleRustLegacy } from "./rustLegacy.ts";
import { demangleRustV0 } from "./rustV0.ts";

export type Language = "c++" | "rust";

export interface Demangled {
  text: string;
  language: Language;
  /** What the function alone is called, without result and parameters, and without its last template arguments. */
  names(): readonly string[];
}

/** Characters of name. What says so much says nothing to a reader. */
const LONGEST = 1 << 15;

function rust(text: string | undefined): Demangled | undefined {
  if (text === undefined) return undefined;
  return { text, language: "rust", names: () => [text, withoutArguments(text)] };
}

/** "gen::<u32>" → "gen". */
function withoutArguments(text: string): string {
  if (!text.endsWith(">")) return text;
  let depth = 0;
  for (let at = text.length - 1; at > 0; at--) {
    if (text[at] === ">" && text[at - 1] !== "-") depth++;
    else if (text[at] === "<" && --depth === 0) return text.slice(0, text.endsWith("::", at) ? at - 2 : at);
  }
  return text;
}

/** Undefined: not mangled, or not by a scheme that is known. */
export function demangled(name: string): Demangled | undefined {
  if (name.length > LONGEST) return undefined;
  if (name.startsWith("_R")) return rust(demangleRustV0(name));
  // Most names of C end here.
  if (!name.startsWith("_Z") && !name.startsWith("_GLOBAL_")) return undefined;
  const legacy = rust(demangleRustLegacy(name));
  if (legacy) return legacy;
  const found = demangleItanium(name);
  return found && { ...found, language: "c++" };
}

/** The name that the author wrote; the name itself when it is not mangled. */
export function demangle(name: string): string {
  return demangled(name)?.text ?? name;
}
