/** Names of functions as their authors wrote them: C++ and Rust. */
import { demangleItanium } from "./itanium/index.ts";
import { demangleRustLegacy } from "./rustLegacy.ts";
import { demangleRustV0 } from "./rustV0.ts";

export type Language = "c++" | "rust";

export interface Demangled {
  text: string;
  language: Language;
}

/** Characters of name. What says so much says nothing to a reader. */
const LONGEST = 1 << 15;

/** Undefined: not mangled, or not by a scheme that is known. */
export function demangled(name: string): Demangled | undefined {
  if (name.length > LONGEST) return undefined;
  if (name.startsWith("_R")) {
    const text = demangleRustV0(name);
    return text === undefined ? undefined : { text, language: "rust" };
  }
  // Most names of C end here.
  if (!name.startsWith("_Z") && !name.startsWith("_GLOBAL_")) return undefined;
  const rust = demangleRustLegacy(name);
  if (rust !== undefined) return { text: rust, language: "rust" };
  const text = demangleItanium(name);
  return text === undefined ? undefined : { text, language: "c++" };
}

/** The name that the author wrote; the name itself when it is not mangled. */
export function demangle(name: string): string {
  return demangled(name)?.text ?? name;
}
