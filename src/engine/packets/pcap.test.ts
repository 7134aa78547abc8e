import { expect, test } from "vitest";
import { pagesPerCpu } from "./capture.ts";
import { encodePacket } from "./pcap.ts";

test("a packet's header has seconds, microseconds and both lengths", () => {
  const bytes = Buffer.from("abc");
  const packet = encodePacket({ nanoseconds: 1_700_000_000_123_456_789n, bytes, length: 1500 });
  expect([0, 4, 8, 12].map((at) => packet.readUInt32LE(at))).toEqual([1_700_000_000, 123_456, 3, 1500]);
  expect(packet.subarray(16).toString()).toBe("abc");
});

test.each([
  [undefined, 2, 1024],
  [undefined, 16, 256],
  [undefined, 512, 64],
  [1, 2, 1],
  [64, 2, 32],
  [100, 3, 32],
])("%s pages and %i CPUs: %i for each", (pages, cpus, each) => {
  expect(pagesPerCpu(pages, cpus, 4096)).toBe(each);
});
