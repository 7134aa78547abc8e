/** Probes that time fires. */
import { setTimeout as sleep } from "node:timers/promises";
import { clockNs } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";
import { slowness, ticksOf } from "../../support/slowness.ts";
import { counts } from "./support.ts";

describe.skipIf(!isRoot)("clocks", () => {
  test("intervals tick on one CPU, at their rate", async () => {
    const { stdout, stderr } = await runScript(
      "interval:ms:20 { @ticks = count(); @cpus[cpu] = count(); @span = max(elapsed); } interval:hz:100 { @hz = count(); } interval:us:50000 { @us = count(); }",
      [],
      () => sleep(1000),
    );
    expect(stderr).toBe("");
    expect(counts(stdout, "@ticks").get("")).toBeGreaterThanOrEqual(ticksOf(35));
    // Attaching and stopping take their time too.
    expect(counts(stdout, "@ticks").get("")).toBeLessThanOrEqual(counts(stdout, "@span").get("")! / 20e6 + 1);
    expect(counts(stdout, "@hz").get("")).toBeGreaterThanOrEqual(ticksOf(75));
    expect(counts(stdout, "@us").get("")).toBeGreaterThanOrEqual(ticksOf(14));
    expect(counts(stdout, "@cpus").size).toBe(1);
  });

  test("the kernel's clocks are those of user space", async () => {
    const before = [clockNs("boottime"), clockNs("monotonic"), clockNs("tai")];
    const { stdout } = await runScript("begin { @ = (nsecs, nsecs(monotonic), nsecs(tai)); }");
    const told = /\((\d+), (\d+), (\d+)\)/.exec(stdout)!.slice(1).map(BigInt);
    const after = [clockNs("boottime"), clockNs("monotonic"), clockNs("tai")];
    told.forEach((time, i) => {
      expect(time).toBeGreaterThan(before[i]);
      expect(time).toBeLessThan(after[i]);
    });
  });

  test("a profile samples CPUs that are not idle, at its rate", async () => {
    const spin = () => {
      const { user } = process.cpuUsage();
      while (process.cpuUsage().user - user < 500_000) {}
    };
    const { stdout } = await runScript(
      `begin { @n = ncpus; } profile:hz:99 { @[cpu] = count(); @span = max(elapsed); } profile:hz:99 /pid == ${process.pid}/ { @own = count(); }`,
      [],
      spin,
    );
    const perCpu = [...counts(stdout, "@").values()];
    expect(perCpu.length).toBeGreaterThanOrEqual(1);
    expect(perCpu.length).toBeLessThanOrEqual(counts(stdout, "@n").get("")!);
    // The kernel keeps to a rate by adapting the distance of samples.
    const most = (counts(stdout, "@span").get("")! / 1e9) * 99 * 1.25 + 3;
    for (const samples of perCpu) expect(samples).toBeLessThanOrEqual(most);
    // Half a second of its own CPU time.
    expect(counts(stdout, "@own").get("")).toBeGreaterThanOrEqual(ticksOf(25));
    expect(counts(stdout, "@own").get("")).toBeLessThanOrEqual(most);
  });

  test("time goes on between ticks", async () => {
    const { stdout } = await runScript(
      "begin { $now = nsecs; @first = $now; @last = $now; } interval:ms:50 { $now = nsecs; @gaps = sum($now - @last); @backward = sum($now < @last); @last = $now; @n++; if (@n == 6) { @span = $now - @first; exit(); } }",
    );
    const value = (name: string) => counts(stdout, name).get("")!;
    // The first tick comes 50 ms after attaching, and a late one may be followed soon by the next, but none comes early.
    expect(value("@gaps")).toBeGreaterThanOrEqual(300e6);
    expect(value("@gaps")).toBeLessThan(600e6 * slowness);
    expect(value("@span")).toBe(value("@gaps"));
    expect(value("@backward")).toBe(0);
  });

  test("seconds", async () => {
    const { stdout } = await runScript("interval:s:1 { @ = elapsed; exit(); }");
    const elapsed = counts(stdout, "@").get("")!;
    expect(elapsed).toBeGreaterThan(9e8);
    expect(elapsed).toBeLessThan(2e9 * slowness);
  });
});
