// What differs between processors: system call numbers, where pt_regs keeps each register, and which registers carry
// arguments and results. Pure tables; the running processor is only the default.
//
// Offsets are into the pt_regs that BPF programs see: struct pt_regs on x86-64, struct user_pt_regs on arm64.

export type ArchName = "x64" | "arm64";

export type SyscallName =
  | "bpf"
  | "perf_event_open"
  | "ioctl"
  | "close"
  | "mmap"
  | "munmap"
  | "mount"
  | "fcntl"
  | "ppoll"
  | "clock_gettime"
  | "prlimit64"
  | "openat2"
  | "pipe2";

export interface Arch {
  name: ArchName;
  /** Numbers of the calls that `sys` makes. */
  syscalls: Record<SyscallName, number>;
  /** Byte offset in pt_regs of each register, by every name in use. */
  registers: Record<string, number>;
  /** Registers of the first arguments of a C function; further ones are on the stack. */
  functionArgs: string[];
  /** Byte offset from the stack pointer, at function entry, of the first argument on the stack. */
  stackArgsOffset: number;
  /** Registers of the six arguments of a system call as pt_regs keeps them at its entry. */
  syscallArgs: string[];
  returnRegister: string;
  stackPointer: string;
  framePointer: string;
  instructionPointer: string;
  /** Holds the return address at function entry (arm64), or undefined where the stack does (x86-64). */
  linkRegister: string | undefined;
  /** The register with the number of the system call at its entry. */
  syscallNumber: string;
  ptRegsSize: number;
  /** What kernel symbols of system calls begin with, "__x64_" in "__x64_sys_read". */
  syscallPrefix: string;
  /** CONFIG_ARCH_HAS_SYSCALL_WRAPPER: a system call's function gets one argument, its pt_regs. */
  syscallWrapper: boolean;
}

const x64Registers: Record<string, number> = {
  r15: 0,
  r14: 8,
  r13: 16,
  r12: 24,
  bp: 32,
  bx: 40,
  r11: 48,
  r10: 56,
  r9: 64,
  r8: 72,
  ax: 80,
  cx: 88,
  dx: 96,
  si: 104,
  di: 112,
  orig_ax: 120,
  ip: 128,
  cs: 136,
  flags: 144,
  sp: 152,
  ss: 160,
};

/** x86-64 registers also go by their assembler names. */
for (const name of ["ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip"])
  x64Registers[`r${name}`] = x64Registers[name];
x64Registers.orig_rax = x64Registers.orig_ax;
x64Registers.eflags = x64Registers.flags;
x64Registers.pc = x64Registers.ip;

/** orig_x0 stands right behind user_pt_regs. */
const arm64Registers: Record<string, number> = { sp: 248, pc: 256, pstate: 264, orig_x0: 272 };
for (let i = 0; i <= 30; i++) {
  arm64Registers[`r${i}`] = i * 8;
  arm64Registers[`x${i}`] = i * 8;
}
arm64Registers.fp = arm64Registers.x29;
arm64Registers.lr = arm64Registers.x30;

const arches: Record<ArchName, Arch> = {
  x64: {
    name: "x64",
    syscalls: {
      bpf: 321,
      perf_event_open: 298,
      ioctl: 16,
      close: 3,
      mmap: 9,
      munmap: 11,
      mount: 165,
      fcntl: 72,
      ppoll: 271,
      clock_gettime: 228,
      prlimit64: 302,
      openat2: 437,
      pipe2: 293,
    },
    registers: x64Registers,
    functionArgs: ["di", "si", "dx", "cx", "r8", "r9"],
    stackArgsOffset: 8,
    syscallArgs: ["di", "si", "dx", "r10", "r8", "r9"],
    returnRegister: "ax",
    stackPointer: "sp",
    framePointer: "bp",
    instructionPointer: "ip",
    linkRegister: undefined,
    syscallNumber: "orig_ax",
    ptRegsSize: 168,
    syscallPrefix: "__x64_",
    syscallWrapper: true,
  },
  arm64: {
    name: "arm64",
    syscalls: {
      bpf: 280,
      perf_event_open: 241,
      ioctl: 29,
      close: 57,
      mmap: 222,
      munmap: 215,
      mount: 40,
      fcntl: 25,
      ppoll: 73,
      clock_gettime: 113,
      prlimit64: 261,
      openat2: 437,
      pipe2: 59,
    },
    registers: arm64Registers,
    functionArgs: ["x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7"],
    stackArgsOffset: 0,
    // x0 is overwritten by the result; the kernel keeps the original in orig_x0, right after user_pt_regs.
    syscallArgs: ["orig_x0", "x1", "x2", "x3", "x4", "x5"],
    returnRegister: "x0",
    stackPointer: "sp",
    framePointer: "fp",
    instructionPointer: "pc",
    linkRegister: "lr",
    syscallNumber: "x8",
    ptRegsSize: 272,
    syscallPrefix: "__arm64_",
    syscallWrapper: true,
  },
};

/** The tables of one processor, by default the running one. */
export function archFor(name: string = globalThis.process?.arch ?? "x64"): Arch {
  const arch = arches[name as ArchName];
  if (!arch) throw new RangeError(`no BPF tables for the ${name} processor; there are x64 and arm64`);
  return arch;
}
