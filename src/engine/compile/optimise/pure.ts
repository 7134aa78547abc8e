/** Helpers whose result is the same all through one run of a program, and that change nothing. */
export const PURE_HELPERS: ReadonlySet<string> = new Set([
  "get_current_pid_tgid",
  "get_current_uid_gid",
  "get_smp_processor_id",
  "get_numa_node_id",
  "get_current_task",
  "get_current_cgroup_id",
  "get_attach_cookie",
  "get_func_ip",
]);
