// The kernel's own BTF and its modules', from /sys/kernel/btf, and loading BTF into the kernel.

import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { Errno, ranOut, SysError, UnsupportedError } from "../errno.ts";
import { VerifierError } from "../program.ts";
import { addressOf, attr, bpf, bpfCallName, bpfOrThrow, close, Mapping } from "../sys.ts";
import { Cmd } from "../uapi.ts";
import { Btf } from "./reader.ts";

const directory = "/sys/kernel/btf";
let vmlinux: Btf | undefined;

/** The bytes of a file in sysfs: mapped where the kernel allows it (6.16), as reads of it get no more than a page each. */
function sysfsBytes(path: string): Uint8Array {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    try {
      return new Uint8Array(new Mapping(fd, size, "private").buffer);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      return readFileSync(fd);
    }
  } finally {
    closeSync(fd);
  }
}

/** The kernel's types; read once. Throws UnsupportedError where it was built without BTF. */
export function loadVmlinux(): Btf {
  if (vmlinux) return vmlinux;
  if (!existsSync(`${directory}/vmlinux`)) {
    throw new UnsupportedError("kernel types", "this kernel was built without CONFIG_DEBUG_INFO_BTF", "5.4");
  }
  vmlinux = Btf.parse(sysfsBytes(`${directory}/vmlinux`));
  return vmlinux;
}

/** A module's types on top of the kernel's (5.11). */
export function loadModule(name: string): Btf {
  const path = `${directory}/${name}`;
  if (!existsSync(path))
    throw new UnsupportedError(`types of module ${name}`, "the module is not loaded, or has no BTF");
  return Btf.parse(readFileSync(path), loadVmlinux());
}

/** Modules that have BTF. */
export function listModules(): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name !== "vmlinux")
    .sort();
}

/** The name is "" before 5.11, which had no modules' BTF either. */
function info(fd: number): { id: number; name: string } {
  const name = new Uint8Array(64);
  const view = new DataView(new ArrayBuffer(32));
  const read = (size: number) => {
    attr.begin().u32(0, fd).u32(4, size).ptr(8, view);
    return bpf(Cmd.objGetInfoByFd, 16);
  };
  view.setBigUint64(16, addressOf(name), true);
  view.setUint32(24, name.byteLength, true);
  let result = read(32);
  if (result === -Errno.E2BIG) result = read(16);
  if (result < 0) throw new SysError(bpfCallName(Cmd.objGetInfoByFd, "BTF"), -result);
  const text = Buffer.from(name.subarray(0, name.indexOf(0))).toString("latin1");
  return { id: view.getUint32(12, true), name: text };
}

/** BTF in the kernel, by descriptor. */
export class BtfObject implements Disposable {
  readonly fd: number;
  #closed = false;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** Loads what `BtfWriter` built (4.18); throws VerifierError with the kernel's words. */
  static load(bytes: Uint8Array): BtfObject {
    const load = (log: Uint8Array | undefined) => {
      attr.begin().ptr(0, bytes).ptr(8, log).u32(16, bytes.byteLength);
      if (log) attr.u32(20, log.byteLength).u32(24, 1);
      return bpf(Cmd.btfLoad, 28);
    };
    const fd = load(undefined);
    if (fd >= 0) return new BtfObject(fd);
    const log = new Uint8Array(64 * 1024);
    const again = load(log);
    if (again >= 0) return new BtfObject(again);
    const text = Buffer.from(log.subarray(0, Math.max(0, log.indexOf(0)))).toString("utf8");
    const call = bpfCallName(Cmd.btfLoad);
    throw text === "" || ranOut(-fd) ? new SysError(call, -fd) : new VerifierError(call, -again, text);
  }

  /** A module's BTF by name, for `attachBtfFd` (CAP_SYS_ADMIN). */
  static openModule(name: string): BtfObject {
    for (let id = 0; ; ) {
      attr.begin().u32(0, id);
      const next = bpf(Cmd.btfGetNextId, 12);
      if (next === -Errno.ENOENT)
        throw new UnsupportedError(`types of module ${name}`, "the module is not loaded, or has no BTF");
      if (next < 0) throw new SysError(bpfCallName(Cmd.btfGetNextId), -next);
      id = attr.view.getUint32(4, true);
      attr.begin().u32(0, id);
      const fd = bpf(Cmd.btfGetFdById, 12);
      if (fd < 0) continue;
      if (info(fd).name === name) return new BtfObject(fd);
      close(fd);
    }
  }

  /** By its id, as `ProgramInfo.btfId` has it (CAP_SYS_ADMIN). */
  static openId(id: number): BtfObject {
    attr.begin().u32(0, id);
    return new BtfObject(bpfOrThrow(Cmd.btfGetFdById, 12, `id ${id}`));
  }

  info(): { id: number; name: string } {
    return info(this.fd);
  }

  /** Its types. A module's BTF needs the kernel's as `base`. */
  read(base?: Btf): Btf {
    const view = new DataView(new ArrayBuffer(16));
    const read = () => {
      attr.begin().u32(0, this.fd).u32(4, 16).ptr(8, view);
      bpfOrThrow(Cmd.objGetInfoByFd, 16, "BTF");
    };
    read();
    const bytes = new Uint8Array(view.getUint32(8, true));
    view.setBigUint64(0, addressOf(bytes), true);
    read();
    return Btf.parse(bytes, base);
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.fd);
  }
}
