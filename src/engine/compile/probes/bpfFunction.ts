/** fentry:bpf:NAME, fentry:bpf:ID:NAME, and fexit: the functions of BPF programs that are loaded now. */
import { nearest, someOf } from "../check/nearest.ts";
import type { BpfFunction } from "../kernel.ts";
import type { Probe } from "../typed.ts";
import { NO_MATCH, type ProbeRequest, parseInteger, probe, wrongShape } from "./request.ts";
import { hasWildcard, wildcard } from "./wildcard.ts";

export function expandBpfFunction(request: ProbeRequest): Probe[] {
  const { type, parts, kernel, report, span } = request;
  const name = parts.at(-1)!;
  if (parts.length > 3 || parts.some((part) => !part))
    return wrongShape(request, `${type}:bpf:NAME or ${type}:bpf:PROGRAM-ID:NAME`);
  const id = parts.length === 3 && parts[1] !== "*" ? parseInteger(parts[1]) : undefined;
  if (parts.length === 3 && parts[1] !== "*" && id === undefined) {
    report.error("probe-syntax", span, `${parts[1]} is no program's id: it is a number, or *`);
    return [];
  }
  const all = kernel.bpfFunctions?.() ?? [];
  const inProgram = all.filter(({ program }) => id === undefined || program === Number(id));
  const found = inProgram.filter((one) => wildcard(name)(one.name));
  if (found.length === 0) reportMissing(request, name, id, all, inProgram);
  return found.map(({ program, name: own, btfId }) =>
    probe(request, `${type}:bpf:${program}:${own}`, {
      kind: "fentry",
      function: own,
      module: "bpf",
      btfId,
      exit: type === "fexit",
      program,
    }),
  );
}

function reportMissing(
  request: ProbeRequest,
  name: string,
  id: bigint | undefined,
  all: readonly BpfFunction[],
  inProgram: readonly BpfFunction[],
): void {
  const shown = (functions: readonly BpfFunction[]) =>
    someOf(functions.map((one) => `${one.program}:${one.name}`));
  if (id !== undefined && inProgram.length === 0) {
    request.missing(
      "unknown-bpf-program",
      `there is no BPF program ${id} with types (BTF), which ${request.type} needs`,
      all.length ? `there are ${shown(all)}` : "no program that is loaded now has them",
    );
    return;
  }
  const near = nearest(
    name,
    inProgram.map((one) => one.name),
  );
  request.missing(
    hasWildcard(name) ? NO_MATCH : "unknown-bpf-program",
    `no BPF program with types (BTF) that is loaded now has a function ${name}`,
    near.length
      ? `did you mean ${near.join(" or ")}?`
      : inProgram.length
        ? `there are ${shown(inProgram)}`
        : "no program that is loaded now has types",
  );
}
