/** What attaching gives, and what an attacher is handed. One attacher per `ProbePlan.via`, in a file of its own. */
import { type BpfProgram, type Link, SysError, UnsupportedError } from "libbpf-ts";
import type { ProbePlan } from "../compile/plan.ts";
import type { Attach } from "../compile/typed.ts";

/** Probes of one program that one call may attach together, with their indexes in the plan. */
export interface AttachRequest {
  program: BpfProgram;
  probes: readonly ProbePlan[];
  indexes: readonly number[];
  /** What tells the program which probe fired. */
  cookies: readonly number[];
  /** -p or -c: probes in user space are attached to this process only. */
  pid: number | undefined;
  /** What to do about a probe among several that cannot be attached: throw, and nothing is, or return, and the rest is. */
  refused(error: AttachError): void;
}

/** A probe that could not be attached. */
export class AttachError extends Error {
  readonly probe: ProbePlan;
  /** The kernel's reason, for callers that tell "not here" from "not permitted". */
  readonly reason: unknown;

  constructor(probe: ProbePlan, reason: unknown) {
    super(`cannot attach ${probe.name}: ${reason instanceof Error ? reason.message : String(reason)}`);
    this.name = "AttachError";
    this.probe = probe;
    this.reason = reason;
  }
}

/** Whether an error is the kernel's answer, and not a mistake of ours. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof SysError || error instanceof UnsupportedError;

export interface Attached {
  link: Link;
  /** Indexes into Plan.probes. */
  probes: readonly number[];
  /** Closing waits for RCU, 80 ms and more. */
  slowToClose: boolean;
}

/** Attaches the probes of a request, or leaves none attached and throws what the kernel said. */
export type Attacher = (request: AttachRequest) => Attached[];

/** The attach description, of the kind that the attacher is for. */
export function attachOf<K extends Attach["kind"]>(
  probe: ProbePlan,
  ...kinds: K[]
): Extract<Attach, { kind: K }> {
  if (!(kinds as string[]).includes(probe.attach.kind)) {
    throw new TypeError(`${probe.name} cannot attach via ${probe.via}`);
  }
  return probe.attach as Extract<Attach, { kind: K }>;
}

/** An attacher that makes one link per probe. */
export function each(
  slowToClose: boolean,
  attach: (probe: ProbePlan, request: AttachRequest, cookie: bigint) => Link,
): Attacher {
  return (request) => {
    const attached: Attached[] = [];
    try {
      request.probes.forEach((probe, i) => {
        const link = attach(probe, request, BigInt(request.cookies[i]));
        attached.push({ link, probes: [request.indexes[i]], slowToClose });
      });
      return attached;
    } catch (error) {
      for (const { link } of attached) link.detach();
      throw error;
    }
  };
}

/**
 * Attaches many members by one call. The kernel refuses a list as a whole and does not say for which of its members: halves
 * tell, and those that it takes stay attached.
 */
export function inHalves(
  members: readonly number[],
  attach: (members: readonly number[]) => void,
  refused: (member: number, reason: unknown) => void,
): void {
  if (members.length === 0) return;
  try {
    attach(members);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (members.length === 1) {
      refused(members[0], error);
      return;
    }
    const half = members.length >>> 1;
    inHalves(members.slice(0, half), attach, refused);
    inHalves(members.slice(half), attach, refused);
  }
}
