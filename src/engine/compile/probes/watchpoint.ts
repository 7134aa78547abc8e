/** watchpoint:ADDRESS:LENGTH:MODE. */
import type { Arch } from "../kernel.ts";
import type { Probe } from "../typed.ts";
import { type ProbeRequest, parseInteger, probe, wrongShape } from "./request.ts";

/** What debug registers can do. */
const MODES: Readonly<Record<Arch, readonly string[]>> = {
  x64: ["w", "rw", "x"],
  arm64: ["r", "w", "rw", "x"],
};
const MEANING: Readonly<Record<string, string>> = {
  r: "reads (r)",
  w: "writes (w)",
  rw: "reads and writes (rw)",
  x: "runs (x)",
};

export function expandWatchpoint(request: ProbeRequest): Probe[] {
  const { parts, report, span, kernel } = request;
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
  const letters = [...mode].sort().join("");
  if (!/^[rwx]+$/.test(mode) || new Set(mode).size !== mode.length) {
    report.error("probe-syntax", span, `${mode || "(empty)"} is no mode`, {
      hint: "r, w, x, or several of them",
    });
    return [];
  }
  if (!MODES[kernel.arch].includes(letters)) {
    report.error(
      "not-supported",
      span,
      `the processor watches ${MODES[kernel.arch].map((each) => MEANING[each]).join(", ")}: not ${mode}`,
    );
    return [];
  }
  if (kernel.arch === "x64" && letters !== "x" && address % length !== 0n) {
    report.error(
      "probe-syntax",
      span,
      `the processor watches ${length} bytes from where they are aligned: ${where} is no multiple of ${length}`,
    );
    return [];
  }
  return [
    probe(request, `watchpoint:${parts.join(":")}`, {
      kind: "watchpoint",
      address,
      length: Number(length),
      mode: letters,
    }),
  ];
}
