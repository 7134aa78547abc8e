/** C++ names by the Itanium ABI, which every compiler of Linux uses. */
import { parseEncoding } from "./names.ts";
import type { Node } from "./nodes.ts";
import { print } from "./print.ts";
import { Malformed, Reader } from "./reader.ts";

const CLONE = /^(?:\.[A-Za-z_]+|\.\d+)(?:\.\d+)*/;

export interface CppName {
  /** "int ns::f<char>(char)" */
  text: string;
  /** What the function alone is called: "ns::f<char>", "ns::f". */
  names: () => string[];
}

/** Undefined: not such a name. */
export function demangleItanium(name: string): CppName | undefined {
  const keyed = /^_GLOBAL_[._$]([ID])_(_Z.+)$/.exec(name);
  if (keyed) {
    const of = demangleItanium(keyed[2]);
    if (!of) return undefined;
    const text = `global ${keyed[1] === "I" ? "constructors" : "destructors"} keyed to ${of.text}`;
    return { text, names: () => [text] };
  }
  if (!name.startsWith("_Z")) return undefined;
  return orNothing(() => {
    const reader = new Reader(name, 2);
    const node = parseEncoding(reader);
    let text = print(node);
    while (!reader.done) {
      const clone = CLONE.exec(name.slice(reader.at))?.[0];
      if (!clone) throw new Malformed();
      text += ` [clone ${clone}]`;
      reader.at += clone.length;
    }
    return { text, names: () => orNothing(() => namesOf(node)) ?? [text] };
  });
}

function orNothing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

function namesOf(node: Node): string[] {
  const name = node.kind === "encoding" ? node.name : node;
  const names = [print(name)];
  if (name.kind === "template") names.push(print(name.name));
  return names;
}
