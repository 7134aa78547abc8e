/** Examples in the documentation are scripts: they must parse. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parseScript } from "./engine/compile/parse/index.ts";
import { referencePage } from "./engine/compile/reference.ts";

const text = readFileSync(new URL("../docs/language.md", import.meta.url), "utf8");
const examples = [...text.matchAll(/^```bt\n([\s\S]*?)^```$/gm)].map((match) => match[1]);

test("there are examples", () => expect(examples.length).toBeGreaterThan(5));

test.each(examples)("%s", (example) => {
  expect(parseScript(example).diagnostics).toEqual([]);
});

test("the reference is what the tables say", async () => {
  await expect(referencePage()).toMatchFileSnapshot("../docs/reference.md");
});
