/** The types of kernel modules, each read once. */
import { type Btf, listModules, loadModule } from "libbpf-ts";

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

/** Every module that lets its types be read. */
export function* eachModule(): Iterable<[name: string, btf: Btf]> {
  for (const name of listModules()) {
    try {
      yield [name, moduleTypes(name)];
    } catch {
      // Unloaded meanwhile, or not permitted.
    }
  }
}
