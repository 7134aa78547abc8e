/** A stack arrives as one text with a frame per line, the innermost first. `most` frames are enough for a cell. */
export function stackFrames(text: string, most = Number.POSITIVE_INFINITY): string[] {
  const frames: string[] = [];
  for (let from = 0; from <= text.length && frames.length < most; ) {
    const end = text.indexOf("\n", from);
    const frame = text.slice(from, end < 0 ? text.length : end).trim();
    if (frame !== "") frames.push(frame);
    if (end < 0) break;
    from = end + 1;
  }
  return frames;
}
