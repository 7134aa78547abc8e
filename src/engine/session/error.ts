/** Why a script could not be started, or failed while it ran, with its place in the script. */
import { SysError, type VerifierError } from "libbpf-ts";
import type { AttachError } from "../attach/index.ts";
import type { Diagnostic } from "../compile/diagnostic.ts";
import type { ProbePlan } from "../compile/plan.ts";

/** A script that could not be started: the kernel refused a map, a program (`verifier`) or a probe (`probe`). */
export class SessionError extends Error {
  /** The same with its place in the script, where there is one. */
  readonly diagnostic: Diagnostic | undefined;
  readonly verifier: VerifierError | undefined;
  readonly probe: ProbePlan | undefined;

  constructor(
    message: string,
    more: { diagnostic?: Diagnostic; verifier?: VerifierError; probe?: ProbePlan; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.name = "SessionError";
    this.diagnostic = more.diagnostic;
    this.verifier = more.verifier;
    this.probe = more.probe;
  }
}

/** What the kernel refused is no fault of the program. */
export const asSessionError = (error: unknown): unknown =>
  error instanceof Error && !(error instanceof SessionError) && "errno" in error
    ? new SessionError(error.message, { cause: error })
    : error;

export function attachDiagnostic({ message, probe, reason }: AttachError): Diagnostic {
  const hint = reason instanceof SysError ? reason.hint : undefined;
  const bare = hint ? message.replace(`; ${hint}`, "") : message;
  return { severity: "error", code: "attach", span: probe.span, message: bare, hint };
}
