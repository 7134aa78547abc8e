/** The AST as an indented tree, for `run -d ast`. Generic over the nodes: what a node holds is what is printed. */
import type { Script } from "./ast.ts";

const HEAD = [
  "kind",
  "name",
  "operator",
  "text",
  "value",
  "provider",
  "path",
  "mapType",
  "base",
  "index",
  "variable",
];
const SKIP = new Set(["span", "nameSpan", "valueSpan", "operatorSpan", "parts"]);

/** One line a node, two spaces a level. */
export function printAst(script: Script): string {
  const lines = ["script"];
  for (const [key, value] of Object.entries(script)) print(key, value, 1, lines);
  return `${lines.join("\n")}\n`;
}

function print(label: string, value: unknown, level: number, lines: string[]): void {
  if (SKIP.has(label) || value === undefined) return;
  const indent = "  ".repeat(level);
  if (Array.isArray(value)) {
    if (value.length === 0) return;
    if (value.every((item) => typeof item !== "object")) {
      lines.push(`${indent}${label}: ${value.map(scalar).join(", ")}`);
      return;
    }
    lines.push(`${indent}${label}`);
    for (const item of value) node("", item as Record<string, unknown>, level + 1, lines);
  } else if (typeof value === "object" && value !== null) {
    node(label, value as Record<string, unknown>, level, lines);
  } else {
    lines.push(`${indent}${label}: ${scalar(value)}`);
  }
}

function node(label: string, object: Record<string, unknown>, level: number, lines: string[]): void {
  const head = HEAD.filter(
    (key) => key in object && typeof object[key] !== "object" && object[key] !== undefined,
  );
  const words = head.map((key) => (key === "kind" ? String(object[key]) : scalar(object[key])));
  const title = [label && `${label}:`, ...words].filter(Boolean).join(" ");
  lines.push(`${"  ".repeat(level)}${title || "-"}`);
  for (const [key, value] of Object.entries(object)) {
    if (!head.includes(key)) print(key, value, level + 1, lines);
  }
}

function scalar(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
