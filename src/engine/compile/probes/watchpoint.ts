/** watchpoint:ADDRESS:LENGTH:MODE. */
import type { Probe } from "../typed.ts";
import { type ProbeRequest, parseInteger, probe, wrongShape } from "./request.ts";

export function expandWatchpoint(request: ProbeRequest): Probe[] {
  const { parts, report, span } = request;
  if (parts.length !== 3)
    return wrongShape(request, "watchpoint:ADDRESS:LENGTH:MODE, for example watchpoint:0x1000:8:rw");
  const [where, bytes, mode] = parts;
  const address = parseInteger(where);
  const length = parseInteger(bytes);
  if (address === undefined || address === 0n) {
    report.error("probe-syntax", span, `${where} is no address`);
    return [];
  }
  if (length === undefined || ![1n, 2n, 4n, 8n].includes(length)) {
    report.error("probe-syntax", span, "a watchpoint is 1, 2, 4 or 8 bytes long");
    return [];
  }
  if (!/^[rwx]+$/.test(mode) || new Set(mode).size !== mode.length) {
    report.error("probe-syntax", span, `${mode} is no mode`, { hint: "r, w, x, or several of them" });
    return [];
  }
  return [
    probe(request, `watchpoint:${parts.join(":")}`, {
      kind: "watchpoint",
      address,
      length: Number(length),
      mode,
    }),
  ];
}
