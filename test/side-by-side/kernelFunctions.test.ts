/** kprobe, kretprobe, fentry and fexit side by side with bpftrace, on kernels that have them. */
import { hasFeature } from "libbpf-ts";
import { describe } from "vitest";
import { canCompare, sameAnswers } from "./compare.ts";
import type { OneLiner } from "./oneLiners.ts";

/** The workload writes 13 times, 1 to 4096 bytes, to /dev/null; nothing else in it writes. */
const here = '/comm == "work" && pid == cpid/';
const row = (name: string, script: string): OneLiner => ({ name, script, command: true });
/** bpftrace 0.17 needs the kernel's types for it. */
const typed = (name: string, script: string): OneLiner => ({ ...row(name, script), types: true });

// A start of bpftrace takes an emulated processor many seconds: rows ask for as much as one script can. 0.17 runs the wrong
// action where a function is in a list and in a wildcard.
const KPROBES: readonly OneLiner[] = [
  row(
    "arguments: printed, counted, distributed; registers, symbols, kernel stacks; a driver's own function",
    `kprobe:vfs_write ${here} {
       printf("%d\\n", arg2);
       @ = count(); @h = hist(arg2); @l = lhist(arg2, 0, 2000, 500); @s = stats(arg2); @a = avg(arg2);
       @dx = sum(reg("dx")); @same = sum(reg("di") == arg0); @k[ksym(kaddr("vfs_read"))] = count();
       @stack[kstack(3)] = count();
     }
     kprobe:write_null ${here} { @null = sum(arg2); }`,
  ),
  row(
    "results; entry and return paired by thread",
    `kretprobe:vfs_write ${here} { @ = sum(retval); @max = max(retval); @h = hist(retval); printf("%d\\n", retval); }
     kprobe:vfs_write ${here} { @size[tid] = arg2; }
     kretprobe:vfs_write /@size[tid]/ { @same = sum(@size[tid] == retval); @n = count(); delete(@size[tid]); }`,
  ),
  row(
    "func and probe, of lists and wildcards",
    `kprobe:vfs_open,kprobe:write_null ${here} { @list[func] = count(); }
     kprobe:vfs_wri* ${here} { @wild[func] = count(); @p[probe] = sum(arg2); }
     kretprobe:vfs_write ${here} { if (retval > 100) { @ret[probe] = count(); } }`,
  ),
  typed(
    "strings of the caller's; structs behind arguments; curtask",
    `kprobe:do_sys_openat2 ${here} { printf("%d %s\\n", (int32)arg0, str(arg1)); }
     kprobe:vfs_write ${here} {
       $f = (struct file *)arg0; @[str($f->f_path.dentry->d_name.name)] = count(); @flags = $f->f_flags;
       $t = (struct task_struct *)curtask; @task[$t->comm, $t->pid == tid ? 1 : 0] = count();
     }`,
  ),
];

const FENTRIES: readonly OneLiner[] = [
  typed(
    "typed arguments and results, structs behind them",
    `kfunc:vfs_write ${here} {
       @ = sum(args->count); @h = hist(args->count); @name[str(args->file->f_path.dentry->d_name.name)] = count();
     }
     kretfunc:vfs_write ${here} { @same = sum(retval == args->count); printf("%d\\n", retval); }`,
  ),
];

const has = (...features: string[]) => canCompare && features.every((name) => hasFeature(name));
const together = true;

describe.skipIf(!has("kprobes"))("kprobe and kretprobe side by side with bpftrace", () =>
  sameAnswers(KPROBES, { together }),
);
describe.skipIf(!has("fentry", "fexit"))("fentry and fexit side by side with bpftrace", () =>
  sameAnswers(FENTRIES, { together }),
);
