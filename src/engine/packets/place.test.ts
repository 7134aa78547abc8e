import {
  chmodSync,
  chownSync,
  closeSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openPlace } from "./place.ts";

const OTHER = 12345;
const isRoot = process.getuid!() === 0;
let folder = "";
let shared = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tracedeck-place-"));
  shared = join(folder, "shared");
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string): void {
  const fd = openPlace(path);
  writeSync(fd, "fresh");
  closeSync(fd);
}

const MAGIC = Buffer.from("d4c3b2a1", "hex");

describe("one's own files", () => {
  test("are made for nobody else to read", () => {
    write(join(shared, "new"));
    expect(readFileSync(join(shared, "new"), "utf8")).toBe("fresh");
    expect(statSync(join(shared, "new")).mode & 0o777).toBe(0o600);
  });

  test("lose what they held, if that was packets or nothing", () => {
    const path = join(folder, "old");
    writeFileSync(path, Buffer.concat([MAGIC, Buffer.alloc(100)]));
    write(path);
    expect(readFileSync(path, "utf8")).toBe("fresh");
    writeFileSync(path, "");
    write(path);
    expect(readFileSync(path, "utf8")).toBe("fresh");
    expect(() => write(path)).toThrow(/something other than packets/);
    expect(readFileSync(path, "utf8")).toBe("fresh");
  });

  test("are reached through one's own links, absolute, relative, and of directories", () => {
    mkdirSync(join(folder, "real"));
    symlinkSync("real", join(folder, "relative"));
    symlinkSync(join(folder, "real"), join(shared, "absolute"));
    symlinkSync("../real/../real/there", join(shared, "file"));
    write(join(folder, "relative", "one"));
    write(join(shared, "absolute", "two"));
    write(join(shared, "file"));
    for (const name of ["one", "two", "there"])
      expect(readFileSync(join(folder, "real", name), "utf8")).toBe("fresh");
  });
});

test("what is no file, or not there", () => {
  symlinkSync("loop", join(folder, "loop"));
  expect(() => write(folder)).toThrow(/EISDIR|directory/);
  expect(() => write("/")).toThrow(/directory/);
  expect(() => write("/dev/null")).toThrow(/not a regular file/);
  expect(() => write(join(folder, "none", "x"))).toThrow(/ENOENT/);
  expect(() => write(join(folder, "loop"))).toThrow(/too many symbolic links/);
});

describe.skipIf(!isRoot)("what somebody else has put into a directory of everybody", () => {
  test.each([
    ["the file itself", "link"],
    ["a directory on the way", "way/file"],
  ])("links: %s", (_, name) => {
    mkdirSync(join(folder, "target"));
    symlinkSync(join(folder, "target", "file"), join(shared, "link"));
    symlinkSync(join(folder, "target"), join(shared, "way"));
    for (const link of ["link", "way"]) lchownSync(join(shared, link), OTHER, OTHER);
    expect(() => write(join(shared, name))).toThrow(/symbolic link .* is somebody else's \(uid 12345\)/);
    expect(() => statSync(join(folder, "target", "file"))).toThrow();
  });

  test("files, which they could read", () => {
    writeFileSync(join(shared, "theirs"), MAGIC);
    chownSync(join(shared, "theirs"), OTHER, OTHER);
    expect(() => write(join(shared, "theirs"))).toThrow(/somebody else|EACCES/);
    expect(readFileSync(join(shared, "theirs"))).toEqual(MAGIC);
  });

  test("other names of our own files", () => {
    writeFileSync(join(folder, "ours"), MAGIC);
    linkSync(join(folder, "ours"), join(shared, "other"));
    expect(() => write(join(shared, "other"))).toThrow(/hard link/);
    expect(readFileSync(join(folder, "ours"))).toEqual(MAGIC);
  });

  test("anything, where they could put something else in its place at any time", () => {
    chmodSync(shared, 0o777);
    symlinkSync(join(folder, "x"), join(shared, "link"));
    expect(() => write(join(shared, "link"))).toThrow(/anybody may put something else/);
    expect(() => write(join(shared, "new"))).toThrow(/anybody may put something else/);
  });
});
