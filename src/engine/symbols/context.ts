/**
 * What turns the numbers that programs record (addresses, stack ids) into names. The printing side asks, a session
 * answers: nothing is resolved before it is shown.
 */

export interface ResolvedSymbol {
  name: string;
  /** The name in the symbol table, where C++ and Rust have another. */
  mangled?: string;
  /** Bytes from the symbol's start. */
  offset: number;
  /** Kernel module, or path of the file that user code comes from. */
  module: string;
}

export interface SymbolContext {
  /** The kernel symbol that holds the address. */
  kernel(address: bigint): ResolvedSymbol | undefined;
  /** The same in a process, which may have ended meanwhile. `probe`: index + 1 of the probe that fired, 0: unknown. */
  user(pid: number, address: bigint, probe?: number): ResolvedSymbol | undefined;
  /** The frames of a stack as they are kept (`stackFrameBytes`), innermost first, then zeros; undefined when it is gone. `map`: index as stack values carry it. */
  stack(map: number, id: bigint): BigUint64Array | undefined;
  /** Where somebody looks on: why a stack has no frames. `id`: as stack values carry it. */
  whyNoStack?(space: "kernel" | "user", pid: number, id: bigint): string;
}
