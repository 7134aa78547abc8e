/** Strings of many kilobytes: read, measured, compared, kept as keys and values, and printed, several in one action. */
import { openSync } from "node:fs";
import { kernelAtLeast } from "libbpf-ts";
import { describe, expect, test } from "vitest";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";

const PREFIX = "/no/such/";

/** A path of `length` characters that is nowhere, its last one `end`. */
const path = (length: number, end = "z") => PREFIX + "x".repeat(length - PREFIX.length - 1) + end;

function tryToOpen(name: string): void {
  try {
    openSync(name, "r");
  } catch {
    // It is not there: the call is all that is wanted.
  }
}

/** Counts the program's own attempts to open something below PREFIX. */
const watching = (maxStrlen: number, body: string) => `
  config = { max_strlen = ${maxStrlen} }
  tracepoint:syscalls:sys_enter_openat
  / pid == ${process.pid} && strncmp(str(args.filename), "${PREFIX}", ${PREFIX.length}) == 0 / { ${body} }`;

describe.skipIf(!isRoot)("strings of up to kilobytes", () => {
  test.each([100, 1000, 4000, 4096])("lengths and equality, with max_strlen = %d", async (maxStrlen) => {
    const script = watching(
      maxStrlen,
      `$a = str(args.filename);
       @length[strlen($a)] = count();
       if ($a == @before) { @same = count(); } else { @other = count(); }
       @before = $a;`,
    );
    const longest = maxStrlen - 1;
    const lengths = [12, 15, 16, 17, 31, 63, 64, 65, 96, longest - 8, longest - 1, longest].filter(
      (length, i, all) => all.indexOf(length) === i,
    );
    const run = await runScript(script, [], () => {
      for (const length of lengths) {
        tryToOpen(path(length, "a"));
        tryToOpen(path(length, "a"));
        tryToOpen(path(length, "b"));
      }
    });
    expect(run.stderr).toBe("");
    expect(run.stdout).toContain(`@same: ${lengths.length}\n`);
    expect(run.stdout).toContain(`@other: ${lengths.length * 2}\n`);
    for (const length of lengths) expect(run.stdout).toContain(`@length[${length}]: 3\n`);
  });

  const long = test.runIf(kernelAtLeast("5.11"));
  long.each([4096, 16_384])(
    "several of %d bytes in one record, as keys and values (Linux 5.11)",
    async (maxStrlen) => {
      const script = watching(
        maxStrlen,
        `$a = str(args.filename); $b = str(args.filename); $c = str(args.filename);
       printf("%s %s %s %s\\n", $a, str(args.filename), $c, comm);
       @kept[$a, $b] = $c;`,
      );
      const name = path(4000);
      const run = await runScript(script, [], () => tryToOpen(name));
      expect(run.stderr).toBe("");
      expect(run.stdout).toContain(`${name} ${name} ${name} `);
      expect(run.stdout).toContain(`@kept[${name}, ${name}]: ${name}\n`);
      expect(run.losses).toMatchObject({ eventsLost: 0 });
    },
  );
});
