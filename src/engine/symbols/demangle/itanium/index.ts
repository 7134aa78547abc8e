/** C++ names by the Itanium ABI, which every compiler of Linux uses. */
import { parseEncoding } from "./names.ts";
import { print } from "./print.ts";
import { Malformed, Reader } from "./reader.ts";

const CLONE = /^(?:\.[A-Za-z_]+|\.\d+)(?:\.\d+)*/;

/** "ns::f(int)" for "_ZN2ns1fEi"; undefined: not such a name. */
export function demangleItanium(name: string): string | undefined {
  const keyed = /^_GLOBAL_[._$]([ID])_(_Z.+)$/.exec(name);
  if (keyed) {
    const of = demangleItanium(keyed[2]);
    return of && `global ${keyed[1] === "I" ? "constructors" : "destructors"} keyed to ${of}`;
  }
  if (!name.startsWith("_Z")) return undefined;
  try {
    const reader = new Reader(name, 2);
    let text = print(parseEncoding(reader));
    while (!reader.done) {
      const clone = CLONE.exec(name.slice(reader.at))?.[0];
      if (!clone) return undefined;
      text += ` [clone ${clone}]`;
      reader.at += clone.length;
    }
    return text;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
