/** skboutput(): known datagrams over loopback, read back from the files that it writes. */
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { hasFeature, kernelAtLeast } from "libbpf-ts";
import { afterAll, describe, expect, test } from "vitest";
import { SessionError } from "../../../src/engine/session/error.ts";
import { isRoot } from "../../support/cli.ts";
import { runScript } from "../../support/script.ts";

interface Datagram {
  port: number;
  payload: string;
  /** Bytes here, and on the wire. */
  sizes: [number, number];
  milliseconds: number;
}

const [PACKET_HEADER, IP, UDP] = [16, 20, 8];

/** The UDP datagrams to a port in a file of raw IPv4 packets. */
function readPackets(path: string, port: number): Datagram[] {
  const file = readFileSync(path);
  expect(file.readUInt32LE(0)).toBe(0xa1b2c3d4);
  expect([file.readUInt16LE(4), file.readUInt16LE(6), file.readUInt32LE(20)]).toEqual([2, 4, 101]);
  const found: Datagram[] = [];
  let at = 24;
  for (; at < file.length; ) {
    const [seconds, micros, here, wire] = [0, 4, 8, 12].map((offset) => file.readUInt32LE(at + offset));
    const packet = file.subarray(at + PACKET_HEADER, at + PACKET_HEADER + here);
    expect(packet.length).toBe(here);
    at += PACKET_HEADER + here;
    const isUdp = here >= IP + UDP && packet[0] === 0x45 && packet[9] === 17;
    if (!isUdp || packet.readUInt16BE(IP + 2) !== port) continue;
    const payload = packet.subarray(IP + UDP).toString("latin1");
    found.push({ port, payload, sizes: [here, wire], milliseconds: seconds * 1000 + micros / 1000 });
  }
  expect(at).toBe(file.length);
  return found;
}

/** Sends datagrams to a port of its own that nobody else uses; the port. */
async function send(payloads: readonly string[]): Promise<number> {
  const receiver = createSocket("udp4");
  receiver.bind(0, "127.0.0.1");
  await once(receiver, "listening");
  const { port } = receiver.address();
  const sender = createSocket("udp4");
  let received = 0;
  receiver.on("message", () => received++);
  const send = (payload: string) =>
    new Promise((resolve) => sender.send(Buffer.from(payload, "latin1"), port, "127.0.0.1", resolve));
  // All at once: nobody looks at the buffer meanwhile.
  await Promise.all(payloads.map(send));
  for (let tries = 0; received < payloads.length && tries < 50; tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  sender.close();
  receiver.close();
  return port;
}

const hasLoopback = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "127.0.0.1"),
);
const folder = mkdtempSync(join(tmpdir(), "tracedeck-packets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const quote = (path: string) => JSON.stringify(path);
const words = ["", "a", "seven by", "hello, world", "x".repeat(1400), "last"];
const payloads = words.map((word, i) => `${i}:${word}`);

describe.skipIf(!isRoot || !hasLoopback || !kernelAtLeast("5.5"))("packets in files", () => {
  const capture = (
    path: string,
    length = "args.skb.len",
    probe = "rawtracepoint:netif_receive_skb",
    offset = 0,
  ) =>
    `${probe} { $status = skboutput(${quote(path)}, args.skb, ${length}, ${offset}); @[$status] = count(); }`;

  test("every datagram, whole, in order, at its time", async () => {
    const path = join(folder, "whole.pcap");
    const before = Date.now();
    let port = 0;
    const { stdout, stderr, losses } = await runScript(capture(path), [], async () => {
      port = await send(payloads);
    });
    expect(stderr).toBe("");
    expect(stdout).toMatch(/^@\[0\]: \d+\n$/);
    const packets = readPackets(path, port);
    expect(packets.map(({ payload }) => payload)).toEqual(payloads);
    for (const { payload, sizes, milliseconds } of packets) {
      expect(sizes).toEqual([IP + UDP + payload.length, IP + UDP + payload.length]);
      expect(milliseconds).toBeGreaterThan(before - 1000);
      expect(milliseconds).toBeLessThan(Date.now() + 1000);
    }
    expect(losses!.packetsLost).toBe(0);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("the first bytes of each, behind an Ethernet header", async () => {
    const path = join(folder, "cut.pcap");
    let port = 0;
    const length = "args.skb.len < 46 ? args.skb.len : 46";
    await runScript(capture(path, length, "rawtracepoint:net_dev_start_xmit", 14), [], async () => {
      port = await send(payloads);
    });
    const packets = readPackets(path, port);
    expect(packets.map(({ payload }) => payload)).toEqual(payloads.map((text) => text.slice(0, 4)));
    expect(packets.map(({ sizes: [, wire] }) => wire)).toEqual(
      payloads.map((text) => IP + UDP + text.length),
    );
  });

  test("more than a record holds is cut, more than a packet has is an error", async () => {
    const path = join(folder, "long.pcap");
    const longest = "y".repeat(65507);
    let port = 0;
    await runScript(capture(path), [], async () => {
      port = await send([longest]);
    });
    const [packet] = readPackets(path, port);
    expect(packet.sizes[1]).toBe(65535);
    expect(packet.sizes[0]).toBeGreaterThan(65000);
    expect(packet.payload).toBe(longest.slice(0, packet.payload.length));

    const { stdout } = await runScript(capture(path, "args.skb.len + 1"), [], () => send(payloads));
    expect(stdout).toMatch(/^@\[-14\]: \d+\n$/);
    expect(readFileSync(path).length).toBe(24);
  });

  test("what the buffer has no room for is counted", async () => {
    const path = join(folder, "lost.pcap");
    const sent = Array.from({ length: 400 }, (_, i) => `${i}:${"z".repeat(1300)}`);
    const script = `config = { perf_rb_pages = 1 }\n${capture(path)}`;
    let port = 0;
    const { stdout, losses } = await runScript(script, [], async () => {
      port = await send(sent);
    });
    const counts = [...stdout.matchAll(/@\[(-?\d+)\]: (\d+)/g)].map(([, key, n]) => [Number(key), Number(n)]);
    const status = new Map(counts as [number, number][]);
    const packets = readPackets(path, port);
    expect(packets.length).toBeGreaterThan(0);
    expect(losses!.packetsLost).toBeGreaterThan(0);
    expect(losses!.packetsLost).toBe(status.get(-28));
    expect(packets.length).toBeLessThanOrEqual(status.get(0)!);
    expect(packets.length + losses!.packetsLost).toBeGreaterThanOrEqual(sent.length);
  });

  test("two files, and one from two places", async () => {
    const [a, b] = [join(folder, "a.pcap"), join(folder, "b.pcap")];
    let port = 0;
    await runScript(
      `${capture(a)} ${capture(b)} ${capture(b, "args.skb.len", "rawtracepoint:net_dev_start_xmit", 14)}`,
      [],
      async () => {
        port = await send(payloads);
      },
    );
    expect(readPackets(a, port).map(({ payload }) => payload)).toEqual(payloads);
    expect(
      readPackets(b, port)
        .map(({ payload }) => payload)
        .sort(),
    ).toEqual([...payloads, ...payloads].sort());
  });

  test("by the argument's number, cast, as older scripts have it", async () => {
    const path = join(folder, "cast.pcap");
    let port = 0;
    await runScript(
      `rawtracepoint:netif_receive_skb { $s = skboutput(${quote(path)}, (struct sk_buff *)arg0, ((struct sk_buff *)arg0).len, 0); }`,
      [],
      async () => {
        port = await send(payloads);
      },
    );
    expect(readPackets(path, port).map(({ payload }) => payload)).toEqual(payloads);
  });

  test.skipIf(!hasFeature("fentry"))("fentry", async () => {
    const path = join(folder, "fentry.pcap");
    let port = 0;
    await runScript(capture(path, "args.skb.len", "fentry:__dev_queue_xmit", 14), [], async () => {
      port = await send(payloads);
    });
    expect(readPackets(path, port).map(({ payload }) => payload)).toEqual(payloads);
  });

  test("a disk that is full is said once; the file ends with a whole packet", async ({ skip }) => {
    const disk = join(folder, "disk");
    mkdirSync(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=32k", "tmpfs", disk], { stdio: "pipe" });
    } catch (error) {
      skip(true, `no tmpfs can be mounted here: ${(error as Error).message}`);
    }
    try {
      const path = join(disk, "full.pcap");
      const sent = Array.from({ length: 60 }, (_, i) => `${i}:${"z".repeat(1000)}`);
      let port = 0;
      const { stderr, status, losses } = await runScript(capture(path), [], async () => {
        for (let i = 0; i < sent.length; i += 10) {
          port = await send(sent.slice(i, i + 10));
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      });
      expect(
        stderr.match(/packets cannot be written to .*full\.pcap: no space left on device/g),
      ).toHaveLength(1);
      expect(status).toBe(0);
      expect(losses!.packetsLost).toBeGreaterThan(0);
      readPackets(path, port);
      expect(statSync(path).size).toBeGreaterThan(24);
    } finally {
      execFileSync("umount", [disk]);
    }
  });

  test("nothing else is overwritten", async () => {
    const path = join(folder, "other");
    writeFileSync(path, "not packets");
    const error = await runScript(capture(path)).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SessionError);
    expect((error as SessionError).message).toMatch(
      /other: it is there and holds something other than packets/,
    );
    expect((error as SessionError).diagnostic!.span.start).toBeGreaterThan(0);
    expect(readFileSync(path, "utf8")).toBe("not packets");
  });
});
