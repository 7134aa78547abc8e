import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { keysMarkdown } from "./keys-doc.ts";

it("docs/keys.md is current (node scripts/docs-keys.mjs writes it)", () => {
  expect(readFileSync(new URL("../../docs/keys.md", import.meta.url), "utf8")).toBe(keysMarkdown());
});
