/** A session's output, as text or as JSON: what bpftrace prints, to a sink and a channel for complaints. */

import type { Span } from "../compile/diagnostic.ts";
import type { Plan } from "../compile/plan.ts";
import { renderDiagnostics, type SourceFile } from "../compile/render.ts";
import type { MergedMap } from "../poll/merged.ts";
import { type ActionHost, type Complaint, jsonActions, textActions } from "./actions.ts";
import { jsonString, mapJson } from "./json.ts";
import { type MapPrintOptions, writeMap, writePrintedMap } from "./mapText.ts";
import type { Sink } from "./sink.ts";

export interface Printer {
  /** A record of plan.actions[action]; `base` is where it begins. */
  record(action: number, view: DataView, base: number): void;
  /** print(@map). */
  printMap(map: MergedMap, options: MapPrintOptions): void;
  /** A map at the end of the script. */
  finalMap(map: MergedMap): void;
  attached(probes: number): void;
  lost(events: number): void;
  /** Between the script's last line and its maps. */
  end(): void;
}

export interface PrinterOptions {
  plan: Plan;
  files: readonly SourceFile[];
  host: Omit<ActionHost, "complain">;
  sink: Sink;
  /** Standard error. */
  error: (text: string, severity: "error" | "warning") => void;
  color?: boolean;
  /** warnf() and runtime warnings are left out. */
  noWarnings?: boolean;
}

type Create = (options: PrinterOptions) => Printer;

const probesText = (count: number): string => `Attached ${count} ${count === 1 ? "probe" : "probes"}\n`;

/** "stdin:1:9-62: ERROR: …": with the source line when the script did not say it itself. */
function complaintText({ files, color = false }: PrinterOptions, complaint: Complaint): string {
  const { severity, message, action, failure, runtime } = complaint;
  const text = renderDiagnostics([{ severity, code: "runtime", span: action.span, message }], files, {
    color,
  });
  if (runtime) return text;
  const [place, ...excerpt] = text.split("\n");
  if (!failure) return `${place}\n`;
  return `${place}\nAdditional Info - helper: ${failure.helper}, retcode: ${failure.code}\n${excerpt.join("\n")}`;
}

const textPrinter: Create = (options) => {
  const { plan, host, sink } = options;
  const { context } = host;
  const actions = textActions(plan, {
    ...host,
    complain: (complaint) => {
      if (complaint.severity === "warning" && options.noWarnings) return;
      sink.flush();
      options.error(complaintText(options, complaint), complaint.severity);
    },
  });
  return {
    record(action, view, base) {
      actions[action]?.(view, base, sink.out);
      sink.wrote();
    },
    printMap: (map, print) => writePrintedMap(map, sink.out, context, print),
    finalMap: (map) => writeMap(map, sink.out, context),
    attached: (probes) => options.error(probesText(probes), "warning"),
    lost: (events) => options.error(`Lost ${events} events\n`, "warning"),
    end: () => sink.out.ascii("\n\n"),
  };
};

function lineAndColumn(
  files: readonly SourceFile[],
  span: Span,
): { name: string; line: number; column: number } {
  const file = files[span.file ?? 0];
  const before = file.text.slice(0, span.start).split("\n");
  return { name: file.name, line: before.length, column: before.at(-1)!.length + 1 };
}

function complaintJson(files: readonly SourceFile[], complaint: Complaint): string {
  const { severity, message, failure, runtime, action } = complaint;
  const said = severity === "error" ? "errorf" : "warnf";
  const type = failure ? "helper_error" : runtime ? "runtime_error" : said;
  const { name, line, column } = lineAndColumn(files, action.span);
  const about = failure ? `, "helper": ${jsonString(failure.helper)}, "retcode": ${failure.code}` : "";
  return `{"type": "${type}", "msg": ${jsonString(message)}${about}, "filename": ${jsonString(name)}, "line": ${line}, "col": ${column}}\n`;
}

const jsonPrinter: Create = (options) => {
  const { plan, host, sink, files } = options;
  const { context } = host;
  const write = (text: string) => sink.out.text(text);
  const actions = jsonActions(plan, {
    ...host,
    complain: (complaint) => {
      if (complaint.severity === "warning" && options.noWarnings) return;
      if (complaint.said) write(complaintJson(files, complaint));
      else options.error(complaintText(options, complaint), complaint.severity);
    },
  });
  return {
    record(action, view, base) {
      actions[action]?.(view, base, sink.out);
      sink.wrote();
    },
    printMap: (map, print) => write(mapJson(map, context, print, true)),
    finalMap: (map) => write(mapJson(map, context)),
    attached: (count) => {
      // Before what begin printed, as bpftrace has it: that has not been sent yet.
      const printed = sink.out.view().slice();
      sink.out.clear();
      write(`{"type": "attached_probes", "count": ${count}, "data": {"probes": ${count}}}\n`);
      sink.out.raw(printed);
    },
    lost: (events) => write(`{"type": "lost_events", "count": ${events}, "data": {"events": ${events}}}\n`),
    end: () => {},
  };
};

export type OutputFormat = "text" | "json";

export const createPrinter = (format: OutputFormat, options: PrinterOptions): Printer =>
  (format === "json" ? jsonPrinter : textPrinter)(options);
