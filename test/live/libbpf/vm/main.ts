// The live tests of libbpf-ts as one program, for the virtual machine.

import { release } from "node:os";
import { features, probeFeature } from "libbpf-ts";
import "../buffers.test.ts";
import "../link.test.ts";
import "../map.test.ts";
import "../program.test.ts";
import { run } from "./vitest.ts";

console.log(`Linux ${release()}`);
for (const { name } of features) {
  const { supported, reason = "" } = probeFeature(name);
  if (!supported) console.log(`no   ${name}: ${reason}`);
}
const failed = await run();
console.log(`RESULT ${failed} failed`);
