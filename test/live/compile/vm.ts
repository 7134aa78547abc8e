/** The compiler's live tests that need no other programs, for the virtual machine: see ../libbpf/vm/run.mjs. */
import { release } from "node:os";
import { run } from "../libbpf/vm/vitest.ts";
import "./emit.test.ts";
import "./language.test.ts";
import "./kernelFunctions.test.ts";

console.log(`Linux ${release()}`);
console.log(`RESULT ${await run()} failed`);
