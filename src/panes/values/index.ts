export { shortFrame } from "./frame.ts";
export { stackFrames } from "./stack.ts";
export { fullValue, shortValue, type Unit, unitOf } from "./unit.ts";
