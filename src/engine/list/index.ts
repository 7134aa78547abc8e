export { writeArguments } from "./arguments.ts";
export { explainMissing, type Missing } from "./missing.ts";
export { listProbes, type Probe, probeNames } from "./probes.ts";
export { isTypePattern, listTypes } from "./structs.ts";
