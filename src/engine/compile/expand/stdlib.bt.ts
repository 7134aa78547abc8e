/**
 * The standard functions that the language itself can express. Everything else that a script may call is a row of the
 * checker's tables.
 */
export const STANDARD_LIBRARY = `
macro assert(condition, message) {
  if (!(condition)) {
    errorf("assert failed: %s", message);
    exit(1);
  }
}
macro static_assert(condition, message) {
  if comptime (!(condition)) {
    fail(message);
  }
}

macro is_err(pointer) {
  let $code = (int64)pointer;
  $code < 0 && $code >= -4095
}
macro container_of(pointer, type, member) {
  (type*)((int8*)pointer - offsetof(type, member))
}

macro ppid(task) { task.real_parent.pid }
macro ppid() { ppid(curtask) }
macro pcomm(task) { task.real_parent.comm }
macro pcomm() { pcomm(curtask) }
macro leader_tid(task) { task.group_leader.pid }
macro leader_tid() { leader_tid(curtask) }
macro leader_comm(task) { task.group_leader.comm }
macro leader_comm() { leader_comm(curtask) }
`;
