/**
 * User functions: one perf event each, or all of a file by one uprobe_multi link (6.6), which attaches 200 in the time
 * that perf events take for seven.
 */
import { archiveMember, attachUprobe, attachUprobeMulti } from "libbpf-ts";
import { AttachError, type Attached, type Attacher, attachOf, each, inHalves } from "./attached.ts";
import { withPerfLinks } from "./tracepoint.ts";

/** The file that the kernel is told of, and where in it the program or library begins: elsewhere in archives only. */
function fileOf(path: string): { path: string; start: bigint } {
  const member = archiveMember(path);
  return member ? { path: member.archive, start: BigInt(member.offset) } : { path, start: 0n };
}

export const uprobe = each(true, (probe, { program, pid }, cookie) => {
  const { path: shown, offset, return: ret } = attachOf(probe, "uprobe");
  const { path, start } = fileOf(shown);
  return attachUprobe(program, {
    path,
    offset: start + BigInt(offset),
    ret,
    pid,
    cookie: withPerfLinks(cookie),
  });
});

export const usdt = each(true, (probe, { program, pid }, cookie) => {
  const { path: shown, offset, semaphoreOffset } = attachOf(probe, "usdt");
  const { path, start } = fileOf(shown);
  return attachUprobe(program, {
    path,
    offset: start + BigInt(offset),
    refCtrOffset: semaphoreOffset === 0 ? undefined : start + BigInt(semaphoreOffset),
    pid,
    cookie: withPerfLinks(cookie),
  });
});

export const uprobeMulti: Attacher = ({ program, probes, indexes, cookies, pid, refused }) => {
  const groups = new Map<string, number[]>();
  const targets = probes.map((probe) => attachOf(probe, "uprobe", "usdt"));
  targets.forEach((target, i) => {
    const key = `${target.kind === "uprobe" && target.return ? "r" : "p"}${target.path}`;
    const group = groups.get(key);
    if (group) group.push(i);
    else groups.set(key, [i]);
  });
  const attached: Attached[] = [];
  try {
    for (const group of groups.values()) {
      const first = targets[group[0]];
      const { path, start } = fileOf(first.path);
      const semaphoreOf = (i: number): bigint => {
        const target = targets[i];
        return target.kind === "usdt" && target.semaphoreOffset !== 0
          ? start + BigInt(target.semaphoreOffset)
          : 0n;
      };
      inHalves(
        group,
        (members) => {
          const semaphores = members.map(semaphoreOf);
          const link = attachUprobeMulti(program, {
            path,
            offsets: members.map((i) => start + BigInt(targets[i].offset)),
            cookies: members.map((i) => BigInt(cookies[i])),
            refCtrOffsets: semaphores.some((offset) => offset !== 0n) ? semaphores : undefined,
            ret: first.kind === "uprobe" && first.return,
            pid,
          });
          attached.push({ link, probes: members.map((i) => indexes[i]), slowToClose: true });
        },
        (member, error) => refused(new AttachError(probes[member], error)),
      );
    }
    return attached;
  } catch (error) {
    for (const { link } of attached) link.detach();
    throw error;
  }
};
