/** Examples in the documentation are scripts: they must parse. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseScript } from "./engine/compile/parse/index.ts";

const text = readFileSync(new URL("../docs/language.md", import.meta.url), "utf8");
const examples = [...text.matchAll(/^```bt\n([\s\S]*?)^```$/gm)].map((match) => match[1]);

test("there are examples", () => expect(examples.length).toBeGreaterThan(5));

test.each(examples)("%s", (example) => {
  expect(parseScript(example).diagnostics).toEqual([]);
});
