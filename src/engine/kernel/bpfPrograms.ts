/** BPF programs that are loaded now, as far as they carry types: what fentry and fexit can attach to besides the kernel. */
import { BpfProgram, type Btf, BtfObject, listPrograms, SysError } from "libbpf-ts";
import type { BpfFunction } from "../compile/kernel.ts";

/** A program's types, or undefined for one without, and for one that is gone meanwhile. */
export function programTypes(id: number): { btf: Btf; functions: BpfFunction[] } | undefined {
  try {
    using program = BpfProgram.open(id);
    const { btfId } = program.info();
    if (btfId === 0) return undefined;
    using object = BtfObject.openId(btfId);
    const btf = object.read();
    const functions = program
      .functions()
      .map(({ typeId }) => ({ program: id, name: btf.name(typeId), btfId: typeId }));
    return { btf, functions };
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}

/** The functions of all programs (CAP_SYS_ADMIN); empty where they may not be asked for. */
export function bpfFunctions(): BpfFunction[] {
  try {
    return listPrograms().flatMap((id) => programTypes(id)?.functions ?? []);
  } catch (error) {
    if (error instanceof SysError) return [];
    throw error;
  }
}
