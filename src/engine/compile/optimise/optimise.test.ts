import { expect, test } from "vitest";
import { Builder } from "../ir/build.ts";
import { printFunc } from "../ir/print.ts";
import { constant, reg } from "../ir/types.ts";
import { optimise } from "./index.ts";

/** The optimised body as text, without the header. */
function optimised(build: (b: Builder) => void): string[] {
  const b = new Builder("f", "main", 1);
  build(b);
  b.return();
  const [func] = optimise({ name: "p", functions: [b.func] }).functions;
  return printFunc(func)
    .split("\n")
    .slice(1)
    .filter((line) => !/^ {2}slot/.test(line))
    .map((line) => line.trim());
}

const OUT = { kind: "map-value", map: 0, offset: 0 } as const;

test("a helper without effects is called once, where both uses can see it", () => {
  expect(
    optimised((b) => {
      const pid = b.alu("rsh", b.call("get_current_pid_tgid"), constant(32));
      b.when("ne", pid, constant(1), () => {
        b.store(OUT, 0, 8, b.extend(b.call("get_current_pid_tgid"), 4, false));
      });
    }),
  ).toEqual(
    [
      "entry.0:",
      "%1 = get_current_pid_tgid()",
      "%2 = %1 >> 32",
      "if %2 != 1 goto then.1 else after.2",
      "then.1:",
      "u64[&map0] = %4".replace("%4", "%4"),
      "return 0",
      "after.2:",
      "return 0",
    ].flatMap((line) => (line.startsWith("u64[&map0]") ? ["%4 = (u32)%1", line] : [line])),
  );
});

test("helpers in two branches are not shared", () => {
  const lines = optimised((b) => {
    const yes = b.block("yes");
    const no = b.block("no");
    b.branch("eq", b.load(OUT, 0, 8), constant(0), yes, no);
    b.startBlock(yes);
    b.store(OUT, 8, 8, b.call("get_current_pid_tgid"));
    b.return();
    b.startBlock(no);
    b.store(OUT, 16, 8, b.call("get_current_pid_tgid"));
  });
  expect(lines.filter((line) => line.includes("get_current_pid_tgid"))).toHaveLength(2);
});

test("clocks are read each time", () => {
  const lines = optimised((b) => {
    const start = b.call("ktime_get_ns");
    b.store(OUT, 0, 8, b.alu("sub", b.call("ktime_get_ns"), start));
  });
  expect(lines.filter((line) => line.includes("ktime_get_ns"))).toHaveLength(2);
});

test("constants reach branches, and what is never reached goes", () => {
  expect(
    optimised((b) => {
      const five = b.toReg(constant(5));
      b.when("gt", b.alu("mul", reg(five), constant(2)), constant(3), () => b.store(OUT, 0, 8, constant(1)));
      b.store(OUT, 8, 8, constant(2));
    }),
  ).toEqual(["entry.0:", "u64[&map0] = 1", "u64[&map0+8] = 2", "return 0"]);
});

test("unused results go, effects stay", () => {
  expect(
    optimised((b) => {
      b.call("get_smp_processor_id");
      b.load(OUT, 0, 8);
      b.call("map_delete_elem", { kind: "map", map: 0 }, OUT);
    }),
  ).toEqual(["entry.0:", "map_delete_elem(map(map0), &map0)", "return 0"]);
});

test("multiplying and dividing by powers of two shifts", () => {
  const lines = optimised((b) => {
    const x = b.load(OUT, 0, 8);
    b.store(OUT, 0, 8, b.alu("div", b.alu("mul", x, constant(8)), constant(1024)));
  });
  expect(lines).toContain("%2 = %1 << 3");
  expect(lines).toContain("%3 = %2 >> 10");
});
