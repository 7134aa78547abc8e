/** Arguments, types and source lines of a program with debug info (testing/recordedProgram.ts). */
import { expect, describe as group, it } from "vitest";
import { compile } from "../compile.ts";
import { checked, checkSource, fullKernel } from "../testing/check.ts";
import { describe } from "./describe.ts";

const SERVE = "uprobe:/usr/bin/server:serve";

function typeOf(expression: string, probe = SERVE): string {
  const program = checked(`${probe} { @r = ${expression}; }`);
  return describe(program.maps[0].value);
}

group("types of arguments", () => {
  it.each([
    ["args.request", "struct request *"],
    ["args.request->length", "int32"],
    ["args.request.next.next->length", "int32"],
    ["args.level", "enum level"],
    ["args.tries", "int16"],
    ["args.level == URGENT", "bool"],
    ["((struct request *)arg0)->length", "int32"],
    ["((request_t *)arg0)->length", "int32"],
    ["(enum level)arg4", "enum level"],
    ["sizeof(struct request)", "uint64"],
  ])("%s is %s", (expression, type) => {
    expect(typeOf(expression)).toBe(type);
  });

  it("casts a result to the program's types", () => {
    expect(typeOf("((struct request *)retval)->length", "uretprobe:/usr/bin/server:serve")).toBe("int32");
  });

  it("reads each argument where it is", () => {
    const { actions } = checked(`${SERVE} { $a = args.request; $b = args.level; $c = args.tries; }`);
    const slots = actions[0].body.statements.map((s) =>
      s.op === "set-local" && s.value?.op === "cast" ? s.value.operand : undefined,
    );
    expect(slots).toMatchObject([
      { op: "arg", index: 0 },
      { op: "arg", index: 7 },
      { op: "reg", name: "bx" },
    ]);
  });

  it("compiles what it checks", () => {
    const { plan, diagnostics } = compile(
      `${SERVE} { @[args.level] = sum(args.request->length + args.tries); }`,
      fullKernel(),
    );
    expect(diagnostics).toEqual([]);
    expect(plan?.programs).toHaveLength(1);
  });
});

group("source lines", () => {
  const offsets = (probe: string) =>
    checked(`${probe} { @ = count(); }`).actions.flatMap(({ probes }) =>
      probes.map(({ name, attach }) => [name, attach.kind === "uprobe" ? attach.offset : 0, attach]),
    );

  it("attaches where the line begins", () => {
    expect(offsets("uprobe:/usr/bin/server@server.c:12")).toMatchObject([
      ["uprobe:/usr/bin/server@server.c:12", 0x1210, { symbol: "serve", return: false }],
    ]);
  });

  it("attaches everywhere, and tells places apart", () => {
    expect(offsets("uprobe:/usr/bin/server@server.c:20")).toMatchObject([
      ["uprobe:/usr/bin/server@server.c:20#1", 0x1230, { symbol: "serve" }],
      ["uprobe:/usr/bin/server@server.c:20#2", 0x1310, { symbol: "accept_all" }],
    ]);
  });

  it("has args where the line is the function's beginning", () => {
    expect(typeOf("args.tries", "uprobe:/usr/bin/server@server.c:10")).toBe("int16");
  });
});

group("problems", () => {
  it.each([
    [`${SERVE} { print(args.weight); }`, "unreadable-argument", "args.request, args.level, args.tries"],
    [`${SERVE} { print(args); }`, "unreadable-argument", "weight"],
    [`${SERVE} { print(args.request->size); }`, "unknown-field", "length"],
    [`${SERVE} { print(args.leve); }`, "unknown-argument", "level"],
    ["uprobe:/usr/bin/server:accept_all { print(args); }", "no-debug-info", "without -g"],
    ["uprobe:/usr/bin/server@server.c:12 { print(args); }", "no-debug-info", "inside a function"],
    [
      "uprobe:/usr/bin/stripped:serve { print(args.request); }",
      "no-debug-info",
      "/usr/lib/debug/.build-id/ab/cd.debug",
    ],
    ["uprobe:/usr/bin/stripped:serve { print((struct nonesuch *)arg0); }", "unknown-type", "no debug info"],
    ["uprobe:/usr/bin/stripped@server.c:10 { }", "no-debug-info", "build it with -g"],
    ["uprobe:/usr/bin/server@server.c:11 { }", "unknown-line", "server.c:10 and server.c:12"],
    ["uprobe:/usr/bin/server@main.c:1 { }", "unknown-line", "main.c"],
    ["uprobe:/usr/bin/server@util.c:1 { }", "unknown-line", "/src/a/util.c"],
    ["uprobe:/usr/bin/server:twice { }", "unknown-function", "uprobe:/usr/bin/server@/src/server.c:20"],
    ["uprobe:@server.c:12 { }", "probe-syntax", "BINARY@FILE:LINE"],
    ["uprobe:/usr/bin/server@server.c:1:x { }", "probe-syntax", "FILE:LINE:COLUMN"],
    ["uretprobe:/usr/bin/server@server.c:12 { }", "probe-syntax", "uprobe:/usr/bin/server@server.c:12"],
    ["uretprobe:/usr/bin/server:serve { print(args.request); }", "no-arguments", "retval"],
  ])("%s → %s", (source, code, words) => {
    const { diagnostics } = checkSource(source);
    const found = diagnostics.find((diagnostic) => diagnostic.code === code);
    expect(diagnostics.map((diagnostic) => diagnostic.code)).toContain(code);
    expect(`${found!.message} ${found!.hint ?? ""}`).toContain(words);
  });
});
