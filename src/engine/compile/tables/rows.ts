/** What a row of the builtin and function tables holds. */
import type { CheckAction, CheckValue } from "../check/functions/call.ts";
import type { CheckAggregate } from "../check/functions/maps.ts";

export interface FunctionRow {
  name: string;
  /** Other spellings, from older scripts. */
  aliases?: readonly string[];
  /** As shown in help: "string str(char *data [, uint32 length])". */
  signatures: readonly string[];
  /** One paragraph. */
  help: string;
  /** Fewest and most arguments. */
  arguments: readonly [min: number, max: number];
  /** Also without parentheses: a builtin. */
  bare?: true;
  /** Dangerous: needs --unsafe. */
  unsafe?: true;
  /** Carried out later, in user space; or known before the script runs. */
  when?: "async" | "compile-time";
  /** Probe types where it works; absent: all. */
  probes?: readonly string[];
  /** The kernel that brought it. */
  since?: readonly [number, number];
  /** Exactly one of these: it has a value, does something, or is what a map holds. */
  value?: CheckValue;
  action?: CheckAction;
  aggregate?: CheckAggregate;
}
