/**
 * Stops a process at the first instruction of its program, when the loader has mapped all libraries, until its unwind tables are
 * in the kernel: a uprobe sends it SIGSTOP, once, however often it may execute the program again.
 */
import { attachUprobe, BpfMap, BpfProgram, type Link } from "libbpf-ts";
import * as asm from "libbpf-ts/asm";
import { processStat } from "../kernel/processes.ts";

const SIGSTOP = 19;
/** Byte of the flag: 1 once it was sent. */
const SENT = 0;

export class EntryHold implements Disposable {
  readonly link: Link;
  readonly #pid: number;
  readonly #flag: BpfMap;
  readonly #program: BpfProgram;
  #released = false;

  /** `offset`: of the first instruction in the file. Throws SysError where the kernel refuses. */
  constructor(path: string, offset: number, pid: number) {
    this.#pid = pid;
    this.#flag = BpfMap.create({ type: "array", name: "held", keySize: 4, valueSize: 8, maxEntries: 1 });
    try {
      this.#program = BpfProgram.load({
        type: "kprobe",
        name: "hold_at_entry",
        license: "GPL",
        instructions: asm.encode([
          asm.ldMapValue(1, this.#flag.fd),
          asm.ldx(8, 2, 1, SENT),
          asm.jmpImm("ne", 2, 0, 3),
          asm.st(8, 1, SENT, 1),
          asm.movImm(1, SIGSTOP),
          asm.call("send_signal"),
          asm.movImm(0, 0),
          asm.exit(),
        ]),
      });
    } catch (error) {
      this.#flag[Symbol.dispose]();
      throw error;
    }
    try {
      this.link = attachUprobe(this.#program, { path, offset: BigInt(offset), pid });
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Whether it stands at its entry. */
  get waits(): boolean {
    return !this.#released && processStat(this.#pid)?.state === "T";
  }

  /** Lets it go on. */
  release(): void {
    this.#released = true;
    try {
      process.kill(this.#pid, "SIGCONT");
    } catch {
      // Ended meanwhile.
    }
  }

  [Symbol.dispose](): void {
    this.#program[Symbol.dispose]();
    this.#flag[Symbol.dispose]();
  }
}
