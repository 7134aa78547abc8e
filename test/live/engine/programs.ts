/** BPF programs by the process that holds them, so that whatever else is traced on the machine meanwhile does not count. */
import { readdirSync, readFileSync } from "node:fs";
import { listPrograms } from "libbpf-ts";

/** Ids of the programs that a process has descriptors of. */
export function programsOf(pid: number): number[] {
  const directory = `/proc/${pid}/fdinfo`;
  const ids = readdirSync(directory).flatMap((fd) => {
    try {
      const text = readFileSync(`${directory}/${fd}`, "latin1");
      return text.includes("prog_type:") ? Number(/^prog_id:\s*(\d+)$/m.exec(text)?.[1] ?? Number.NaN) : [];
    } catch {
      return [];
    }
  });
  return [...new Set(ids.filter((id) => !Number.isNaN(id)))];
}

/** Those of them that the kernel still has, once it has had time to let go. */
export async function leftAfter(ids: readonly number[], milliseconds: number): Promise<number[]> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const all = new Set(listPrograms());
    const left = ids.filter((id) => all.has(id));
    if (left.length === 0 || performance.now() > deadline) return left;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** How many links, programs and maps this process holds. */
export function held(): number {
  return readdirSync("/proc/self/fdinfo").filter((fd) => {
    try {
      return /link_type|prog_type|map_type/.test(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1"));
    } catch {
      return false;
    }
  }).length;
}
