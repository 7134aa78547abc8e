/**
 * System call tracepoints served by the raw tracepoints sys_enter and sys_exit: one attach for any number of probes.
 * The program first finds out whether the call at hand is one of its own: one is compared, a few are compared in turn,
 * many are looked up in a table of probe indices by number.
 */
import { constant, reg, type Value, ZERO } from "../ir/types.ts";
import { arch, syscallRegsPlace } from "./arguments.ts";
import type { Cx } from "./context.ts";
import { loadScalar } from "./memory.ts";

const COMPARED = 3;
const USER32_CS = 0x23;
const PSR_MODE32 = 0x10;

/** Goes on only for the program's own system calls, made by 64-bit programs. */
export function dispatchSyscall(cx: Cx): void {
  const { b, program } = cx;
  const regs = b.load(cx.context, 0, 8);
  const numbers = program.probes.map((p) => {
    if (p.attach.kind !== "tracepoint" || !p.attach.syscall)
      throw new Error(`${p.name} is not a system call`);
    return p.attach.syscall.number;
  });
  const number =
    program.style === "syscall-enter"
      ? b.load(cx.context, 8, 8)
      : loadScalar(cx, syscallRegsPlace(cx, regs, arch(cx).registers[arch(cx).syscallNumber]), 8, false);
  const probe =
    program.probes.length <= COMPARED ? compared(cx, number, numbers) : fromTable(cx, number, numbers);
  skipCompat(cx, regs);
  cx.syscall = { regs, number, probe };
}

function compared(cx: Cx, number: Value, numbers: number[]): Value {
  const { b, program } = cx;
  if (numbers.length === 1) {
    b.when("ne", number, constant(numbers[0]), () => b.return());
    return constant(program.probeIndices[0]);
  }
  const probe = b.fresh();
  const found = b.block("own");
  numbers.forEach((own, i) => {
    const next = b.block("next");
    b.assign(probe, constant(program.probeIndices[i]));
    b.branch("eq", number, constant(own), found, next);
    b.startBlock(next);
  });
  b.return();
  b.startBlock(found);
  return reg(probe);
}

function fromTable(cx: Cx, number: Value, numbers: number[]): Value {
  const { b, program, layout } = cx;
  const entries = new Uint32Array(Math.max(...numbers) + 1);
  numbers.forEach((own, i) => {
    entries[own] = program.probeIndices[i] + 1;
  });
  const table = layout.constants(`syscalls_${program.probeIndices[0]}`, new Uint8Array(entries.buffer));
  b.when("ge", number, constant(entries.length), () => b.return());
  const at = b.add({ kind: "map-value", map: table, offset: 0 }, b.alu("lsh", number, constant(2)));
  const entry = b.load(at, 0, 4);
  b.when("eq", entry, ZERO, () => b.return());
  return b.add(entry, -1);
}

/** Numbers of 32-bit programs mean other calls; the tracepoints leave them out too. */
function skipCompat(cx: Cx, regs: Value): void {
  const { b } = cx;
  const { registers, name } = arch(cx);
  if (name === "x64") {
    const cs = loadScalar(cx, syscallRegsPlace(cx, regs, registers.cs), 2, false);
    b.when("eq", cs, constant(USER32_CS), () => b.return(), true);
    return;
  }
  const state = loadScalar(cx, syscallRegsPlace(cx, regs, registers.pstate), 8, false);
  b.when("set", state, constant(PSR_MODE32), () => b.return(), true);
}
