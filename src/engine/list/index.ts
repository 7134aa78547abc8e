export { argumentLines } from "./arguments.ts";
export { explainMissing, type Missing } from "./missing.ts";
export { listProbes } from "./probes.ts";
export { isTypePattern, listTypes } from "./structs.ts";
