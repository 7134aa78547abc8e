/** printf formats: which conversions there are, and what each takes. */
import type { Span } from "../diagnostic.ts";
import type { TypedExpression } from "../typed.ts";
import type { Type } from "../types.ts";
import type { Context } from "./context.ts";
import { describe } from "./describe.ts";
import { isUnknown } from "./promote.ts";

const CONVERSION = /%([-+ #0]*)(\d+|\*)?(?:\.(\d+|\*)?)?(hh|h|ll|l|j|z|t|L)?(gr|rh|rx|.)?/gs;

const isInteger = (type: Type): boolean => ["int", "bool", "pointer", "username", "ksym"].includes(type.kind);

/** What each conversion accepts, and how to say so. */
const ACCEPTS: Readonly<Record<string, { takes: (type: Type) => boolean; wanted: string }>> = {
  ...Object.fromEntries([..."diouxXc"].map((c) => [c, { takes: isInteger, wanted: "a number" }])),
  p: { takes: isInteger, wanted: "a number or a pointer" },
  s: { takes: (type) => type.kind !== "void", wanted: "a value" },
  r: { takes: (type) => type.kind === "buffer", wanted: "a buffer, from buf()" },
  rx: { takes: (type) => type.kind === "buffer", wanted: "a buffer, from buf()" },
  rh: { takes: (type) => type.kind === "buffer", wanted: "a buffer, from buf()" },
  gr: { takes: (type) => type.kind === "int", wanted: "a number" },
};

/** Checks a format against its arguments. */
export function checkFormat(
  name: string,
  format: string,
  formatSpan: Span,
  values: readonly TypedExpression[],
  span: Span,
  cx: Context,
): void {
  let at = 0;
  for (const [whole, , width, precision, , specifier] of format.matchAll(CONVERSION)) {
    if (specifier === "%" && whole === "%%") continue;
    if (specifier === undefined || !/[A-Za-z]/.test(specifier)) {
      cx.report.warning(
        "format",
        formatSpan,
        "this percent sign starts no conversion, and is printed as it is",
        {
          hint: "write %% for a percent sign",
        },
      );
      continue;
    }
    const accepts = ACCEPTS[specifier];
    if (!accepts) {
      cx.error(
        "format",
        formatSpan,
        `${name}() knows no conversion "${whole}"`,
        "conversions are d i u x X o c p s, r rx rh for buffers, gr for GFP flags; %% is a percent sign",
      );
      return;
    }
    for (const star of [width, precision])
      if (star === "*") {
        const value = values[at++];
        if (value && value.type.kind !== "int" && !isUnknown(value.type))
          cx.error("format", value.span, `* in a format takes a number, and this is ${describe(value.type)}`);
      }
    const value = values[at++];
    if (!value || isUnknown(value.type)) continue;
    if (accepts.takes(value.type)) {
      warnAddress(specifier, value, cx);
      continue;
    }
    cx.error(
      "format",
      value.span,
      `"${whole}" takes ${accepts.wanted}, and this is ${describe(value.type)}`,
      value.type.kind === "string" || specifier.startsWith("r")
        ? hintFor(value.type, specifier)
        : "%s prints any value",
    );
  }
  if (at !== values.length)
    cx.error(
      "format-arguments",
      span,
      `the format of ${name}() takes ${at} argument${at === 1 ? "" : "s"}, and ${values.length} ${values.length === 1 ? "is" : "are"} given`,
    );
}

/** Text is meant where an address of text is given. */
function warnAddress(specifier: string, { type, span }: TypedExpression, cx: Context): void {
  const toText = type.kind === "pointer" && type.to.kind === "int" && type.to.size === 1;
  if (specifier !== "s" || !toText) return;
  cx.report.warning("address-not-text", span, "this prints an address, not the text that is there", {
    hint: "str() reads text",
  });
}

function hintFor(type: Type, specifier: string): string {
  if (type.kind === "string" && !specifier.startsWith("r")) return "use %s";
  return "use buf(address, length)";
}
