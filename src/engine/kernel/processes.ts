/**
 * What /proc tells of processes. One whose first thread has ended goes on as long as any other runs; its memory and files are
 * to be asked of that one.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";

/** What /proc/PID/maps and links put behind a file's path when it is gone by that name. */
export const DELETED = " (deleted)";

/** The inode of the first pid namespace, fixed in the kernel (PROC_PID_INIT_INO). */
const INITIAL_PID_NAMESPACE = 0xeffffffcn;

/** Our pid namespace, as /proc at `proc` has it; undefined: the first one. Throws where it can't be read. */
export function ownPidNamespace(proc = "/proc/"): { device: bigint; inode: bigint } | undefined {
  const { dev, ino } = statSync(`${proc}self/ns/pid`, { bigint: true });
  return ino === INITIAL_PID_NAMESPACE ? undefined : { device: dev, inode: ino };
}

/** A process that has ended, or that is not this user's to look at. */
export class ProcessError extends Error {}

interface ProcessStat {
  state: string;
  /** PF_… */
  flags: number;
  /** Those that have ended are not among them, except the first. */
  threads: number;
}

/** Undefined: there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // Fields from the third on: comm may hold spaces and brackets.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0], flags: Number(fields[6]), threads: Number(fields[17]) };
  } catch {
    return undefined;
  }
}

const PF_EXITING = 0x4;

/** Whether any thread of a process still runs; zombies do not, nor what is on its way out, which may take long. */
export function isAlive(pid: number): boolean {
  const stat = processStat(pid);
  if (!stat) return false;
  return stat.threads > 1 || (!/^[ZX]/.test(stat.state) && (stat.flags & PF_EXITING) === 0);
}

/** A thread of the process that has its memory and files: the first one, or another where that has ended. */
export function livingThread(pid: number): number {
  const stat = processStat(pid);
  if (!stat || !/^[ZX]/.test(stat.state) || stat.threads < 2) return pid;
  try {
    return Number(readdirSync(`/proc/${pid}/task`).find((thread) => thread !== String(pid)) ?? pid);
  } catch {
    return pid;
  }
}

/** What a process has mapped to execute, by one line of its maps. */
export interface ExecutableMapping {
  start: number;
  end: number;
  fileOffset: number;
  /** "08:01" and 1574; "00:00" and 0 for memory of no file. */
  device: string;
  inode: number;
  path: string;
}

/** "55d0c0a00000-55d0c0a9e000 r-xp 00027000 08:01 1574      /usr/bin/bash" */
const MAPS_LINE = /^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) (\d+) *(.*)$/s;

/** The executable mappings in the text of /proc/PID/maps, ascending. */
export function executableMappings(text: string): ExecutableMapping[] {
  // Paths may hold all that regular expressions take for ends of lines, but newlines, which the kernel writes as \012.
  return text.split("\n").flatMap((line) => {
    const match = MAPS_LINE.exec(line);
    if (!match) return [];
    const [, start, end, fileOffset, device, inode, path] = match;
    return {
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16),
      fileOffset: Number.parseInt(fileOffset, 16),
      device,
      inode: Number(inode),
      path: path.replaceAll("\\012", "\n"),
    };
  });
}

/** The same of a process; none when it is gone. */
export function mappingsOf(pid: number): ExecutableMapping[] {
  try {
    return executableMappings(readFileSync(`/proc/${livingThread(pid)}/maps`, "utf8"));
  } catch {
    return [];
  }
}

/** Where /proc keeps the file of a mapping, whatever has become of its path. */
export const mapFile = (pid: number, { start, end }: { start: number; end: number }): string =>
  `/proc/${livingThread(pid)}/map_files/${start.toString(16)}-${end.toString(16)}`;

/**
 * The file system that a process sees: what tells it from others, and the path that leads to it, "" where it is ours.
 * Throws when the process is gone.
 */
export function fileSystemOf(pid: number): { key: string; root: string } {
  const thread = livingThread(pid);
  const namespace = readlinkSync(`/proc/${thread}/ns/mnt`);
  const root = readlinkSync(`/proc/${thread}/root`);
  const ours = root === "/" && namespace === readlinkSync("/proc/self/ns/mnt");
  return { key: `${namespace} ${root}`, root: ours ? "" : `/proc/${thread}/root` };
}
