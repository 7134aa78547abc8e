/**
 * Opening a file to write packets to, as root and by a path that a script names. Somebody else may have put something
 * there: in a directory that anybody may write to (/tmp) links are followed and files overwritten only if they are
 * root's or our own, whatever fs.protected_symlinks says. The way is walked by descriptors, so that nothing changes under it.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";
import { resolve } from "node:path";

const O_PATH = 0o10000000;
const MOST_LINKS = 40;
/** Packets are nobody else's to read. */
const MODE = 0o600;
/** Captures of microseconds and nanoseconds, of either byte order, and pcapng. */
const CAPTURES = new Set(["a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a"]);

const isShared = ({ mode }: Stats): boolean => (mode & 0o002) !== 0;
const isSticky = ({ mode }: Stats): boolean => (mode & 0o1000) !== 0;
const isOurs = ({ uid }: Stats): boolean => uid === 0 || uid === process.geteuid?.();

/** Why what stands in a directory may be somebody else's doing; undefined: it is not. */
function whyNot(what: Stats, directory: Stats): string | undefined {
  if (!isShared(directory)) return undefined;
  if (!isSticky(directory)) return "is in a directory where anybody may put something else in its place";
  return isOurs(what) ? undefined : `is somebody else's (uid ${what.uid})`;
}

/** A descriptor, closed when the next one takes its place. */
class Step implements Disposable {
  fd = openSync("/", O_PATH | constants.O_DIRECTORY);

  to(fd: number): void {
    closeSync(this.fd);
    this.fd = fd;
  }

  below(name: string): string {
    return `/proc/self/fd/${this.fd}/${name}`;
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

/** An empty file to write to; what it held before is gone. Throws an Error with a sentence, or Node's. */
export function openPlace(path: string): number {
  using directory = new Step();
  let rest = resolve(path).split("/").filter(Boolean);
  if (rest.length === 0) throw new Error("it is a directory");
  for (let links = 0; ; ) {
    const [name, ...more] = rest;
    const within = fstatSync(directory.fd);
    let found: number | undefined;
    try {
      found = openSync(directory.below(name), O_PATH | constants.O_NOFOLLOW);
    } catch (error) {
      if (!isMissing(error) || more.length > 0) throw error;
    }
    const what = found === undefined ? undefined : fstatSync(found);
    if (what?.isSymbolicLink()) {
      closeSync(found!);
      const why = whyNot(what, within);
      if (why) throw new Error(`the symbolic link ${name} ${why}`);
      if (++links > MOST_LINKS) throw new Error("it leads through too many symbolic links");
      const target = readlinkSync(directory.below(name));
      if (target.startsWith("/")) directory.to(openSync("/", O_PATH | constants.O_DIRECTORY));
      rest = [...target.split("/").filter(Boolean), ...more];
      if (rest.length === 0) throw new Error("it is a directory");
    } else if (more.length > 0) {
      directory.to(found!);
      rest = more;
    } else {
      if (found !== undefined) closeSync(found);
      return opened(directory.below(name), within);
    }
  }
}

function opened(path: string, directory: Stats): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const fd = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, MODE);
  try {
    const file = fstatSync(fd);
    if (!file.isFile()) throw new Error("it is not a regular file");
    const why = whyNot(file, directory);
    if (why) throw new Error(`it ${why}`);
    if (isShared(directory) && file.nlink > 1) throw new Error("it has another name elsewhere (a hard link)");
    if (file.size > 0 && !holdsPackets(fd))
      throw new Error("it is there and holds something other than packets; it is left as it is");
    ftruncateSync(fd);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function holdsPackets(fd: number): boolean {
  const magic = Buffer.alloc(4);
  readSync(fd, magic, 0, 4, 0);
  return CAPTURES.has(magic.toString("hex"));
}
