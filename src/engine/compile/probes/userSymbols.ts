/** Which functions of a binary a name in a probe means: exactly that one, what a wildcard matches, or what C++ and Rust call so. */
import { demangled } from "../../symbols/demangle/index.ts";
import { nearest } from "../check/nearest.ts";
import type { UserBinary, UserSymbol } from "../kernel.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

/** Qualifiers between binary and function. "cpp" is the reference's; "rust" takes names of Rust only. */
export const LANGUAGES = ["cpp", "rust"] as const;
export type NameLanguage = (typeof LANGUAGES)[number];

export const isLanguage = (word: string): word is NameLanguage =>
  (LANGUAGES as readonly string[]).includes(word);

/** Parts that the compiler split off a function: nobody calls them. */
const FRAGMENT = /\.(?:part\.\d+|cold)(?:\.|$)/;

/** Functions that a name means, each place once. */
export function functionsOf(
  binary: UserBinary,
  name: string,
  language: NameLanguage | undefined,
): readonly UserSymbol[] {
  if (language) return distinct(ofLanguage(binary.symbols(), name, language));
  if (!hasWildcard(name)) return versioned(binary, name);
  const matches = wildcard(name);
  return distinct(binary.symbols().filter((symbol) => matches(symbol.name) && !FRAGMENT.test(symbol.name)));
}

/** "name", "name@VERSION" and "name@@VERSION". */
function versioned(binary: UserBinary, name: string): readonly UserSymbol[] {
  const found = binary.functions(name);
  const at = name.indexOf("@");
  if (found.length > 0 || at <= 0) return found;
  const version = name.slice(at).replace(/^@+/, "");
  return binary.functions(name.slice(0, at)).filter((symbol) => symbol.versions?.includes(version));
}

/** Names of one address attach once. */
function distinct(symbols: readonly UserSymbol[]): UserSymbol[] {
  const byOffset = new Map<number, UserSymbol>();
  for (const symbol of symbols) {
    if (symbol.offset > 0 && !byOffset.has(symbol.offset)) byOffset.set(symbol.offset, symbol);
  }
  return [...byOffset.values()];
}

/** Spaces count only between words: "f(int, char)" is "f(int,char)", and "> >" is ">>". */
const tight = (text: string): string => text.replace(/\s+(?!\w)|(?<!\w)\s+/g, "");

const LONG_NAMES: readonly (readonly [long: RegExp, short: string])[] = [
  [/std::(?:__cxx11::)?basic_string<char, std::char_traits<char>, std::allocator<char> >/g, "std::string"],
  [/std::basic_((?:i|o|io)stream)<char, std::char_traits<char> >/g, "std::$1"],
];

/** As people write it: "std::string" for what it stands for. */
const short = (text: string): string =>
  LONG_NAMES.reduce((shorter, [long, name]) => shorter.replace(long, name), text);

/** Words of a pattern that stand in a mangled name otherwise, or not at all. */
const ABBREVIATED =
  /^(?:std|string|allocator|basic_string|[io]+stream|basic_[io]+stream|operator|anonymous|namespace|new|delete|lambda|unsigned|signed|int|char|short|long|bool|float|double|void|const)$/;

/** A word that the mangled name must hold too: it saves reading all others. */
function telling(pattern: string): string {
  const name = pattern.split(/[(<]/, 1)[0];
  const words = name.split(/[^\w\u0080-\uffff*?[\]{}]+/).filter((word) => /^\w+$/.test(word));
  return words.filter((word) => !ABBREVIATED.test(word)).sort((a, b) => b.length - a.length)[0] ?? "";
}

function ofLanguage(symbols: readonly UserSymbol[], written: string, language: NameLanguage): UserSymbol[] {
  const wanted = tight(written);
  const pattern = wildcard(wanted);
  // Brackets of array types are no wildcards where they stand as written.
  const isWanted = (text: string): boolean => text === wanted || pattern(text);
  const matches = (text: string): boolean => isWanted(tight(text)) || isWanted(tight(short(text)));
  const word = telling(written);
  const withParameters = wanted.includes("(");
  return symbols.filter((symbol) => {
    if (FRAGMENT.test(symbol.name)) return false;
    if (language === "cpp" && isWanted(symbol.name)) return true;
    if (!symbol.name.includes(word)) return false;
    const name = demangled(symbol.name);
    if (!name || (language === "rust" && name.language !== "rust")) return false;
    if (matches(name.text)) return true;
    const names = name.names();
    if (!withParameters) return names.some((one) => matches(one));
    // As written, without what the function gives.
    const begin = name.text.indexOf(names[0]);
    return begin > 0 && matches(name.text.slice(begin));
  });
}

const MOST_READ = 2000;

/** What the writer may have meant instead, nearest first. */
export function nearMatches(
  symbols: readonly UserSymbol[],
  name: string,
  language: NameLanguage | undefined,
): string[] {
  if (!language) {
    const near = nearest(
      name,
      symbols.map((symbol) => symbol.name),
    );
    if (near.length > 0) return near;
  }
  const last = (text: string): string => text.split("(", 1)[0].split("::").at(-1) ?? text;
  const wanted = last(name).toLowerCase();
  // Cheaper than reading every name: how it begins must be there.
  const begin = wanted.slice(0, Math.max(2, Math.floor(wanted.length * 0.6)));
  const known = new Set<string>();
  for (const symbol of symbols) {
    if (!symbol.name.toLowerCase().includes(begin)) continue;
    const found = demangled(symbol.name);
    if (!found || (language === "rust" && found.language !== "rust")) continue;
    known.add(found.names().at(-1) ?? found.text);
    if (known.size >= MOST_READ) break;
  }
  const same = [...known].filter((full) => last(full).toLowerCase() === wanted);
  return same.length > 0 ? same.slice(0, 3) : nearest(name, known);
}
