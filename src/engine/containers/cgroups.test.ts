import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { slowness } from "../../../test/support/slowness.ts";
import { cpuMs } from "../clock.ts";
import { Cgroups } from "./cgroups.ts";

let folder = "";
let mounts = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tracedeck-cgroups-"));
  mounts = join(folder, "mounts");
  writeFileSync(mounts, `cgroup2 ${folder}/tree cgroup2 rw 0 0\n`);
  for (let slice = 0; slice < 20; slice++)
    for (let unit = 0; unit < 50; unit++) mkdirSync(`${folder}/tree/${slice}/${unit}`, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

const idOf = (path: string): bigint => statSync(`${folder}/tree${path}`, { bigint: true }).ino;

it("knows cgroups by their ids, also those that came later or are gone", () => {
  const cgroups = new Cgroups(mounts);
  expect(cgroups.unifiedPath(idOf("/3/4"))).toBe("/3/4");
  expect(cgroups.unifiedPath(1n)).toBeUndefined();
  mkdirSync(`${folder}/tree/later`);
  const later = idOf("/later");
  expect(cgroups.pathOf(later, "uni*")).toBe("unified:/later");
  rmdirSync(`${folder}/tree/later`);
  expect(cgroups.unifiedPath(later)).toBe("/later");
});

function cpu(work: () => void): number {
  const before = cpuMs();
  work();
  return cpuMs() - before;
}

it("does not walk the hierarchy for each of many that are gone", () => {
  const cgroups = new Cgroups(mounts);
  const walk = cpu(() => void cgroups.unifiedPath(1n));
  const ask = cpu(() => {
    for (let round = 0; round < 3; round++)
      for (let id = 0n; id < 1000n; id++) cgroups.unifiedPath((1n << 40n) + id);
  });
  // 3000 walks without a limit; a fifth of a second's worth of them with one.
  expect(ask).toBeLessThan(Math.min(300 * walk, (1000 + 2 * walk) * slowness));
});
