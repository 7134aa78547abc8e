import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { traceableFunctions } from "./functions.ts";
import { liveKernel } from "./live.ts";

const folder = mkdtempSync(join(tmpdir(), "tracedeck-functions-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const list = join(folder, "functions");
writeFileSync(list, "vfs_read\n__ftrace_invalid_address___12\nkvm_exit [kvm]\nvfs_write\n");

test("a list like the kernel's, with modules, without functions that are gone", () => {
  expect(traceableFunctions(list)).toEqual(
    new Map([
      ["vmlinux", ["vfs_read", "vfs_write"]],
      ["kvm", ["kvm_exit"]],
    ]),
  );
});

test("takes the place of the kernel's own", () => {
  expect(liveKernel({ traceableFunctions: list }).functions()).toEqual(
    new Map([
      ["vmlinux", ["vfs_read", "vfs_write"]],
      ["kvm", ["kvm_exit"]],
    ]),
  );
});

test("features are done without where that is asked for", () => {
  expect(liveKernel({ without: ["perf_event"] }).has("perf_event")).toBe(false);
});
