import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { tokenize } from "../syntax/lexer.ts";
import { libraryFolder, loadLibrary, parseHeader } from "./index.ts";

describe("a header", () => {
  it("has its fields, over several lines", () => {
    const header = parseHeader(
      "#!/usr/bin/env -S tracedeck run\n// title: A b\n// subject: C\n// question: Why: what?\n" +
        "// option pid=: the process\n//   to watch\n// option least=10: limit: in ms\n// option text=a b: words\n" +
        "// reading: one\n//   two\n//   three\n\n// no: more\nBEGIN { }\n",
    );
    expect(header).toEqual({
      title: "A b",
      subject: "C",
      question: "Why: what?",
      options: [
        { name: "pid", default: "", description: "the process to watch" },
        { name: "least", default: "10", description: "limit: in ms" },
        { name: "text", default: "a b", description: "words" },
      ],
      reading: "one two three",
    });
  });

  it("is empty where there is none", () => {
    expect(parseHeader("BEGIN { }")).toEqual({
      title: "",
      subject: "",
      question: "",
      options: [],
      reading: "",
    });
  });
});

describe("the folder", () => {
  const root = mkdtempSync(join(tmpdir(), "library-"));
  afterAll(() => rmSync(root, { recursive: true }));

  it("is found beside package.json, from anywhere below it", () => {
    mkdirSync(join(root, "scripts-library", "a"), { recursive: true });
    mkdirSync(join(root, "dist", "deep"), { recursive: true });
    expect(libraryFolder([join(root, "dist", "deep")])).toBeUndefined();
    writeFileSync(join(root, "package.json"), "{}");
    expect(libraryFolder([join(root, "dist", "deep")])).toBe(join(root, "scripts-library"));
  });

  it("may hold more than scripts", () => {
    writeFileSync(join(root, "scripts-library", "a", "x.bt"), "// title: X\n");
    writeFileSync(join(root, "scripts-library", "a", "notes.md"), "");
    expect(loadLibrary(join(root, "scripts-library")).map(({ name, title }) => [name, title])).toEqual([
      ["a/x", "X"],
    ]);
  });

  it("may be missing", () => expect(libraryFolder([tmpdir()])).toBeUndefined());
});

const scripts = loadLibrary();

describe("the bundled scripts", () => {
  it("are at least sixteen, in folders that agree with their subjects", () => {
    expect(scripts.length).toBeGreaterThanOrEqual(16);
    const subjects = new Map<string, Set<string>>();
    for (const { name, subject } of scripts) {
      const folder = name.split("/")[0];
      subjects.set(folder, (subjects.get(folder) ?? new Set()).add(subject));
    }
    for (const names of subjects.values()) expect(names.size).toBe(1);
    expect(new Set(scripts.map(({ title }) => title)).size).toBe(scripts.length);
  });

  describe.each(scripts)("$name", ({ title, subject, question, options, reading, source }) => {
    it("says what it is", () => {
      expect(title).not.toBe("");
      expect(subject).not.toBe("");
      expect(question).toMatch(/\?$/);
      expect(reading.length).toBeGreaterThan(60);
      expect(source.startsWith("#!/usr/bin/env -S tracedeck run\n")).toBe(true);
    });

    it("names the options that it takes, with their defaults", () => {
      const taken = new Map<string, string>();
      for (const [, name, value] of source.matchAll(/getopt\("([^"]+)"(?:, ("[^"]*"|[^,)]+))?/g)) {
        taken.set(name, value?.replace(/"/g, "") ?? "false");
      }
      expect(options.map(({ name }) => name).sort()).toEqual([...taken.keys()].sort());
      for (const option of options) {
        expect(option.description).not.toBe("");
        if (option.default !== "") expect(option.default).toBe(taken.get(option.name));
      }
    });

    it("explains maps that it has, and has no probes that need kprobes", () => {
      const maps = new Set(
        tokenize(source)
          .filter(({ kind }) => kind === "map")
          .map(({ text }) => text),
      );
      for (const [name] of reading.matchAll(/@\w+/g)) expect(maps).toContain(name);
      const probes = tokenize(source).filter(({ kind }) => kind === "probe");
      for (const { text } of probes)
        expect(text).toMatch(/^(begin|end|tracepoint:|software:|profile:|interval:|uprobe:)/);
    });

    it("stays within 100 columns", () => {
      for (const line of source.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    });
  });
});
