// BPF maps. Keys and values are bytes; what they mean is the caller's business.
//
// A whole map is read by batches (Linux 5.6) into buffers that are kept between reads: two system calls for a map of
// 200,000 keys instead of 400,000. Per-CPU values lie behind one another, `valueStride` bytes for each key:
//
//   key 0: [cpu 0: round8(valueSize)] [cpu 1] … [cpu possible-1]   key 1: [cpu 0] …

import { possibleCpus } from "./cpus.ts";
import { Errno, kernelAtLeast, SysError } from "./errno.ts";
import { attr, bpf, bpfCallName, bpfOrThrow, close, Mapping, pageSize, raiseMemlock } from "./sys.ts";
import { Cmd, MapType, type MapTypeName, UpdateFlag } from "./uapi.ts";

export interface MapSpec {
  type: MapTypeName;
  keySize?: number;
  valueSize?: number;
  maxEntries: number;
  /** Bits of `MapFlag`. */
  flags?: number;
  /** Shown by bpftool; letters, digits, "_" and ".", the first 15 count. */
  name?: string;
  innerMapFd?: number;
  btfFd?: number;
  btfKeyTypeId?: number;
  btfValueTypeId?: number;
}

export interface MapInfo {
  type: number;
  id: number;
  keySize: number;
  valueSize: number;
  maxEntries: number;
  flags: number;
  name: string;
}

/** A read of a whole map. The arrays are reused by the map's next read: copy what must outlive it. */
export interface MapContents {
  /** `count` keys of `keySize` bytes. */
  keys: Uint8Array;
  /** `count` values of `valueStride` bytes. */
  values: Uint8Array;
  count: number;
}

const ELEM_SIZE = 32;
const BATCH_SIZE = 56;
const perCpuTypes = new Set<number>([MapType.percpu_hash, MapType.percpu_array, MapType.lru_percpu_hash]);
const arrayTypes = new Set<number>([MapType.array, MapType.percpu_array]);
const typeNames = new Map<number, string>(Object.entries(MapType).map(([name, number]) => [number, name]));

function round8(size: number): number {
  return (size + 7) & ~7;
}

/** Reads struct bpf_map_info of a map. */
export function mapInfo(fd: number): MapInfo {
  const info = new DataView(new ArrayBuffer(96));
  attr.begin().u32(0, fd).u32(4, info.byteLength).ptr(8, info);
  bpfOrThrow(Cmd.objGetInfoByFd, 16, "map");
  const name = Buffer.from(info.buffer, 24, 16).toString("latin1");
  return {
    type: info.getUint32(0, true),
    id: info.getUint32(4, true),
    keySize: info.getUint32(8, true),
    valueSize: info.getUint32(12, true),
    maxEntries: info.getUint32(16, true),
    flags: info.getUint32(20, true),
    name: name.slice(0, name.indexOf("\0")),
  };
}

/** One BPF map. Disposing closes the descriptor; the kernel frees the map with its last user. */
export class BpfMap implements Disposable {
  readonly fd: number;
  readonly type: MapTypeName;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly name: string;
  readonly perCpu: boolean;
  /** Bytes of one key's value as lookups return it: all CPUs for per-CPU maps. */
  readonly valueStride: number;
  /** Bytes from one CPU's value to the next, `valueStride` for plain maps. */
  readonly cpuStride: number;

  #keys: Uint8Array = new Uint8Array(0);
  #values: Uint8Array = new Uint8Array(0);
  #cursors: [Uint8Array, Uint8Array];
  #noBatch = false;
  #mapping: Mapping | undefined;
  #closed = false;

  private constructor(fd: number, info: Omit<MapInfo, "id">) {
    this.fd = fd;
    this.type = (typeNames.get(info.type) ?? `type${info.type}`) as MapTypeName;
    this.keySize = info.keySize;
    this.valueSize = info.valueSize;
    this.maxEntries = info.maxEntries;
    this.flags = info.flags;
    this.name = info.name;
    this.perCpu = perCpuTypes.has(info.type);
    this.cpuStride = this.perCpu ? round8(info.valueSize) : info.valueSize;
    this.valueStride = this.perCpu ? this.cpuStride * possibleCpus() : info.valueSize;
    // The kernel's cursor is opaque: a bucket number or a key.
    const cursor = Math.max(info.keySize, 8);
    this.#cursors = [new Uint8Array(cursor), new Uint8Array(cursor)];
  }

  /** Creates a map; throws SysError. Sizes that a type does not have (ring buffers) are left out. */
  static create(spec: MapSpec): BpfMap {
    const { keySize = 0, valueSize = 0, flags = 0, name = "" } = spec;
    const type = MapType[spec.type];
    const create = () => {
      attr.begin().u32(0, type).u32(4, keySize).u32(8, valueSize).u32(12, spec.maxEntries).u32(16, flags);
      attr.u32(20, spec.innerMapFd ?? 0).name(28, name);
      attr
        .u32(48, spec.btfFd ?? 0)
        .u32(52, spec.btfKeyTypeId ?? 0)
        .u32(56, spec.btfValueTypeId ?? 0);
      return bpf(Cmd.mapCreate, 72);
    };
    let fd = create();
    if (fd === -Errno.EPERM && !kernelAtLeast("5.11") && raiseMemlock()) fd = create();
    if (fd < 0) throw new SysError(bpfCallName(Cmd.mapCreate, `${spec.type}${name && ` "${name}"`}`), -fd);
    return new BpfMap(fd, { type, keySize, valueSize, maxEntries: spec.maxEntries, flags, name });
  }

  /** Takes over a descriptor of a map. */
  static fromFd(fd: number): BpfMap {
    return new BpfMap(fd, mapInfo(fd));
  }

  /** Opens a map of the system by its id (CAP_SYS_ADMIN). */
  static fromId(id: number): BpfMap {
    attr.begin().u32(0, id);
    return BpfMap.fromFd(bpfOrThrow(Cmd.mapGetFdById, 12, `id ${id}`));
  }

  info(): MapInfo {
    return mapInfo(this.fd);
  }

  /** The value of a key, or undefined. Per-CPU maps: all CPUs. `into`, where given, receives it. */
  lookup(key: Uint8Array, into: Uint8Array = new Uint8Array(this.valueStride)): Uint8Array | undefined {
    return this.#elem(Cmd.mapLookupElem, key, into, 0) < 0 ? undefined : into;
  }

  /** Removes a key and returns its value (hash maps, 5.14; queues and stacks, 4.20). */
  lookupAndDelete(key: Uint8Array): Uint8Array | undefined {
    const value = new Uint8Array(this.valueStride);
    return this.#elem(Cmd.mapLookupAndDeleteElem, key, value, 0) < 0 ? undefined : value;
  }

  /** Writes a value (per-CPU maps: `valueStride` bytes, all CPUs). */
  update(key: Uint8Array, value: Uint8Array, flag: keyof typeof UpdateFlag = "any"): void {
    this.#checkSize("value", value, this.valueStride);
    this.#elem(Cmd.mapUpdateElem, key, value, UpdateFlag[flag]);
  }

  /** Removes a key; whether it was there. */
  delete(key: Uint8Array): boolean {
    return this.#elem(Cmd.mapDeleteElem, key, undefined, 0) >= 0;
  }

  /** The key after `key` in the map's order; the first one without an argument; undefined after the last. */
  nextKey(key?: Uint8Array, into: Uint8Array = new Uint8Array(this.keySize)): Uint8Array | undefined {
    return this.#elem(Cmd.mapGetNextKey, key, into, 0) < 0 ? undefined : into;
  }

  /** Reads the whole map. */
  readBatch(): MapContents {
    return this.#read(Cmd.mapLookupBatch);
  }

  /** Reads the whole map piece by piece, in little memory. A piece is only good during its call. */
  readPieces(piece: (contents: MapContents) => void): void {
    this.#read(Cmd.mapLookupBatch, piece);
  }

  /** Reads the whole map and empties it, losing no update in between (hash maps). */
  takeBatch(): MapContents {
    return this.#read(Cmd.mapLookupAndDeleteBatch);
  }

  /** Removes `count` keys that lie behind one another; those that are gone already are passed over. */
  deleteBatch(keys: Uint8Array, count: number = keys.byteLength / this.keySize): void {
    this.#checkSize("keys", keys, count * this.keySize);
    for (let done = 0; done < count; ) {
      const rest = keys.subarray(done * this.keySize);
      const result = this.#noBatch
        ? -Errno.EINVAL
        : this.#batch(Cmd.mapDeleteBatch, undefined, undefined, rest, undefined, count - done);
      if (result >= 0) return;
      if (result === -Errno.ENOENT || result === -Errno.EAGAIN)
        done += attr.view.getUint32(32, true) + (result === -Errno.ENOENT ? 1 : 0);
      else if (result === -Errno.EPERM)
        throw new SysError(bpfCallName(Cmd.mapDeleteBatch, this.name), -result);
      else {
        for (; done < count; done++)
          this.delete(keys.subarray(done * this.keySize, (done + 1) * this.keySize));
      }
    }
  }

  /** Empties a hash map; writes zeros to every value of an array. */
  clear(): void {
    if (arrayTypes.has(MapType[this.type])) {
      if (this.#mapping) {
        new Uint8Array(this.#mapping.buffer).fill(0);
        return;
      }
      const key = new Uint32Array(1);
      const keyBytes = new Uint8Array(key.buffer);
      const zero = new Uint8Array(this.valueStride);
      for (key[0] = 0; key[0] < this.maxEntries; key[0]++) this.update(keyBytes, zero);
      return;
    }
    this.takeBatch();
  }

  /** Makes the map read-only for system calls; programs can still write (5.2). */
  freeze(): void {
    attr.begin().u32(0, this.fd);
    bpfOrThrow(Cmd.mapFreeze, 4, this.name);
  }

  /** The memory of an array created with `MapFlag.mmapable` (5.5): entries `round8(valueSize)` apart. Gone after disposal. */
  mmapArray(): ArrayBuffer {
    if (!this.#mapping) {
      const page = pageSize();
      const length = Math.ceil((round8(this.valueSize) * this.maxEntries) / page) * page;
      this.#mapping = new Mapping(this.fd, length, "write");
    }
    return this.#mapping.buffer;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#mapping?.[Symbol.dispose]();
    close(this.fd);
  }

  #checkSize(what: string, bytes: Uint8Array, least: number): void {
    if (bytes.byteLength >= least) return;
    throw new RangeError(`map ${this.name}: the ${what} has ${bytes.byteLength} bytes and needs ${least}`);
  }

  /** One element call; a negative result is "no such key", everything else that fails throws. */
  #elem(cmd: number, key: Uint8Array | undefined, value: Uint8Array | undefined, flags: number): number {
    if (key) this.#checkSize("key", key, this.keySize);
    attr.begin().u32(0, this.fd).ptr(8, key).ptr(16, value).u32(24, flags);
    const result = bpf(cmd, ELEM_SIZE);
    if (result < 0 && (result !== -Errno.ENOENT || cmd === Cmd.mapUpdateElem)) {
      throw new SysError(bpfCallName(cmd, this.name), -result);
    }
    return result;
  }

  #batch(
    cmd: number,
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    keys: Uint8Array,
    values: Uint8Array | undefined,
    count: number,
  ): number {
    attr.begin().ptr(0, from).ptr(8, to).ptr(16, keys).ptr(24, values).u32(32, count).u32(36, this.fd);
    return bpf(cmd, BATCH_SIZE);
  }

  #room(): number {
    return this.keySize === 0 ? 0 : Math.floor(this.#keys.byteLength / this.keySize);
  }

  #grow(entries: number, kept: number): void {
    const keys = new Uint8Array(entries * this.keySize);
    const values = new Uint8Array(entries * this.valueStride);
    keys.set(this.#keys.subarray(0, kept * this.keySize));
    values.set(this.#values.subarray(0, kept * this.valueStride));
    this.#keys = keys;
    this.#values = values;
  }

  #contents(count: number): MapContents {
    return {
      keys: this.#keys.subarray(0, count * this.keySize),
      values: this.#values.subarray(0, count * this.valueStride),
      count,
    };
  }

  /** The contents, or with `piece` the last piece of them. */
  #read(cmd: number, piece?: (contents: MapContents) => void): MapContents {
    const last = (contents: MapContents) => {
      piece?.(contents);
      return contents;
    };
    if (this.#noBatch) return last(this.#readOneByOne(cmd === Cmd.mapLookupAndDeleteBatch));
    if (this.#room() === 0) this.#grow(Math.min(this.maxEntries, 256), 0);
    let [from, to] = this.#cursors;
    let count = 0;
    let total = 0;
    const makeRoom = (entries: number) => {
      if (!piece || count === 0) return this.#grow(entries, count);
      piece(this.#contents(count));
      count = 0;
    };
    for (let first = true; ; ) {
      if (this.#room() === count) makeRoom(Math.max(count * 2, 64));
      const keys = this.#keys.subarray(count * this.keySize);
      const values = this.#values.subarray(count * this.valueStride);
      const result = this.#batch(cmd, first ? undefined : from, to, keys, values, this.#room() - count);
      const got = attr.view.getUint32(32, true);
      if (result >= 0 || result === -Errno.ENOENT) {
        count += got;
        total += got;
        if (result < 0 || total >= this.maxEntries) return last(this.#contents(count));
        [from, to] = [to, from];
        first = false;
      } else if (result === -Errno.ENOSPC) {
        makeRoom(Math.max(this.#room() * 2, 64));
      } else if (result !== -Errno.EINTR && result !== -Errno.EAGAIN) {
        // No batches for this type: all of them before 5.6, per-CPU arrays before 5.13.
        if (first && [Errno.ENOTSUPP, Errno.EINVAL, Errno.EOPNOTSUPP].includes(-result as never)) {
          this.#noBatch = true;
          return last(this.#readOneByOne(cmd === Cmd.mapLookupAndDeleteBatch));
        }
        throw new SysError(bpfCallName(cmd, this.name), -result);
      }
    }
  }

  #readOneByOne(take: boolean): MapContents {
    let count = 0;
    let key = this.nextKey();
    // A key deleted meanwhile sends the walk back to the start: no more steps than the map has entries.
    for (let steps = 0; key && steps < this.maxEntries; steps++) {
      if (this.#room() === count) this.#grow(Math.max(count * 2, 64), count);
      const valueAt = count * this.valueStride;
      const found = this.lookup(key, this.#values.subarray(valueAt, valueAt + this.valueStride));
      if (found) {
        this.#keys.set(key, count * this.keySize);
        count++;
      }
      const next = this.nextKey(key);
      if (take) this.delete(key);
      key = next;
    }
    return this.#contents(count);
  }
}
