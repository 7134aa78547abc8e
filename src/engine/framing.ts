/** Messages on a byte stream: u32 little-endian length, then a MessagePack map. */
import { Decoder, Encoder } from "@msgpack/msgpack";

const LENGTH = 4;
/** What is longer is no message of ours. */
const LONGEST = 64 * 1024 * 1024;

const encoder = new Encoder({ ignoreUndefined: true });
const decoder = new Decoder();

export function encodeFrame(message: object): Uint8Array {
  const body = encoder.encodeSharedRef(message);
  const frame = new Uint8Array(LENGTH + body.byteLength);
  new DataView(frame.buffer).setUint32(0, body.byteLength, true);
  frame.set(body, LENGTH);
  return frame;
}

/** Puts frames together from chunks of any size. */
export class FrameReader<Message> {
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** The messages that are complete now. Throws on bytes that can't be frames. */
  push(chunk: Uint8Array): Message[] {
    this.#chunks.push(chunk);
    this.#length += chunk.byteLength;
    const messages: Message[] = [];
    for (;;) {
      if (this.#length < LENGTH) return messages;
      const head = this.#peek(LENGTH);
      const size = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
      if (size > LONGEST)
        throw new RangeError(`a message of ${size} bytes: the other side speaks another protocol`);
      if (this.#length < LENGTH + size) return messages;
      const frame = this.#take(LENGTH + size);
      messages.push(decoder.decode(frame.subarray(LENGTH)) as Message);
    }
  }

  #peek(size: number): Uint8Array {
    if (this.#chunks[0].byteLength < size) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0];
  }

  #take(size: number): Uint8Array {
    const first = this.#peek(size);
    this.#chunks[0] = first.subarray(size);
    if (this.#chunks[0].byteLength === 0) this.#chunks.shift();
    this.#length -= size;
    return first.subarray(0, size);
  }
}
