/**
 * Where the program is not bundled (tests), Node itself must find the stub: blessed is no dependency of ours. The build
 * aliases it.
 */
import Module from "node:module";
import { fileURLToPath } from "node:url";

type Resolve = (request: string, ...rest: unknown[]) => string;
const loader = Module as unknown as { _resolveFilename: Resolve };
const original = loader._resolveFilename;
const stub = fileURLToPath(new URL("./blessed.cjs", import.meta.url));
loader._resolveFilename = (request, ...rest) => (request === "blessed" ? stub : original(request, ...rest));
