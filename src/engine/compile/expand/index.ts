export { type ExpandOptions, type ExpandResult, expandScript } from "./script.ts";
