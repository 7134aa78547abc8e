export { argumentLines } from "./arguments.ts";
export { listProbes } from "./probes.ts";
export { isTypePattern, listTypes } from "./structs.ts";
