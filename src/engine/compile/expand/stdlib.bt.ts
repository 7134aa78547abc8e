/**
 * The standard functions that the language itself can express: as macros, one row each. Everything else that a script may
 * call is a row of the checker's tables.
 */

export interface StandardMacro {
  name: string;
  /** As shown in help. */
  signatures: readonly string[];
  /** One paragraph. */
  help: string;
  source: string;
}

export const STANDARD_MACROS: readonly StandardMacro[] = [
  {
    name: "assert",
    signatures: ["void assert(condition, string message)"],
    help: "Ends the script with an error and exit code 1 if the condition does not hold.",
    source: `macro assert(condition, message) {
  if (!(condition)) {
    errorf("assert failed: %s", message);
    exit(1);
  }
}`,
  },
  {
    name: "static_assert",
    signatures: ["void static_assert(const condition, const string message)"],
    help: "Refuses to compile the script if the condition, known at compile time, does not hold.",
    source: `macro static_assert(condition, message) {
  if comptime (!(condition)) {
    fail(message);
  }
}`,
  },
  {
    name: "assert_str",
    signatures: ["void assert_str(value)"],
    help: "Refuses to compile the script unless the value is text: a string, or an array of or a pointer to char.",
    source: `macro assert_str(value) {
  if comptime (!is_str(value)) {
    if comptime (is_array(value) || is_ptr(value)) {
      if comptime (typeinfo((value[0])).full_type != "int8") {
        fail("arrays and pointers are text if their elements are of type int8, and these are %s", typeinfo((value[0])).full_type);
      }
    } else {
      fail("text is a string, an array or a pointer, and this is %s", typeinfo(value).full_type);
    }
  }
}`,
  },
  {
    name: "default_str_length",
    signatures: ["uint64 default_str_length()"],
    help: "Bytes of strings whose size is not given: config.max_strlen.",
    source: "macro default_str_length() { config.max_strlen }",
  },
  {
    name: "is_err",
    signatures: ["bool is_err(pointer)"],
    help: "Whether a pointer that a kernel function returned is an error code in disguise.",
    source: `macro is_err(pointer) {
  let $code = (int64)pointer;
  $code < 0 && $code >= -4095
}`,
  },
  {
    name: "container_of",
    signatures: ["T *container_of(pointer, typeof(T), member)"],
    help: "The structure that holds the member that the pointer points to.",
    source: `macro container_of(pointer, type, member) {
  (type*)((int8*)pointer - offsetof(type, member))
}`,
  },
  {
    name: "ppid",
    signatures: ["uint32 ppid()", "uint32 ppid(struct task_struct *task)"],
    help: "Process id of the parent of the current task, or of the given one.",
    source: `macro ppid(task) { task.real_parent.pid }
macro ppid() { ppid(curtask) }`,
  },
  {
    name: "pcomm",
    signatures: ["string pcomm()", "string pcomm(struct task_struct *task)"],
    help: "Name of the parent of the current task, or of the given one.",
    source: `macro pcomm(task) { task.real_parent.comm }
macro pcomm() { pcomm(curtask) }`,
  },
  {
    name: "leader_tid",
    signatures: ["uint32 leader_tid()", "uint32 leader_tid(struct task_struct *task)"],
    help: "Thread id of the thread group's leader.",
    source: `macro leader_tid(task) { task.group_leader.pid }
macro leader_tid() { leader_tid(curtask) }`,
  },
  {
    name: "leader_comm",
    signatures: ["string leader_comm()", "string leader_comm(struct task_struct *task)"],
    help: "Name of the thread group's leader: the process's name when threads have their own.",
    source: `macro leader_comm(task) { task.group_leader.comm }
macro leader_comm() { leader_comm(curtask) }`,
  },
];

/** As one script. */
export const STANDARD_LIBRARY = STANDARD_MACROS.map((macro) => `${macro.source}\n`).join("\n");
