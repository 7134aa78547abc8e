import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Binaries } from "./binaries.ts";

const folder = mkdtempSync(join(tmpdir(), "tracedeck-problems-"));
const binaries = new Binaries("x64");

beforeAll(() => {
  const put = (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content);
  put("script", "#!/bin/sh\necho\n");
  put("text", "hello\n");
  put("empty", "");
  put("short", "\x7fELF");
  put("library.a", "!<arch>\n");
  put("app.zip", "PK\x03\x04");
  put("serverd", "");
  const elf32 = Buffer.alloc(64);
  elf32.write("\x7fELF\x01\x01\x01", "latin1");
  put("elf32", elf32);
  // A header alone, without segments.
  const object = Buffer.alloc(64);
  object.write("\x7fELF\x02\x01\x01", "latin1");
  object.writeUInt16LE(1, 16);
  object.writeUInt16LE(process.arch === "arm64" ? 183 : 62, 18);
  put("object.o", object);
  object.writeUInt16LE(process.arch === "arm64" ? 62 : 183, 18);
  put("foreign", object);
  mkdirSync(join(folder, "directory"));
  symlinkSync("gone", join(folder, "link"));
  execFileSync("mkfifo", [join(folder, "pipe")]);
  chmodSync(join(folder, "script"), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a file that is no program", () => {
  test.each([
    ["script", "it is a script, which /bin/sh runs"],
    ["text", "it is no program (not an ELF file)"],
    ["empty", "the file is empty"],
    ["short", "it is cut short"],
    ["library.a", "it is a static library"],
    ["app.zip", `it is an archive: a library in it is ${join(folder, "app.zip")}!/NAME`],
    ["elf32", "it is a 32-bit program"],
    ["object.o", "it is an object file"],
    ["foreign", "it was built for another processor"],
  ])("%s: %s", (name, words) => {
    const [binary] = binaries.find(join(folder, name));
    expect(() => binary.symbols()).toThrow(`${join(folder, name)}: ${words}`);
    expect(() => binary.usdt()).toThrow(words);
  });
});

describe("a name that nothing has", () => {
  test.each([
    ["directory", "is a directory", "name a file in it"],
    ["link", "is a link to gone, which does not exist", ""],
    ["pipe", "is no regular file", "programs and libraries"],
    ["servrd", "there is no file", `did you mean ${join(folder, "serverd")}?`],
    ["qqqqqqqq", "there is no file", "deleted ones are found with -p PID"],
  ])("%s: %s", (name, words, hint) => {
    const path = join(folder, name);
    expect(binaries.find(path)).toEqual([]);
    const problem = binaries.whyNone(path);
    expect(problem.message).toContain(words);
    expect(problem.hint ?? "").toContain(hint);
  });

  test("programs and libraries of nearly that name are suggested", () => {
    expect(binaries.whyNone("mkfifoo").hint).toContain("did you mean mkfifo?");
    expect(binaries.whyNone("libcc").hint).toContain("libc");
  });
});
