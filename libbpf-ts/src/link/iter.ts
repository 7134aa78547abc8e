// Iterators (5.8): a program that runs once for every task, file, map element, … when its output is read.

import { readFileSync, readSync } from "node:fs";
import { attr, bpfOrThrow, close } from "../sys.ts";
import { AttachType, Cmd } from "../uapi.ts";
import { FdLink, type HasFd, LINK_CREATE_SIZE } from "./link.ts";

export interface IterTarget {
  /** For iterators over a map's elements. */
  mapFd?: number;
  /** Only this thread or process, for task iterators (6.1). */
  tid?: number;
  pid?: number;
  name?: string;
  /** Every cgroup from the root on, parents before children (6.1). */
  allCgroups?: boolean;
}

/** BPF_CGROUP_ITER_DESCENDANTS_PRE. */
const DESCENDANTS = 2;

/** An attached iterator; each `read` walks it once. */
export class IterLink extends FdLink {
  /**
   * Runs the iterator in steps: over about as many elements as `bytes` has room for what the program writes for each. Every
   * step ends with `visit`.
   */
  walk(bytes: number, visit: () => void): void {
    attr.begin().u32(0, this.fd);
    const fd = bpfOrThrow(Cmd.iterCreate, 8, this.target);
    try {
      const buffer = new Uint8Array(bytes);
      while (readSync(fd, buffer) > 0) visit();
    } finally {
      close(fd);
    }
  }

  /** Runs the iterator and returns what it wrote (`bpf_seq_write`, `bpf_seq_printf`). */
  read(): Buffer {
    attr.begin().u32(0, this.fd);
    const fd = bpfOrThrow(Cmd.iterCreate, 8, this.target);
    try {
      return readFileSync(fd);
    } finally {
      close(fd);
    }
  }
}

/** Attaches a `tracing` program of attach type `trace_iter`. */
export function attachIter(program: HasFd, iter: IterTarget = {}): IterLink {
  const target = `iter${iter.name ? ` ${iter.name}` : ""}`;
  // union bpf_iter_link_info: { map_fd } or { tid, pid, pid_fd } or { cgroup order, fd, id }.
  const info = new Uint32Array(4);
  if (iter.allCgroups) info[0] = DESCENDANTS;
  if (iter.mapFd !== undefined) info[0] = iter.mapFd;
  if (iter.tid !== undefined) info[0] = iter.tid;
  if (iter.pid !== undefined) info[1] = iter.pid;
  attr.begin().u32(0, program.fd).u32(8, AttachType.trace_iter);
  if (info.some((word) => word !== 0)) attr.ptr(16, info).u32(24, info.byteLength);
  return new IterLink(target, [bpfOrThrow(Cmd.linkCreate, LINK_CREATE_SIZE, target)], true);
}
