/**
 * Probes that the kernel refuses though they exist: the script's missing_probes says whether that ends it, is told, or goes
 * unsaid. A wildcard may bring hundreds of them, told as one.
 */
import { SysError, VerifierError } from "libbpf-ts";
import type { AttachError } from "../attach/index.ts";
import type { Span } from "../compile/diagnostic.ts";
import type { Config } from "../compile/typed.ts";

const SHOWN = 3;

export class Refusals {
  readonly #mode: Config["missingProbes"];
  readonly #bySpec = new Map<string, AttachError[]>();
  count = 0;

  constructor(mode: Config["missingProbes"]) {
    this.#mode = mode;
  }

  /** What the kernel said to one of them. */
  get first(): AttachError | undefined {
    return [...this.#bySpec.values()][0]?.[0];
  }

  /** Throws the error where it ends the script. */
  take = (error: AttachError): void => {
    if (this.#mode === "error") throw error;
    this.count++;
    const { start, file } = error.probe.span;
    const spec = `${file ?? 0}:${start}`;
    const known = this.#bySpec.get(spec);
    if (known) known.push(error);
    else this.#bySpec.set(spec, [error]);
  };

  /** One warning for each spec that has lost probes. */
  warn(onWarning: (message: string, span: Span) => void): void {
    if (this.#mode !== "warn") return;
    for (const errors of this.#bySpec.values()) {
      const [first] = errors;
      if (errors.length === 1) {
        onWarning(first.message, first.probe.span);
        continue;
      }
      const names = errors.slice(0, SHOWN).map(({ probe }) => probe.name);
      const more = errors.length > SHOWN ? ` and ${errors.length - SHOWN} more` : "";
      const reason = first.reason instanceof Error ? first.reason.message : String(first.reason);
      onWarning(
        `cannot attach ${errors.length} probes, ${names.join(", ")}${more}; the first: ${reason}`,
        first.probe.span,
      );
    }
  }
}

/** Whether a program was refused for what it attaches to: the verifier came to no instruction. */
export function isAboutTarget(error: unknown): boolean {
  if (error instanceof VerifierError) return !/^\s*\d+: (\(|R\d)/m.test(error.log);
  return error instanceof SysError;
}
