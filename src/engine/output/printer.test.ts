import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { ActionPlan, Plan, PlannedAction } from "../compile/plan.ts";
import { int, type Type } from "../compile/types.ts";
import { createPrinter, type OutputFormat } from "./printer.ts";
import { Sink } from "./sink.ts";
import { type Piece, testContext, text, u32, view } from "./testing.ts";

const folder = mkdtempSync(join(tmpdir(), "printer-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = { name: "a.bt", text: 'begin {\n  warnf("x");\n}\n' };
const span = { start: 10, end: 20 };
const string: Type = { kind: "string", size: 8 };
const s64 = int(8, true);

const action = (action: PlannedAction, ...types: Type[]): ActionPlan => {
  let offset = 8;
  const args = types.map((type) => {
    const at = offset;
    offset += type.kind === "string" ? type.size : 8;
    return { type, offset: at };
  });
  return { action, arguments: args, size: offset, span, control: false };
};

/** action, its arguments' bytes, stdout and stderr as text, stdout as JSON */
const rows: [name: string, action: ActionPlan, args: Piece[], text: string, errors: string, json: string][] =
  [
    [
      "printf",
      action({ kind: "printf", format: "%s=%d\n" }, string, s64),
      [text("a", 8), 5n],
      "a=5\n",
      "",
      '{"type": "printf", "data": "a=5\\n"}\n',
    ],
    [
      "print of a value",
      action({ kind: "print-value" }, s64),
      [7n],
      "7\n",
      "",
      '{"type": "value", "data": 7}\n',
    ],
    [
      "print of a map's element",
      action({ kind: "print-map-item", map: 0 }, string, s64),
      [text("k", 8), 7n],
      "7\n",
      "",
      '{"type": "value", "data": 7}\n',
    ],
    [
      "time",
      action({ kind: "time", format: "%Y\n" }),
      [],
      "2001\n",
      "",
      '{"type": "time", "data": "2001\\n"}\n',
    ],
    [
      "join ends at the first empty string",
      action({ kind: "join", separator: "," }, string, string, string, string),
      [text("a", 8), text("b c", 8), text("", 8), text("d", 8)],
      "a,b c\n",
      "",
      '{"type": "join", "data": "a,b c"}\n',
    ],
    [
      "cat",
      action({ kind: "cat", format: "/file/%s" }, string),
      [text("x", 8)],
      "content of /file/x\n",
      "",
      '{"type": "cat", "data": "content of /file/x\\n"}\n',
    ],
    [
      "cat of a file that can't be read",
      action({ kind: "cat", format: "/missing" }),
      [],
      "",
      "a.bt:2:3-13: ERROR: failed to open file '/missing' (no such file or directory)\n",
      "",
    ],
    [
      "system",
      action({ kind: "system", format: "echo %s" }, string),
      [text("hi", 8)],
      "ran echo hi\n\n",
      "",
      '{"type": "syscall", "data": "ran echo hi\\n"}\n',
    ],
    [
      "errorf",
      action({ kind: "errorf", format: "bad %d\n" }, s64),
      [1n],
      "",
      "a.bt:2:3-13: ERROR: bad 1\n",
      '{"type": "errorf", "msg": "bad 1", "filename": "a.bt", "line": 2, "col": 3}\n',
    ],
    [
      "a failed helper shows its line",
      action({ kind: "runtime-error" }, int(8, false), s64),
      [u32(2), u32(0), -14n],
      "",
      'a.bt:2:3-13: WARNING: errno 14\nAdditional Info - helper: probe_read_user, retcode: -14\n  warnf("x");\n  ~~~~~~~~~~\n',
      '{"type": "helper_error", "msg": "errno 14", "helper": "probe_read_user", "retcode": -14, "filename": "a.bt", "line": 2, "col": 3}\n',
    ],
  ];

async function printed(format: OutputFormat, plan: ActionPlan, args: Piece[]): Promise<[string, string]> {
  const path = join(folder, "out");
  const sink = new Sink(path);
  let errors = "";
  const printer = createPrinter(format, {
    plan: { actions: [plan], config: { maxCatBytes: 100 } } as unknown as Plan,
    files: [source],
    host: {
      context: { ...testContext, strings: ["", "", "probe_read_user"] },
      effects: {
        readFile: (name) => {
          if (name === "/missing") throw new Error("ENOENT: no such file or directory, open '/missing'");
          return Buffer.from(`content of ${name}\n`);
        },
        run: (command) => Buffer.from(`ran ${command}\n`),
      },
      now: () => BigInt(new Date(2001, 5, 1).getTime()) * 1_000_000n,
      errorText: (errno) => `errno ${errno}`,
    },
    sink,
    error: (line) => {
      errors += line;
    },
  });
  printer.record(0, view(0n, ...args), 0);
  await sink.close();
  return [readFileSync(path, "utf8"), errors];
}

describe("what actions print", () => {
  test.each(rows)("%s", async (_name, plan, args, output, errors, json) => {
    expect(await printed("text", plan, args)).toEqual([output, errors]);
    expect((await printed("json", plan, args))[0]).toBe(json);
  });
});
