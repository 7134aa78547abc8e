// The numbers of the kernel's user interface (include/uapi/linux/bpf.h, perf_event.h), by the kernel's names in lower case.
// Tables, not logic: other files pick rows from here so that no bare number stands in the code.

/** Commands of bpf(2). */
export const Cmd = {
  mapCreate: 0,
  mapLookupElem: 1,
  mapUpdateElem: 2,
  mapDeleteElem: 3,
  mapGetNextKey: 4,
  progLoad: 5,
  progTestRun: 10,
  progGetNextId: 11,
  mapGetNextId: 12,
  progGetFdById: 13,
  mapGetFdById: 14,
  objGetInfoByFd: 15,
  rawTracepointOpen: 17,
  btfLoad: 18,
  btfGetFdById: 19,
  mapLookupAndDeleteElem: 21,
  mapFreeze: 22,
  btfGetNextId: 23,
  mapLookupBatch: 24,
  mapLookupAndDeleteBatch: 25,
  mapUpdateBatch: 26,
  mapDeleteBatch: 27,
  objPin: 6,
  linkCreate: 28,
  linkUpdate: 29,
  linkGetFdById: 30,
  linkGetNextId: 31,
  enableStats: 32,
  iterCreate: 33,
  linkDetach: 34,
} as const;

/** Map types that tracing programs use. */
export const MapType = {
  hash: 1,
  array: 2,
  prog_array: 3,
  perf_event_array: 4,
  percpu_hash: 5,
  percpu_array: 6,
  stack_trace: 7,
  cgroup_array: 8,
  lru_hash: 9,
  lru_percpu_hash: 10,
  lpm_trie: 11,
  array_of_maps: 12,
  hash_of_maps: 13,
  queue: 22,
  stack: 23,
  ringbuf: 27,
  task_storage: 29,
  bloom_filter: 30,
  user_ringbuf: 31,
  cgrp_storage: 32,
  arena: 33,
} as const;
export type MapTypeName = keyof typeof MapType;

/** Flags of map creation and of element access. */
export const MapFlag = {
  noPrealloc: 1 << 0,
  noCommonLru: 1 << 1,
  numaNode: 1 << 2,
  rdonly: 1 << 3,
  wronly: 1 << 4,
  rdonlyProg: 1 << 7,
  wronlyProg: 1 << 8,
  mmapable: 1 << 10,
  preserveElems: 1 << 11,
  innerMap: 1 << 12,
} as const;

export const UpdateFlag = { any: 0, noExist: 1, exist: 2 } as const;

/** Program types that tracing uses. */
export const ProgType = {
  socket_filter: 1,
  kprobe: 2,
  tracepoint: 5,
  xdp: 6,
  perf_event: 7,
  raw_tracepoint: 17,
  raw_tracepoint_writable: 24,
  tracing: 26,
  lsm: 29,
  syscall: 31,
} as const;
export type ProgTypeName = keyof typeof ProgType;

export const ProgFlag = { sleepable: 1 << 4 } as const;

/** Attach types that tracing uses. */
export const AttachType = {
  trace_raw_tp: 23,
  trace_fentry: 24,
  trace_fexit: 25,
  modify_return: 26,
  trace_iter: 28,
  perf_event: 41,
  trace_kprobe_multi: 42,
  trace_uprobe_multi: 48,
  trace_kprobe_session: 56,
  trace_uprobe_session: 57,
} as const;
export type AttachTypeName = keyof typeof AttachType;

export const LinkType: Record<number, string> = {
  1: "raw_tracepoint",
  2: "tracing",
  3: "cgroup",
  4: "iter",
  5: "netns",
  6: "xdp",
  7: "perf_event",
  8: "kprobe_multi",
  9: "struct_ops",
  10: "netfilter",
  11: "tcx",
  12: "uprobe_multi",
  13: "netkit",
  14: "sockmap",
};

/** perf_event_attr.type of the fixed PMUs. */
export const PerfType = {
  hardware: 0,
  software: 1,
  tracepoint: 2,
  hw_cache: 3,
  raw: 4,
  breakpoint: 5,
} as const;

/** config of PERF_TYPE_SOFTWARE events. */
export const SoftwareEvent = {
  "cpu-clock": 0,
  "task-clock": 1,
  "page-faults": 2,
  "context-switches": 3,
  "cpu-migrations": 4,
  "minor-faults": 5,
  "major-faults": 6,
  "alignment-faults": 7,
  "emulation-faults": 8,
  dummy: 9,
  "bpf-output": 10,
  "cgroup-switches": 11,
} as const;
export type SoftwareEventName = keyof typeof SoftwareEvent;

/** config of PERF_TYPE_HARDWARE events. */
export const HardwareEvent = {
  "cpu-cycles": 0,
  instructions: 1,
  "cache-references": 2,
  "cache-misses": 3,
  "branch-instructions": 4,
  "branch-misses": 5,
  "bus-cycles": 6,
  "stalled-cycles-frontend": 7,
  "stalled-cycles-backend": 8,
  "ref-cycles": 9,
} as const;
export type HardwareEventName = keyof typeof HardwareEvent;

/** ioctl requests on perf events; the same on x86-64 and arm64. */
export const PerfIoctl = {
  enable: 0x2400,
  disable: 0x2401,
  refresh: 0x2402,
  reset: 0x2403,
  setFilter: 0x40082406,
  setBpf: 0x40042408,
} as const;
