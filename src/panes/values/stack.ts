/** A stack arrives as one text with a frame per line, the innermost first. */
export function stackFrames(text: string): string[] {
  return text
    .split("\n")
    .map((frame) => frame.trim())
    .filter((frame) => frame !== "");
}
