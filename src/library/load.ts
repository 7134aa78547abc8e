/** The bundled scripts, read from their folder. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { libraryFolder } from "./folder.ts";
import { type Header, parseHeader } from "./header.ts";

export interface LibraryEntry extends Header {
  /** Folder and file without its ending: "files/opened". */
  name: string;
  source: string;
}

/** By subject, then title. Empty where the library is missing. */
export function loadLibrary(folder: string | undefined = libraryFolder()): LibraryEntry[] {
  if (folder === undefined) return [];
  const entries: LibraryEntry[] = [];
  for (const subject of readdirSync(folder, { withFileTypes: true })) {
    if (!subject.isDirectory()) continue;
    for (const file of readdirSync(join(folder, subject.name))) {
      if (!file.endsWith(".bt")) continue;
      const source = readFileSync(join(folder, subject.name, file), "utf8");
      entries.push({ name: `${subject.name}/${file.slice(0, -3)}`, source, ...parseHeader(source) });
    }
  }
  const compare = new Intl.Collator("en").compare;
  return entries.sort((a, b) => compare(a.subject, b.subject) || compare(a.title, b.title));
}
