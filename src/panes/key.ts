/**
 * What a key press is to panes and tables. A chord is its spelling in tables: modifiers in the order `ctrl-alt-shift-`,
 * then the name: "ctrl-r", "shift-tab", "alt-left", "f5", "space", "?", "G". Printable keys are named by what they type,
 * so "G" has no shift in its chord.
 */

export interface Key {
  /** "a", "?", "up", "enter", "tab", "escape", "backspace", "delete", "f1", … or "paste". */
  name: string;
  ctrl: boolean;
  alt: boolean;
  shift: boolean;
  /** What the key types, or what was pasted (newlines are "\n"). Empty for keys that type nothing. */
  text: string;
}

export function chordOf(key: Key): string {
  const printable = key.text !== "" && key.name.length > 0 && key.name === key.text;
  return `${key.ctrl ? "ctrl-" : ""}${key.alt ? "alt-" : ""}${key.shift && !printable ? "shift-" : ""}${key.name}`;
}

/** The key that a chord spells: for tests and for replaying commands. */
export function keyOf(chord: string): Key {
  let name = chord;
  const modifiers = { ctrl: false, alt: false, shift: false };
  for (const modifier of ["ctrl", "alt", "shift"] as const) {
    if (name.startsWith(`${modifier}-`) && name.length > modifier.length + 1) {
      modifiers[modifier] = true;
      name = name.slice(modifier.length + 1);
    }
  }
  const typed = name === "space" ? " " : [...name].length === 1 ? name : "";
  return { name, ...modifiers, text: modifiers.ctrl || modifiers.alt ? "" : typed };
}

const LABELS: Record<string, string> = {
  up: "↑",
  down: "↓",
  left: "←",
  right: "→",
  pageup: "PgUp",
  pagedown: "PgDn",
  escape: "Esc",
  delete: "Del",
};

const ASCII_LABELS: Record<string, string> = {
  ...LABELS,
  up: "Up",
  down: "Down",
  left: "Left",
  right: "Right",
};

/** A chord as people read it: "Ctrl-R", "Shift-Tab", "↑". */
export function chordLabel(chord: string, unicode = true): string {
  const parts = chord.length > 1 ? chord.split(/-(?=.)/) : [chord];
  const labels = unicode ? LABELS : ASCII_LABELS;
  return parts
    .map((part) => {
      if (labels[part]) return labels[part];
      if (part.length === 1) return parts.length > 1 ? part.toUpperCase() : part;
      return part[0].toUpperCase() + part.slice(1);
    })
    .join("-");
}

/** True for a key that types text into a field (Alt and Ctrl combinations do not). */
export function typesText(key: Key): boolean {
  return key.text !== "" && !key.ctrl && !key.alt;
}
