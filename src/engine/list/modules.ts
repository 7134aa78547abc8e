/** The types of kernel modules, each read once. */
import { type Btf, listModules, loadModule } from "libbpf-ts";
import { monotonicMs } from "../clock.ts";

const known = new Map<string, Btf>();

/** A module's own types on top of the kernel's; throws where it has none. */
export function moduleTypes(name: string): Btf {
  let btf = known.get(name);
  if (!btf) {
    btf = loadModule(name);
    known.set(name, btf);
  }
  return btf;
}

/** Milliseconds for which the list of modules is taken to be as it was: it is asked for by every function there is. */
const FRESH = 1000;
let modules: string[] = [];
let listed = Number.NEGATIVE_INFINITY;

/** Every module that lets its types be read. */
export function* eachModule(): Iterable<[name: string, btf: Btf]> {
  if (monotonicMs() - listed > FRESH) {
    modules = listModules();
    listed = monotonicMs();
  }
  for (const name of modules) {
    try {
      yield [name, moduleTypes(name)];
    } catch {
      // Unloaded meanwhile, or not permitted.
    }
  }
}
