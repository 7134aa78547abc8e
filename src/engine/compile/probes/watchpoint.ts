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

/** FUNCTION+argN was in the language until 0.24. */
const addressHint = (where: string): string =>
  where.includes("+arg")
    ? "the address is to be known beforehand: print(argN) in a uprobe of the function tells it"
    : "for example 0x7f0012340000; nm tells variables' addresses in programs, /proc/kallsyms the kernel's";

export function expandWatchpoint(request: ProbeRequest): Probe[] {
  const { parts, report, span, kernel } = request;
  if (parts.length !== 3)
    return wrongShape(request, "watchpoint:ADDRESS:LENGTH:MODE, for example watchpoint:0x1000:8:rw");
  const [where, bytes, mode] = parts;
  const address = parseInteger(where);
  const length = parseInteger(bytes);
  if (address === undefined || address === 0n) {
    report.error("probe-syntax", span, `${where || "(empty)"} is no address`, { hint: addressHint(where) });
    return [];
  }
  if (length === undefined || ![1n, 2n, 4n, 8n].includes(length)) {
    report.error("probe-syntax", span, `a watchpoint is 1, 2, 4 or 8 bytes long, not ${bytes || "(empty)"}`, {
      hint: `for example watchpoint:${where}:8:${mode || "rw"}`,
    });
    return [];
  }
  const able = MODES[kernel.arch].map((each) => MEANING[each]).join(", ");
  const letters = [...mode].sort().join("");
  if (!/^[rwx]+$/.test(mode) || new Set(mode).size !== mode.length) {
    report.error("probe-syntax", span, `${mode || "(empty)"} is no mode`, {
      hint: `the processor watches ${able}`,
    });
    return [];
  }
  if (!MODES[kernel.arch].includes(letters)) {
    report.error(
      "not-supported",
      span,
      `the processor watches ${able}: not ${mode}`,
      letters.includes("x") ? {} : { hint: `watchpoint:${where}:${bytes}:rw` },
    );
    return [];
  }
  if (kernel.arch === "x64" && letters !== "x" && address % length !== 0n) {
    report.error(
      "probe-syntax",
      span,
      `the processor watches ${length} bytes from where they are aligned: ${where} is no multiple of ${length}`,
      { hint: `watch ${length} bytes from 0x${(address - (address % length)).toString(16)}, or fewer` },
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
