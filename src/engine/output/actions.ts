/**
 * What a script prints, action by action. A plan's actions become once, at the start, a table of writers; each record from
 * the ring is then one call. Exit, clear, zero and print(@map) are the session's.
 */
import type { ActionPlan, Plan } from "../compile/plan.ts";
import type { Type } from "../compile/types.ts";
import { ByteWriter } from "./bytes.ts";
import type { OutputContext } from "./context.ts";
import type { Effects } from "./effects.ts";
import { jsonMessage, jsonReader, jsonString } from "./json.ts";
import { formatWriter, type LineWriter } from "./printf.ts";
import { strftime } from "./strftime.ts";
import { stringLength, valueWriter } from "./values.ts";

/** Writes what a record prints; false: nothing, as it failed and was complained about. */
export type RecordWriter = (view: DataView, base: number, out: ByteWriter) => unknown;

/** Something that went wrong in the script, or that it says went wrong. */
export interface Complaint {
  severity: "error" | "warning";
  message: string;
  action: ActionPlan;
  /** The script asked for it (errorf, warnf), or tracing itself failed. */
  said: boolean;
  /** The kernel helper that failed, and what it returned. */
  failure?: { helper: string; code: number };
  /** The language's own error, not the script's words. */
  runtime?: true;
}

export interface ActionHost {
  context: OutputContext;
  effects: Effects;
  /** errorf, warnf, runtime errors, and cat or system that failed. */
  complain(complaint: Complaint): void;
  /** Nanoseconds since the epoch. */
  now(): bigint;
  /** "bad address" for 14. */
  errorText(errno: number): string;
}

type FormatAction = Extract<ActionPlan["action"], { format: string }>;

const dataOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The formatted text, as the script means it: for file names and commands. */
function formatReader(plan: ActionPlan, host: ActionHost): (view: DataView, base: number) => string {
  const write = formatWriter((plan.action as FormatAction).format, plan.arguments);
  const scratch = new ByteWriter();
  return (view, base) => {
    scratch.clear();
    write(view, base, scratch, host.context);
    return scratch.toString();
  };
}

function catWriter(plan: ActionPlan, host: ActionHost, limit: number): RecordWriter {
  const path = formatReader(plan, host);
  return (view, base, out) => {
    const name = path(view, base);
    try {
      const bytes = host.effects.readFile(name, limit);
      out.data(dataOf(bytes), 0, bytes.length, true);
    } catch (error) {
      const [, reason] = /: (.*?),/.exec((error as Error).message) ?? [];
      host.complain({
        severity: "error",
        message: `failed to open file '${name}'${reason ? ` (${reason})` : ""}`,
        action: plan,
        said: false,
      });
      return false;
    }
  };
}

function systemWriter(plan: ActionPlan, host: ActionHost): RecordWriter {
  const command = formatReader(plan, host);
  return (view, base, out) => {
    try {
      const bytes = host.effects.run(command(view, base));
      out.data(dataOf(bytes), 0, bytes.length, true);
    } catch (error) {
      host.complain({
        severity: "error",
        message: `system(): ${(error as Error).message}`,
        action: plan,
        said: false,
      });
      return false;
    }
  };
}

function complaintWriter(plan: ActionPlan, host: ActionHost, severity: Complaint["severity"]): RecordWriter {
  const message = formatReader(plan, host);
  return (view, base) => {
    host.complain({ severity, message: message(view, base).trimEnd(), action: plan, said: true });
  };
}

/** Strings up to the first that is empty: argv ends there. */
function joinWriter(plan: ActionPlan, separator: string, context: OutputContext): RecordWriter {
  const strings = plan.arguments.map(({ type, offset }) => ({
    offset,
    size: (type as Extract<Type, { kind: "string" }>).size,
    write: valueWriter(type),
  }));
  return (view, base, out) => {
    for (let i = 0; i < strings.length; i++) {
      const { offset, size, write } = strings[i];
      if (stringLength(view, base + offset, size) === 0) return;
      if (i > 0) out.text(separator);
      write(view, base + offset, out, context);
    }
  };
}

/** What a failed helper means to the person who wrote the script. */
const HELPER_ERRORS: readonly { helper: RegExp; errno?: number; message: string }[] = [
  {
    helper: /^map_update_elem$/,
    errno: 7,
    message:
      "the map is full: the element was not stored. Raise max_map_keys in the config block, or declare the map with room, as in `let @a = hash(5000)`",
  },
  { helper: /^map_delete_elem$/, errno: 2, message: "the map has no such element to delete" },
  { helper: /^map_lookup/, message: "the map has no such element to read" },
];

/** The language's own errors, by the names that programs report them with. */
const LANGUAGE_ERRORS: Readonly<Record<string, string>> = {
  division: "division by zero: the result is taken to be 1",
  index: "the index is outside of the array: the element is taken to be 0",
};

/** Arguments: u32 index of the helper's or the error's name in Plan.strings, s64 what it returned. */
function runtimeErrorWriter(plan: ActionPlan, host: ActionHost): RecordWriter {
  const [name, result] = plan.arguments;
  return (view, base) => {
    const what = host.context.strings[view.getUint32(base + name.offset, true)];
    const warning = { severity: "warning", action: plan, said: true } as const;
    if (LANGUAGE_ERRORS[what]) {
      host.complain({ ...warning, message: LANGUAGE_ERRORS[what], runtime: true });
      return;
    }
    const code = Number(view.getBigInt64(base + result.offset, true));
    const known = HELPER_ERRORS.find(
      (row) => row.helper.test(what) && (row.errno === undefined || row.errno === -code),
    );
    const message = known?.message ?? host.errorText(-code);
    host.complain({ ...warning, message, failure: { helper: what, code } });
  };
}

/** Messages of one action: their JSON type, and the text without the newline that ends a value. */
interface Message {
  json: string;
  /** Ends with a newline of its own in text. */
  line: boolean;
  write: RecordWriter;
  /** The JSON of the data, when it is not the text as a string. */
  data?: (view: DataView, base: number) => string;
}

function valueMessage({ type, offset }: ActionPlan["arguments"][number], context: OutputContext): Message {
  const write = valueWriter(type);
  let read: ReturnType<typeof jsonReader> | undefined;
  return {
    json: "value",
    line: true,
    write: (view, base, out) => write(view, base + offset, out, context),
    data: (view, base) => (read ??= jsonReader(type))(view, base + offset, context),
  };
}

const silent = (write: RecordWriter): Message => ({ json: "", line: false, write });

function messageOf(plan: ActionPlan, host: ActionHost, whole: Plan): Message | undefined {
  const { action } = plan;
  const { context } = host;
  switch (action.kind) {
    case "printf": {
      const format: LineWriter = formatWriter(action.format, plan.arguments);
      return { json: "printf", line: false, write: (view, base, out) => format(view, base, out, context) };
    }
    case "print-value":
      return plan.arguments[0] && valueMessage(plan.arguments[0], context);
    case "print-map-item":
      return valueMessage(plan.arguments.at(-1)!, context);
    case "cat":
      return { json: "cat", line: false, write: catWriter(plan, host, whole.config.maxCatBytes) };
    case "system":
      return { json: "syscall", line: true, write: systemWriter(plan, host) };
    case "join":
      return { json: "join", line: true, write: joinWriter(plan, action.separator, context) };
    case "time":
      return {
        json: "time",
        line: false,
        write: (_view, _base, out) => out.text(strftime(action.format, host.now())),
      };
    case "errorf":
      return silent(complaintWriter(plan, host, "error"));
    case "warnf":
      return silent(complaintWriter(plan, host, "warning"));
    case "runtime-error":
      return silent(runtimeErrorWriter(plan, host));
    default:
      return undefined;
  }
}

/** Text of every action, by its index; undefined for those that print nothing. */
export function textActions(plan: Plan, host: ActionHost): (RecordWriter | undefined)[] {
  return plan.actions.map((action) => {
    const message = messageOf(action, host, plan);
    if (!message?.line) return message?.write;
    return (view, base, out) => {
      if (message.write(view, base, out) !== false) out.byte(0x0a);
    };
  });
}

/** The same as lines of JSON. */
export function jsonActions(plan: Plan, host: ActionHost): (RecordWriter | undefined)[] {
  const scratch = new ByteWriter(4096);
  return plan.actions.map((action) => {
    const message = messageOf(action, host, plan);
    if (!message?.json) return message?.write;
    return (view, base, out) => {
      scratch.clear();
      if (!message.data && message.write(view, base, scratch) === false) return;
      out.text(jsonMessage(message.json, message.data?.(view, base) ?? jsonString(scratch.toString())));
    };
  });
}
