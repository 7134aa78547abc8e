import { expect, it } from "vitest";
import { encodeFrame, FrameReader } from "./framing.ts";

const messages = [
  { kind: "hello", version: 1 },
  { kind: "view", session: 1, map: "@", rows: 10, order: "value", descending: true, filter: undefined },
  { text: "é\u0000\u001b[2J", low: Number.NEGATIVE_INFINITY, big: 2 ** 53 - 1 },
  {},
];

it.each([1, 3, 7, 1000])("puts frames together from chunks of %d bytes", (size) => {
  const bytes = Buffer.concat(messages.map((message) => encodeFrame(message)));
  const reader = new FrameReader<object>();
  const read: object[] = [];
  for (let at = 0; at < bytes.length; at += size) read.push(...reader.push(bytes.subarray(at, at + size)));
  const { filter: _, ...view } = messages[1] as { filter?: string };
  expect(read).toEqual([messages[0], view, messages[2], messages[3]]);
});

it("refuses what can't be a frame", () => {
  const reader = new FrameReader();
  expect(() => reader.push(Buffer.from("GET / HTTP/1.1\r\n"))).toThrow(/another protocol/);
});
