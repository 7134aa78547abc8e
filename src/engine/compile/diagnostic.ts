/** Problems as values: every pass collects them, one renderer draws them. */

/** Half-open range of UTF-16 offsets into the source named by `file` (0: the script itself, then its imports). */
export interface Span {
  start: number;
  end: number;
  file?: number;
}

export interface Diagnostic {
  severity: "error" | "warning";
  /** Stable, kebab-case: "unknown-probe", "type-mismatch". */
  code: string;
  span: Span;
  message: string;
  /** What to do about it. */
  hint?: string;
  /** Further places or facts. */
  notes?: { message: string; span?: Span }[];
}

/** What passes report into. */
export class Diagnostics {
  readonly list: Diagnostic[] = [];

  error(code: string, span: Span, message: string, more: Pick<Diagnostic, "hint" | "notes"> = {}): void {
    this.list.push({ severity: "error", code, span, message, ...more });
  }

  warning(code: string, span: Span, message: string, more: Pick<Diagnostic, "hint" | "notes"> = {}): void {
    this.list.push({ severity: "warning", code, span, message, ...more });
  }

  get hasErrors(): boolean {
    return this.list.some((d) => d.severity === "error");
  }
}
