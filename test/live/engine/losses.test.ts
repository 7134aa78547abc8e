import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { compile } from "../../../src/engine/compile/compile.ts";
import { liveKernel } from "../../../src/engine/kernel/live.ts";
import { type Losses, NO_LOSSES } from "../../../src/engine/protocol.ts";
import { Session } from "../../../src/engine/session/session.ts";
import { slowness } from "../../support/slowness.ts";
import { program } from "../work/support.ts";

/** Runs a script around some work; how many records came, and what was lost. */
async function run(
  source: string,
  work: (session: Session) => void | Promise<void> = () => {},
): Promise<{ records: number; losses: Losses; session: Session }> {
  const { plan, diagnostics } = compile(source, liveKernel());
  expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  const session = new Session(plan!);
  let records = 0;
  await session.start({ onEvent: () => void records++, onPrintMap: () => {} });
  await work(session);
  session.stop();
  await session.ended;
  const losses = session.losses();
  return { records, losses, session };
}

const work = program("work.c");
const getppid = (times: number) => execFileSync(work.path, ["calls", String(times)]);

it("counts keys that found their map full", async () => {
  const { losses, session } = await run(
    "config = { max_map_keys = 10 } begin { for ($i : 0..25) { @a[$i] = 1; } @b[1] = 1; }",
  );
  expect(losses.mapsFull).toEqual([{ map: "@a", count: 15 }]);
  const a = session.scriptMaps().find((i) => session.plan.maps[i].name === "@a")!;
  expect(session.readMap(a).count).toBe(10);
  session.close();
});

it("counts every record that found no room: kept and lost make up all", async () => {
  const { records, losses, session } = await run(
    'config = { perf_rb_pages = 1 } tracepoint:syscalls:sys_enter_getppid { @ = count(); printf("%d\\n", pid); }',
    // Nothing is read meanwhile: this thread waits for the child.
    () => void getppid(5000),
  );
  const all = Number(session.readMap(0).words![0]);
  expect(all).toBeGreaterThanOrEqual(5000);
  expect(losses.eventsLost).toBeGreaterThan(0);
  expect(records + losses.eventsLost).toBe(all);
  session.close();
});

it("loses nothing of what the ring has room for", async () => {
  const { records, losses, session } = await run(
    'tracepoint:syscalls:sys_enter_getppid { @ = count(); printf("%d\\n", pid); }',
    () => void getppid(50_000),
  );
  expect(losses).toEqual(NO_LOSSES);
  expect(records).toBe(Number(session.readMap(0).words![0]));
  session.close();
});

it("runs actions on signals to itself", async () => {
  const { records, session } = await run('self:signal:SIGUSR2 { printf("%d\\n", 1); }', async (running) => {
    process.kill(process.pid, "SIGUSR2");
    const deadline = performance.now() + 20_000 * slowness;
    while (running.eventCount === 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  expect(records).toBe(1);
  session.close();
});
