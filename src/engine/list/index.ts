export { argumentLines } from "./arguments.ts";
export { listProbes, missingFeature } from "./probes.ts";
export { isTypePattern, listTypes } from "./structs.ts";
