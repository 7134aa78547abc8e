/** Themes: what each role looks like, as SGR parameters. */
import { charWidth, type Line, type Role, sanitize } from "../panes/text/index.ts";

/** none: NO_COLOR (attributes stay); 16: the terminal's own palette; 256: a few quieter tones besides. */
export type ColorDepth = "none" | "16" | "256";

/** SGR parameters by depth; "256" falls back to "16". */
interface Look {
  none: string;
  16: string;
  256?: string;
}

const PLAIN: Look = { none: "", 16: "" };
const DIM: Look = { none: "2", 16: "90", 256: "38;5;244" };

const DARK: Record<Role, Look> = {
  text: PLAIN,
  dim: DIM,
  strong: { none: "1", 16: "1" },
  heading: { none: "1;4", 16: "1;36", 256: "1;38;5;80" },
  accent: { none: "1", 16: "36", 256: "38;5;80" },
  value: { none: "1", 16: "1;97", 256: "1;38;5;255" },
  good: { none: "", 16: "32", 256: "38;5;114" },
  warning: { none: "1", 16: "33", 256: "38;5;221" },
  error: { none: "1;7", 16: "91", 256: "38;5;203" },
  selected: { none: "7", 16: "30;46", 256: "38;5;255;48;5;24" },
  marked: { none: "7", 16: "7", 256: "48;5;238" },
  match: { none: "4;1", 16: "1;4;33", 256: "1;4;38;5;221" },
  bar: { none: "", 16: "36", 256: "38;5;74" },
  bar2: { none: "", 16: "35", 256: "38;5;176" },
  bar3: { none: "", 16: "33", 256: "38;5;179" },
  bar4: { none: "", 16: "32", 256: "38;5;114" },
  changed: { none: "1", 16: "1;93", 256: "38;5;222" },
  axis: DIM,
  border: { none: "2", 16: "90", 256: "38;5;239" },
  borderFocused: { none: "1", 16: "1;36", 256: "38;5;80" },
  title: { none: "", 16: "37", 256: "38;5;250" },
  titleFocused: { none: "1;7", 16: "1;96", 256: "1;38;5;159" },
  statusBar: { none: "", 16: "37", 256: "38;5;250" },
  statusKey: { none: "1", 16: "1;36", 256: "1;38;5;80" },
  escaped: { none: "4", 16: "4;35", 256: "4;38;5;176" },
  keyword: { none: "1", 16: "1;35", 256: "38;5;176" },
  probe: { none: "1", 16: "1;36", 256: "38;5;80" },
  map: { none: "", 16: "33", 256: "38;5;221" },
  variable: { none: "", 16: "32", 256: "38;5;150" },
  builtin: { none: "", 16: "36", 256: "38;5;117" },
  function: { none: "", 16: "94", 256: "38;5;111" },
  string: { none: "", 16: "32", 256: "38;5;114" },
  number: { none: "", 16: "95", 256: "38;5;216" },
  comment: { none: "2", 16: "90", 256: "38;5;244" },
  operator: { none: "", 16: "", 256: "38;5;250" },
  type: { none: "", 16: "36", 256: "38;5;79" },
  gutter: { none: "2", 16: "90", 256: "38;5;240" },
};

/** On a white background: no bright or yellow foregrounds. */
const LIGHT: Record<Role, Look> = {
  ...DARK,
  dim: { none: "2", 16: "90", 256: "38;5;243" },
  heading: { none: "1;4", 16: "1;34", 256: "1;38;5;25" },
  accent: { none: "1", 16: "34", 256: "38;5;25" },
  value: { none: "1", 16: "1;30", 256: "1;38;5;232" },
  good: { none: "", 16: "32", 256: "38;5;28" },
  warning: { none: "1", 16: "35", 256: "38;5;130" },
  error: { none: "1;7", 16: "31", 256: "38;5;160" },
  selected: { none: "7", 16: "97;44", 256: "38;5;255;48;5;25" },
  marked: { none: "7", 16: "7", 256: "48;5;252" },
  match: { none: "4;1", 16: "1;4;35", 256: "1;4;38;5;130" },
  bar: { none: "", 16: "34", 256: "38;5;31" },
  bar2: { none: "", 16: "35", 256: "38;5;133" },
  bar3: { none: "", 16: "31", 256: "38;5;166" },
  bar4: { none: "", 16: "32", 256: "38;5;64" },
  changed: { none: "1", 16: "1;35", 256: "1;38;5;130" },
  border: { none: "2", 16: "37", 256: "38;5;250" },
  borderFocused: { none: "1", 16: "1;34", 256: "38;5;25" },
  title: { none: "", 16: "30", 256: "38;5;240" },
  titleFocused: { none: "1;7", 16: "1;34", 256: "1;38;5;25" },
  statusBar: { none: "", 16: "30", 256: "38;5;238" },
  statusKey: { none: "1", 16: "1;34", 256: "1;38;5;25" },
  keyword: { none: "1", 16: "35", 256: "38;5;127" },
  probe: { none: "1", 16: "1;34", 256: "38;5;25" },
  map: { none: "", 16: "31", 256: "38;5;130" },
  variable: { none: "", 16: "32", 256: "38;5;64" },
  builtin: { none: "", 16: "36", 256: "38;5;31" },
  function: { none: "", 16: "34", 256: "38;5;26" },
  string: { none: "", 16: "32", 256: "38;5;28" },
  number: { none: "", 16: "35", 256: "38;5;166" },
  operator: { none: "", 16: "", 256: "38;5;240" },
  type: { none: "", 16: "36", 256: "38;5;30" },
  gutter: { none: "2", 16: "37", 256: "38;5;248" },
};

const THEMES = { dark: DARK, light: LIGHT };
export type ThemeName = keyof typeof THEMES;
export const THEME_NAMES = Object.keys(THEMES) as ThemeName[];

/** Role → SGR parameters; "" is the terminal's own look. */
export type Theme = Readonly<Record<Role, string>>;

export function makeTheme(name: ThemeName, depth: ColorDepth): Theme {
  const looks = THEMES[name];
  const theme = {} as Record<Role, string>;
  for (const role of Object.keys(looks) as Role[]) {
    const look = looks[role];
    theme[role] = depth === "256" ? (look[256] ?? look[16]) : look[depth];
  }
  return theme;
}

const ASCII_FOR: Record<string, string> = {
  "…": "~",
  µ: "u",
  "×": "x",
  "≤": "<",
  "≥": ">",
  "–": "-",
  "·": "-",
  "▼": "v",
  "▲": "^",
};

/** A line for a terminal without Unicode: what it would garble is replaced, in as many cells. */
export function asciiLine(spans: Line): Line {
  return spans.map(({ text, role }) => ({
    text: sanitize(text).replace(
      /[^\x20-\x7e]/gu,
      (char) => ASCII_FOR[char] ?? "?".repeat(charWidth(char.codePointAt(0)!)),
    ),
    role,
  }));
}

export interface Environment {
  NO_COLOR?: string;
  TERM?: string;
  COLORTERM?: string;
  LC_ALL?: string;
  LC_CTYPE?: string;
  LANG?: string;
  TRACEDECK_ASCII?: string;
}

export function colorDepth(env: Environment): ColorDepth {
  if (env.NO_COLOR) return "none";
  if (/256|truecolor|24bit|direct/.test(`${env.TERM ?? ""} ${env.COLORTERM ?? ""}`)) return "256";
  return /kitty|alacritty|wezterm|ghostty/.test(env.TERM ?? "") ? "256" : "16";
}

/** Whether line drawing, blocks and braille can be shown: a UTF-8 locale, and not the kernel's own console. */
export function hasUnicode(env: Environment): boolean {
  if (env.TRACEDECK_ASCII) return false;
  if (env.TERM === "linux") return false;
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || "");
}
