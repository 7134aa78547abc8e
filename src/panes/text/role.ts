/** What a piece of text is, never how it looks: the theme (src/tui/theme.ts) gives each role its colours. */
export type Role =
  | "text"
  /** Secondary text: units, hints, empty states. */
  | "dim"
  | "strong"
  /** Headings of columns and of help. */
  | "heading"
  | "accent"
  /** Numbers that are read first. */
  | "value"
  | "good"
  | "warning"
  | "error"
  /** The selected row, the marked text, a match of a search. */
  | "selected"
  | "marked"
  | "match"
  /** Bars and lines of charts; bar2 … are further series. */
  | "bar"
  | "bar2"
  | "bar3"
  | "bar4"
  /** What changed since the last frame. */
  | "changed"
  | "axis"
  | "border"
  | "borderFocused"
  | "title"
  | "titleFocused"
  | "statusBar"
  | "statusKey"
  /** Control characters and the like, made visible. */
  | "escaped"
  /** Syntax of scripts. */
  | "keyword"
  | "probe"
  | "map"
  | "variable"
  | "builtin"
  | "function"
  | "string"
  | "number"
  | "comment"
  | "operator"
  | "type"
  | "gutter";
