import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Sink } from "./sink.ts";

const folder = mkdtempSync(join(tmpdir(), "sink-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

describe("sink", () => {
  test("keeps the order of many writes of many sizes", async () => {
    const path = join(folder, "order");
    const sink = new Sink(path);
    let expected = "";
    for (let i = 0; i < 3000; i++) {
      const line = `${i} ${"x".repeat(i % 700)}\n`;
      expected += line;
      sink.out.ascii(line);
      sink.wrote();
      if (i % 7 === 0) sink.flush();
      if (i % 500 === 0) await soon();
    }
    await sink.close();
    expect(readFileSync(path, "utf8")).toBe(expected);
  });

  test("flush writes at once, full buffering does not", async () => {
    for (const full of [false, true]) {
      const path = join(folder, `full-${full}`);
      const sink = new Sink(path, { full });
      sink.out.ascii("line\n");
      sink.flush();
      await soon();
      await expect.poll(() => readFileSync(path, "utf8")).toBe(full ? "" : "line\n");
      await sink.close();
      expect(readFileSync(path, "utf8")).toBe("line\n");
    }
  });

  test("a slow reader makes it unready, not blocked", async () => {
    const fifo = join(folder, "fifo");
    execFileSync("mkfifo", [fifo]);
    const reader = openSync(fifo, "r+");
    const sink = new Sink(openSync(fifo, "w"));
    const started = performance.now();
    while (sink.ready) {
      sink.out.ascii("x".repeat(100_000));
      sink.wrote();
    }
    expect(performance.now() - started).toBeLessThan(20_000);
    closeSync(reader);
    await sink.close();
  });

  test("a reader that has gone is told once, and later writes vanish", async () => {
    const fifo = join(folder, "gone");
    execFileSync("mkfifo", [fifo]);
    const reader = openSync(fifo, "r+");
    let told = 0;
    const sink = new Sink(openSync(fifo, "w"), { onBroken: () => told++ });
    closeSync(reader);
    sink.out.ascii("one\n");
    sink.flush();
    await expect.poll(() => sink.broken).toBe(true);
    sink.out.ascii("two\n");
    sink.flush();
    await sink.close();
    expect(told).toBe(1);
  });
});
