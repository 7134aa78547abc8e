// Stands in for vitest inside the virtual machine, which has Node and nothing else: registers tests, runs them in order,
// prints a line for each. `expect` is vitest's own.

import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";
import * as chai from "chai";

type Body = () => void | Promise<void>;

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin as never);

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  {
    unreachable(): never {
      throw new Error("this must not be reached");
    },
  },
);

const tests: { name: string; body: Body | undefined }[] = [];
let prefix = "";
let skipping = false;

function add(name: string, body: Body): void {
  tests.push({ name: prefix + name, body: skipping ? undefined : body });
}
function skip(name: string): void {
  tests.push({ name: prefix + name, body: undefined });
}
/** Rows of arguments; "%s" in the name stands for them in turn. */
function each<T extends readonly unknown[]>(rows: readonly T[]) {
  return (name: string, body: (...row: T) => void | Promise<void>) => {
    for (const row of rows) {
      let next = 0;
      add(
        name.replace(/%s/g, () => String(row[next++])),
        () => body(...row),
      );
    }
  };
}
export const test = Object.assign(add, {
  skip,
  each,
  runIf: (condition: boolean) => (condition ? add : skip),
});

function group(name: string, body: () => void): void {
  const outer = prefix;
  prefix += `${name} > `;
  body();
  prefix = outer;
}
export const describe = Object.assign(group, {
  skipIf: (condition: boolean) => (name: string, body: () => void) => {
    const outer = skipping;
    skipping ||= condition;
    group(name, body);
    skipping = outer;
  },
});

/** Runs every test; how many failed. */
export async function run(): Promise<number> {
  let failed = 0;
  for (const { name, body } of tests) {
    if (!body) {
      console.log(`skip ${name}`);
      continue;
    }
    try {
      await body();
      console.log(`ok   ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAIL ${name}\n${(error as Error).stack}`);
    }
  }
  return failed;
}
