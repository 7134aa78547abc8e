/** Thrown where lowering has no code for something that the checker let through; becomes a diagnostic at `span`. */
import type { Span } from "../diagnostic.ts";

export class NotSupported extends Error {
  readonly span: Span | undefined;

  constructor(message: string, span?: Span) {
    super(message);
    this.span = span;
  }
}
