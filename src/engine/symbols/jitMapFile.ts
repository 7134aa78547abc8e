/**
 * The maps that JITs keep in files, read while they grow: only when an address is not found, only what was added, and seldom
 * enough. All of them together keep to one bound, the least used going first.
 */
import { closeSync, constants, readSync } from "node:fs";
import { openFileWithin } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";
import { JitMap, type JitSymbol } from "./jitMap.ts";

/** Bytes that are read of one file, and memory of all. */
const MOST_BYTES = 64 << 20;
const MOST_MEMORY = 128 << 20;
/** Milliseconds between readings of one file, and the part of the time that they may take. */
const READ_EVERY = 200;
const SHARE = 20;
/** So many bytes before the end tell whether a file has only grown. */
const OVERLAP = 64;
const NEWLINE = 10;

/** The files that are in memory, the least recently used first. */
const held = new Set<JitMapFile>();

function makeRoom(): void {
  let memory = 0;
  for (const file of held) memory += file.memory;
  for (const file of held) {
    if (memory <= MOST_MEMORY) return;
    memory -= file.memory;
    file.forget();
  }
}

export class JitMapFile {
  readonly path: string;
  /** Of what was added one after the other, each less than half as long as the one before. */
  #pieces: JitMap[] = [];
  #identity = "";
  #inode = 0;
  /** Bytes that were read, up to the last whole line, and the last of them. */
  #end = 0;
  #overlap = Buffer.alloc(0);
  #readAgain = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.path = path;
  }

  /** `uid`: whose the file must be. */
  at(address: number, uid: number): JitSymbol | undefined {
    return this.#find(address) ?? (this.#read(uid) ? this.#find(address) : undefined);
  }

  get memory(): number {
    return this.#pieces.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Gives its memory back; the file is read again when it is asked for. */
  forget(): void {
    held.delete(this);
    this.#pieces = [];
    this.#identity = "";
    this.#end = 0;
    this.#overlap = Buffer.alloc(0);
  }

  #find(address: number): JitSymbol | undefined {
    for (let i = this.#pieces.length - 1; i >= 0; i--) {
      const found = this.#pieces[i].at(address);
      if (!found) continue;
      held.delete(this);
      held.add(this);
      return found;
    }
    return undefined;
  }

  /** Whether there is something new. Links, pipes and other users' files are not followed. */
  #read(uid: number): boolean {
    const begin = monotonicMs();
    if (begin < this.#readAgain) return false;
    this.#readAgain = begin + READ_EVERY;
    let file: ReturnType<typeof openFileWithin>;
    try {
      file = openFileWithin(this.path, constants.O_NOFOLLOW);
    } catch {
      return false;
    }
    if (!file) return false;
    const { fd, stat } = file;
    try {
      const identity = `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
      if (stat.uid !== uid || identity === this.#identity) return false;
      if (stat.ino !== this.#inode || stat.size <= this.#end || !this.#continues(fd)) this.forget();
      this.#identity = identity;
      this.#inode = stat.ino;
      this.#add(bytesOf(fd, this.#end, Math.min(stat.size, MOST_BYTES)));
      return true;
    } catch {
      return false;
    } finally {
      closeSync(fd);
      const end = monotonicMs();
      this.#readAgain = end + Math.max(READ_EVERY, (end - begin) * SHARE);
    }
  }

  #continues(fd: number): boolean {
    return bytesOf(fd, this.#end - this.#overlap.length, this.#end).equals(this.#overlap);
  }

  #add(text: Buffer): void {
    if (text.length === 0) return;
    const whole = text.lastIndexOf(NEWLINE) + 1;
    if (whole > 0) {
      this.#end += whole;
      this.#overlap = Buffer.from(text.subarray(Math.max(0, whole - OVERLAP), whole));
    }
    let piece = new JitMap(text);
    for (let last = this.#pieces.at(-1); last && piece.bytes * 2 >= last.bytes; last = this.#pieces.at(-1)) {
      piece = last.with(piece);
      this.#pieces.pop();
    }
    this.#pieces.push(piece);
    held.delete(this);
    held.add(this);
    makeRoom();
  }
}

function bytesOf(fd: number, from: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, end - from));
  let length = 0;
  while (length < bytes.length) {
    const read = readSync(fd, bytes, length, bytes.length - length, from + length);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
}
