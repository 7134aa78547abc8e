/** Rust names as its compilers wrote them until v0: a C++ nested name whose last part is a hash, with escapes within. */

const ESCAPE = /\$(SP|BP|RF|LT|GT|LP|RP|C|u[0-9a-f]{1,6})\$|\.\.|\./g;
const WORDS: Readonly<Record<string, string>> = {
  SP: "@",
  BP: "*",
  RF: "&",
  LT: "<",
  GT: ">",
  LP: "(",
  RP: ")",
  C: ",",
  "..": "::",
  ".": ".",
};

function undoEscapes(part: string): string {
  const bare = part.startsWith("_$") ? part.slice(1) : part;
  return bare.replace(ESCAPE, (whole, code: string | undefined) => {
    if (!code) return WORDS[whole];
    if (!code.startsWith("u")) return WORDS[code];
    const point = Number.parseInt(code.slice(1), 16);
    // What could drive a terminal stays as it is written.
    if (point < 0x20 || (point >= 0x7f && point < 0xa0) || point > 0x10ffff) return whole;
    return String.fromCodePoint(point);
  });
}

/** What follows a name, without the hash of LLVM's module: ".llvm.1234.cold" → ".cold". */
export function withoutModule(suffix: string): string {
  return suffix.replace(/\.llvm\.[0-9A-F@]+/, "");
}

/** "core::fmt::write", without the hash; undefined: not such a name. */
export function demangleRustLegacy(name: string): string | undefined {
  const end = name.lastIndexOf("17h");
  if (end < 0 || !name.startsWith("_ZN")) return undefined;
  const tail = /^17h[0-9a-f]{16}E(.*)$/s.exec(name.slice(end));
  if (!tail) return undefined;
  const parts: string[] = [];
  for (let at = 3; at < end; ) {
    const digits = /^[1-9]\d*/.exec(name.slice(at, at + 6))?.[0];
    if (!digits) return undefined;
    const from = at + digits.length;
    at = from + Number(digits);
    if (at > end) return undefined;
    parts.push(undoEscapes(name.slice(from, at)));
  }
  if (parts.length === 0) return undefined;
  return parts.join("::") + withoutModule(tail[1]);
}
