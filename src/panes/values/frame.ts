/**
 * A frame in few words, for cells that hold several: the function without the address, distance and file that stand beside it,
 * without parameters, template arguments and result, and without the folders of a script's path.
 */

/** "7ff27708624a main+46 (/usr/bin/a)", "main+46 [libc]", "f(int)+3 [clone .cold]" */
const FRAME = /^(?:[0-9a-f]{6,16} )?(.+?)(?:\+\d+)?(?: [[(][^\])]*[\])])?$/;

/** "JS:*tick file:///srv/app/burn.js:3:14", "py::A.go:/srv/app/a.py" */
const SCRIPT_PATH = /([\s:])(?:[a-z]+:\/\/)?\/\S*\/([^/\s]+)$/;

const ANONYMOUS = /\(anonymous namespace\)/g;
/** Stands for the brackets of the operator that calls. */
const CALL = "\u0001";
const QUALIFIERS = /(?: (?:const|volatile|noexcept|&&?))+$/;

export function shortFrame(frame: string): string {
  const name = FRAME.exec(frame)?.[1] ?? frame;
  return /[(<]/.test(name) ? withoutArguments(name) : name.replace(SCRIPT_PATH, "$1$2");
}

function withoutArguments(name: string): string {
  // Operators are called by what brackets are made of, and Rust's implementations begin with one.
  const plain = name
    .replace(ANONYMOUS, "{anonymous}")
    .replace(/\}::operator\(\)/, "}")
    .replace(/\boperator\(\)/, `operator${CALL}`);
  if (/\boperator(?!\u0001)\b/.test(plain) || plain.startsWith("<")) return name;
  let depth = 0;
  let left = "";
  for (const char of plain) {
    if (char === "<" || char === "(") depth++;
    if (depth === 0) left += char;
    if (depth > 0 && (char === ">" || char === ")")) depth--;
  }
  if (depth > 0) return name;
  const short = left.replaceAll("::::", "::").replace(/::$/, "").replace(QUALIFIERS, "");
  return short.slice(short.lastIndexOf(" ") + 1).replace(CALL, "()") || name;
}
