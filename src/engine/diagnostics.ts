/** Diagnostics by line and column, as screens and editors want them. */
import type { Diagnostic, Span } from "./compile/diagnostic.ts";
import type { ScriptDiagnostic } from "./protocol.ts";

export type SourceFiles = readonly { name: string; text: string }[];

interface Place {
  line: number;
  column: number;
}

function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const begin = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (let at = before.indexOf("\n"); at >= 0; at = before.indexOf("\n", at + 1)) line++;
  return { line, column: offset - begin + 1 };
}

/** First line of a span, for the verifier's log. */
export function lineOf(files: SourceFiles, span: Span): { file: string; text: string } & Place {
  const { name, text } = files[span.file ?? 0] ?? { name: "script", text: "" };
  const begin = text.lastIndexOf("\n", span.start - 1) + 1;
  const end = text.indexOf("\n", begin);
  return { file: name, text: text.slice(begin, end < 0 ? undefined : end), ...placeOf(text, span.start) };
}

export function placeDiagnostics(diagnostics: readonly Diagnostic[], files: SourceFiles): ScriptDiagnostic[] {
  return diagnostics.map(({ severity, code, message, hint, notes, span }) => {
    const { name, text } = files[span.file ?? 0] ?? { name: "script", text: "" };
    const start = placeOf(text, span.start);
    const end = placeOf(text, span.end);
    return {
      severity,
      code,
      message,
      hint,
      notes: notes?.map((note) => note.message),
      file: name,
      start: span.start,
      end: span.end,
      line: start.line,
      column: start.column,
      endLine: end.line,
      endColumn: end.column,
    };
  });
}
