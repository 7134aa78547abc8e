/** Functions of libraries that programs map from within an archive. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archiveMember } from "libbpf-ts";
import { afterAll, describe, expect, test } from "vitest";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { cProgram } from "../../support/programs.ts";
import { runScript } from "../../support/script.ts";
import { counts } from "../work/support.ts";
import { canTraceC } from "./support.ts";

const source = join(import.meta.dirname, "archive.c");
const PAGE = 4096;

interface Member {
  name: string;
  bytes: Buffer;
  /** 0: as it is; 8: deflated. */
  method?: number;
}

/** A ZIP archive whose members begin at pages, as zipalign puts them. */
function archiveOf(members: readonly Member[]): Buffer {
  const parts: Buffer[] = [];
  const entries: Buffer[] = [];
  let at = 0;
  const add = (bytes: Buffer) => {
    parts.push(bytes);
    at += bytes.length;
  };
  for (const { name, bytes, method = 0 } of members) {
    const local = at;
    const file = Buffer.from(name);
    const padding = (PAGE - ((at + 30 + file.length) % PAGE)) % PAGE;
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50);
    header.writeUInt16LE(method, 8);
    header.writeUInt32LE(bytes.length, 18);
    header.writeUInt32LE(bytes.length, 22);
    header.writeUInt16LE(file.length, 26);
    header.writeUInt16LE(padding, 28);
    for (const part of [header, file, Buffer.alloc(padding), bytes]) add(part);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(bytes.length, 20);
    entry.writeUInt32LE(bytes.length, 24);
    entry.writeUInt16LE(file.length, 28);
    entry.writeUInt32LE(local, 42);
    entries.push(entry, file);
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, directory, end]);
}

describe.skipIf(!canTraceC)("a library in an archive", () => {
  const library = cProgram(source, { name: "libarchived.so", flags: ["-shared", "-fPIC", "-g"] });
  const loader = cProgram(source, { name: "archive-loader", flags: ["-DLOADER"] });
  const folder = mkdtempSync(join(tmpdir(), "tracedeck-archive-"));
  const archive = join(folder, "app.zip");
  const inside = `${archive}!/lib/libarchived.so`;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const make = () =>
    writeFileSync(
      archive,
      archiveOf([
        { name: "notes.txt", bytes: Buffer.from("not a library\n") },
        { name: "lib/libarchived.so", bytes: readFileSync(library.path) },
        { name: "lib/packed.so", bytes: Buffer.from("anything"), method: 8 },
      ]),
    );

  test.each([
    [`uprobe:"${inside}":archived`, "archived"],
    [`uprobe:${inside}:arch*`, "archived"],
    [`uprobe:${inside}@archive.c:18`, "a line"],
  ])("%s counts the calls of who maps it", async (spec) => {
    make();
    const [{ offset }] = liveKernel().binaries(inside)[0].functions("archived");
    const at = archiveMember(inside)!.offset + offset;
    const page = at - (at % PAGE);
    const { stdout, stderr } = await runScript(`${spec} { @ = count(); @sum = sum(arg0); }`, [
      "-c",
      `${loader.path} ${archive} ${page} ${at - page} 5`,
    ]);
    expect(stderr).toBe("");
    expect(counts(stdout, "@").get("")).toBe(5);
    expect(counts(stdout, "@sum").get("")).toBe(10);
  });

  test.each([
    ["lib/nothing.so", "it has no lib/nothing.so"],
    ["lib/packed.so", "lib/packed.so is compressed in it"],
    ["notes.txt", "can't be traced"],
  ])("%s: %s", async (name, said) => {
    make();
    const { stderr, status } = await runScript(`uprobe:${archive}!/${name}:f { @ = count(); }`);
    expect(status).toBe(1);
    expect(stderr).toContain(said);
  });

  test("an archive that is none, or cut short", async () => {
    const bad = join(folder, "bad.zip");
    for (const bytes of [Buffer.from("PK"), archiveOf([]).subarray(0, 10), Buffer.alloc(100)]) {
      writeFileSync(bad, bytes);
      const { stderr } = await runScript(`uprobe:${bad}!/lib/x.so:f { @ = count(); }`);
      expect(stderr).toContain(`${bad}: no ZIP archive`);
    }
  });
});
