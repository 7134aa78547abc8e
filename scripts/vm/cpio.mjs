// Writes cpio archives of the "newc" format, which the kernel unpacks as its first root file system. Archives may follow
// each other in one file, so parts that seldom change are made once.
import { closeSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";

const DIRECTORY = 0o040000;
const FILE = 0o100000;
const LINK = 0o120000;

export class Archive {
  #fd;
  #offset = 0;
  #inode = 1;
  #names = new Set(["/"]);

  constructor(path) {
    this.#fd = openSync(path, "w");
  }

  #write(bytes) {
    for (let done = 0; done < bytes.length; done += writeSync(this.#fd, bytes, done));
    this.#offset += bytes.length;
  }

  #pad(to = 4) {
    this.#write(Buffer.alloc((to - (this.#offset % to)) % to));
  }

  #entry(name, mode, content) {
    const stored = `${name.replace(/^\//, "")}\0`;
    const fields = [
      this.#inode++,
      mode,
      0,
      0,
      1,
      0,
      content.length,
      0,
      0,
      0,
      0,
      Buffer.byteLength(stored),
      0,
    ];
    this.#write(Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}`));
    this.#write(Buffer.from(stored));
    this.#pad();
    this.#write(content);
    this.#pad();
  }

  /** Whether the path was not there yet; makes the folders above it. */
  #claim(path) {
    if (this.#names.has(path)) return false;
    this.#names.add(path);
    if (dirname(path) !== "/") this.folder(dirname(path));
    return true;
  }

  folder(path, mode = 0o755) {
    if (this.#claim(path)) this.#entry(path, DIRECTORY | mode, Buffer.alloc(0));
  }

  link(path, target) {
    if (this.#claim(path)) this.#entry(path, LINK | 0o777, Buffer.from(target));
  }

  text(path, text, mode = 0o644) {
    if (this.#claim(path)) this.#entry(path, FILE | mode, Buffer.from(text));
  }

  /** A file of this machine, what links lead to. */
  file(path, source = path) {
    if (this.#claim(path)) this.#entry(path, FILE | (statSync(source).mode & 0o777), readFileSync(source));
  }

  close() {
    this.#entry("TRAILER!!!", 0, Buffer.alloc(0));
    this.#pad(512);
    closeSync(this.#fd);
  }
}
