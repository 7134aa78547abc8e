export { BrailleCanvas, bar, sparkline } from "./bar.ts";
export {
  cutLine,
  EMPTY_LINE,
  fitLine,
  fitText,
  type Line,
  line,
  lineText,
  lineWidth,
  recolor,
  type Span,
  sliceLine,
  sliceText,
  span,
  spreadLine,
} from "./line.ts";
export {
  clockTime,
  groupedNumber,
  percent,
  shortBytes,
  shortDuration,
  shortNumber,
  shortRate,
} from "./number.ts";
export type { Role } from "./role.ts";
export { sanitize, sanitizeLines, sanitizeSpans } from "./sanitize.ts";
export { charWidth, isSimpleCode, textWidth, truncateText } from "./width.ts";
