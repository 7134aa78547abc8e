/** Wildcards of probe specs: `*`, `?`, `[a-z]` and `{a,b}`. */

export const hasWildcard = (pattern: string): boolean => /[*?]|\[.+\]|\{.*\}/.test(pattern);

/** Matches whole names. A broken pattern matches itself only. */
export function wildcard(pattern: string): (name: string) => boolean {
  if (!hasWildcard(pattern)) return (name) => name === pattern;
  let source = "";
  let braces = 0;
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i];
    const close = c === "[" ? pattern.indexOf("]", i + 2) : -1;
    if (c === "*") source += ".*";
    else if (c === "?") source += ".";
    else if (c === "[" && close > 0) {
      const set = pattern.slice(i + 1, close).replace(/[\\\]^]/g, "\\$&");
      source += `[${set.startsWith("!") ? `^${set.slice(1)}` : set}]`;
      i = close;
    } else if (c === "{" && pattern.indexOf("}", i) > 0) {
      braces++;
      source += "(?:";
    } else if (c === "," && braces > 0) source += "|";
    else if (c === "}" && braces > 0) {
      braces--;
      source += ")";
    } else source += c.replace(/[.+^$()|\\[\]{}]/g, "\\$&");
  }
  try {
    const expression = new RegExp(`^${source}$`, "s");
    return (name) => expression.test(name);
  } catch {
    return (name) => name === pattern;
  }
}
