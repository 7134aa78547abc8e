// Pinning: a name in a BPF filesystem that keeps an object after every descriptor of it is closed.

import { Errno, SysError } from "../errno.ts";
import { attr, bpf, bpfCallName, cstring } from "../sys.ts";
import { Cmd } from "../uapi.ts";

export const BPF_FILESYSTEM = "/sys/fs/bpf";

const hints: Record<number, string> = {
  [Errno.EEXIST]: "there is such a file already: remove it (rm), or take another name",
  [Errno.EPERM]: `it must lie in a BPF filesystem: mount -t bpf bpf ${BPF_FILESYSTEM}`,
  [Errno.ENOENT]: `the directory must exist, in a BPF filesystem: mount -t bpf bpf ${BPF_FILESYSTEM}`,
};

/** Keeps a map, program or link at a path until that is unlinked. Throws SysError with what to do. */
export function pinObject(fd: number, path: string): void {
  attr.begin().ptr(0, cstring(path)).u32(8, fd);
  const result = bpf(Cmd.objPin, 16);
  if (result < 0) throw new SysError(bpfCallName(Cmd.objPin, path), -result, hints[-result]);
}
