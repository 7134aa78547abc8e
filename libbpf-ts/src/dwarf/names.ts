// Types as C writes them: "const char *", "struct list *", "int (*)(void *)".

import { Tag } from "./constants.ts";
import type { Die } from "./die.ts";
import { describeType } from "./types.ts";

/** Types nest less deeply than this, unless they are damaged. */
const MAX_DEPTH = 32;
/** Types named within one: functions whose parameters are functions, level by level, would be named without end. */
const MAX_TYPES = 512;

/** `inner` is what stands where the name would: "*", "(*)", "[4]", or a name itself. */
function declare(die: Die | undefined, inner: string, depth: number, left: { types: number }): string {
  const join = (name: string) => (inner && !inner.startsWith("[") ? `${name} ${inner}` : `${name}${inner}`);
  if (!die) return join("void");
  if (depth > MAX_DEPTH || left.types-- <= 0) return join("…");
  const type = describeType(die);
  switch (type.kind) {
    case "base":
    case "other":
    case "typedef":
      return join(type.name || "<unknown>");
    case "pointer":
    case "reference": {
      const mark = type.kind === "pointer" ? "*" : die.tag === Tag.rvalueReference ? "&&" : "&";
      const target = type.type && describeType(type.type);
      const wraps = target?.kind === "function" || target?.kind === "array";
      return declare(type.type, wraps ? `(${mark}${inner})` : `${mark}${inner}`, depth + 1, left);
    }
    case "member-pointer":
      return declare(die.type, `::*${inner}`, depth + 1, left);
    case "struct":
    case "union":
    case "class":
    case "enum":
      return join(`${type.kind} ${type.name || "<anonymous>"}`);
    case "array":
      return declare(
        type.type,
        `${inner}${type.lengths.map((n) => `[${n || ""}]`).join("")}`,
        depth + 1,
        left,
      );
    case "qualified": {
      const target = type.type && describeType(type.type);
      // A constant pointer has the word behind its star.
      if (target?.kind === "pointer")
        return declare(type.type, `${type.word} ${inner}`.trimEnd(), depth + 1, left);
      return `${type.word} ${declare(type.type, inner, depth + 1, left)}`;
    }
    case "function": {
      const children = die.children();
      left.types -= children.length;
      const parameters = children
        .filter(({ tag }) => tag === Tag.formalParameter || tag === Tag.unspecifiedParameters)
        .map((child) =>
          child.tag === Tag.formalParameter ? declare(child.type, "", depth + 1, left) : "...",
        );
      return declare(type.type, `${inner}(${parameters.join(", ")})`, depth + 1, left);
    }
  }
}

/** The type's name; undefined stands for void. */
export const typeName = (die: Die | undefined): string => declare(die, "", 0, { types: MAX_TYPES });

/** A declaration: "int x[4]", "struct list *next", "void (*callback)(int)". */
export const declaration = (die: Die | undefined, name: string): string =>
  declare(die, name, 0, { types: MAX_TYPES });
