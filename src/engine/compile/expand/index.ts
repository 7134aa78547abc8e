export { type ExpandOptions, type ExpandResult, expandScript } from "./script.ts";
export { STANDARD_MACROS, type StandardMacro } from "./stdlib.bt.ts";
