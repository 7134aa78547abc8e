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

const KPROBES: readonly OneLiner[] = [
  row("arguments", `kprobe:vfs_write ${here} { @ = count(); printf("%d\\n", arg2); }`),
  row(
    "distributions of an argument",
    `kprobe:vfs_write ${here} { @h = hist(arg2); @l = lhist(arg2, 0, 2000, 500); @s = stats(arg2); @a = avg(arg2); }`,
  ),
  row(
    "results",
    `kretprobe:vfs_write ${here} { @ = sum(retval); @max = max(retval); @h = hist(retval); printf("%d\\n", retval); }`,
  ),
  row(
    "entry and return paired by thread",
    `kprobe:vfs_write ${here} { @size[tid] = arg2; }
     kretprobe:vfs_write /@size[tid]/ { @same = sum(@size[tid] == retval); @n = count(); delete(@size[tid]); }`,
  ),
  typed(
    "strings of the caller's",
    `kprobe:do_sys_openat2 ${here} { printf("%d %s\\n", (int32)arg0, str(arg1)); }`,
  ),
  typed(
    "structs behind arguments",
    `kprobe:vfs_write ${here} { $f = (struct file *)arg0; @[str($f->f_path.dentry->d_name.name)] = count(); @flags = $f->f_flags; }`,
  ),
  row("func", `kprobe:vfs_write,kprobe:vfs_open ${here} { @[func] = count(); }`),
  row(
    "probe",
    `kprobe:vfs_write ${here} { @[probe] = count(); } kretprobe:vfs_write ${here} { if (retval > 100) { @[probe] = count(); } }`,
  ),
  row("wildcards", `kprobe:vfs_wri* ${here} { @[func] = count(); @p[probe] = sum(arg2); }`),
  row(
    "registers and symbols",
    `kprobe:vfs_write ${here} { @ = sum(reg("dx")); @same = sum(reg("di") == arg0); @k[ksym(kaddr("vfs_read"))] = count(); }`,
  ),
  row("kernel stacks", `kprobe:vfs_write ${here} { @[kstack(3)] = count(); }`),
  typed(
    "curtask",
    `kprobe:vfs_write ${here} { $t = (struct task_struct *)curtask; @[$t->comm, $t->pid == tid ? 1 : 0] = count(); }`,
  ),
  row("a driver's own function", `kprobe:write_null ${here} { @ = sum(arg2); }`),
];

const FENTRIES: readonly OneLiner[] = [
  typed(
    "typed arguments and results",
    `kfunc:vfs_write ${here} { @ = sum(args->count); @h = hist(args->count); }
     kretfunc:vfs_write ${here} { @same = sum(retval == args->count); printf("%d\\n", retval); }`,
  ),
  typed(
    "structs behind typed arguments",
    `kfunc:vfs_write ${here} { @[str(args->file->f_path.dentry->d_name.name)] = count(); }`,
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
