export { libraryFolder } from "./folder.ts";
export { type Header, parseHeader } from "./header.ts";
export { type LibraryEntry, loadLibrary } from "./load.ts";
