/** Constants of C headers, which boxes seldom have: the table against the headers of the machine that runs the tests. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { KNOWN_CONSTANTS } from "../../../src/engine/compile/tables/constants.ts";
import { commandPath } from "../../support/cli.ts";
import { prints } from "./rows.ts";

const HEADERS =
  "errno.h fcntl.h sched.h signal.h stdio.h sys/mman.h sys/socket.h sys/stat.h netinet/in.h netinet/tcp.h dirent.h linux/icmp.h linux/icmpv6.h";

test.skipIf(!commandPath("gcc"))("known constants have the values of the system's headers", () => {
  const directory = mkdtempSync(join(tmpdir(), "tracedeck-constants-"));
  const program = join(directory, "constants");
  const lines = Object.keys(KNOWN_CONSTANTS).map(
    (name) => `#ifdef ${name}\n  printf("${name} %lld\\n", (long long)(${name}));\n#endif\n`,
  );
  const includes = HEADERS.split(" ").map((header) => `#include <${header}>\n`);
  const source = `#define _GNU_SOURCE\n${includes.join("")}int main(void) {\n${lines.join("")}  return 0;\n}\n`;
  execFileSync("gcc", ["-w", "-x", "c", "-o", program, "-"], { input: source });
  const printed = execFileSync(program, { encoding: "utf8" }).trim().split("\n");
  rmSync(directory, { recursive: true });
  const found = Object.fromEntries(
    printed.map((line) => line.split(" ")).map(([name, value]) => [name, Number(value)]),
  );
  expect(Object.keys(found).length).toBeGreaterThan(200);
  for (const [name, value] of Object.entries(found))
    expect([name, KNOWN_CONSTANTS[name]]).toEqual([name, value]);
});

prints("constants", [
  ["print((EPERM, AF_INET6, SIGTERM, AT_FDCWD, TASK_UNINTERRUPTIBLE))", "(1, 10, 15, -100, 2)"],
  ["print((DT_REG, O_DSYNC, ICMP_ECHO, ICMPV6_ECHO_REPLY))", "(8, 4096, 8, 129)"],
  ['@[EAGAIN] = "again"; print(@[11])', "again\n@[11]: again"],
]);
