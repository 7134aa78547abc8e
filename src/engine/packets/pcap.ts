/**
 * Files of packets as pcap(5) describes them, in microseconds, of link type RAW: packets begin with their IP header.
 *
 *   file    u32 magic  u16 major  u16 minor  i32 zone  u32 accuracy  u32 longest  u32 link type
 *   packet  u32 seconds  u32 microseconds  u32 bytes here  u32 bytes on the wire  bytes…
 */
import { closeSync, ftruncateSync, writeSync } from "node:fs";

const MAGIC = 0xa1b2c3d4;
const LINKTYPE_RAW = 101;
const LONGEST = 65535;
const FILE_HEADER = 24;
const PACKET_HEADER = 16;

export interface Packet {
  /** Since the epoch. */
  nanoseconds: bigint;
  bytes: Uint8Array;
  /** What it had on the wire. */
  length: number;
}

function fileHeader(): Buffer {
  const header = Buffer.alloc(FILE_HEADER);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(LONGEST, 16);
  header.writeUInt32LE(LINKTYPE_RAW, 20);
  return header;
}

export function encodePacket({ nanoseconds, bytes, length }: Packet): Buffer {
  const packet = Buffer.allocUnsafe(PACKET_HEADER + bytes.length);
  packet.writeUInt32LE(Number(nanoseconds / 1_000_000_000n), 0);
  packet.writeUInt32LE(Number((nanoseconds % 1_000_000_000n) / 1000n), 4);
  packet.writeUInt32LE(bytes.length, 8);
  packet.writeUInt32LE(length, 12);
  packet.set(bytes, PACKET_HEADER);
  return packet;
}

/** Writes whole packets only. Takes over the descriptor. */
export class PcapFile implements Disposable {
  readonly #fd: number;
  #size = 0;

  constructor(fd: number) {
    this.#fd = fd;
    this.#append(fileHeader());
  }

  /** Throws what the file system says; the file then ends with the last packet that fitted. */
  write(packets: readonly Packet[]): void {
    this.#append(Buffer.concat(packets.map(encodePacket)));
  }

  #append(bytes: Buffer): void {
    try {
      for (let at = 0; at < bytes.length; )
        at += writeSync(this.#fd, bytes, at, bytes.length - at, this.#size + at);
      this.#size += bytes.length;
    } catch (error) {
      ftruncateSync(this.#fd, this.#size);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
