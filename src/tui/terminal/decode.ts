/**
 * Bytes from a terminal → keys, pastes and mouse events. Pure: `push` takes what arrived, `flush` says that nothing
 * more came in time. A sequence that arrives in pieces (common over SSH) is kept until it is whole.
 *
 *   ESC            alone: the Escape key, once the wait is over
 *   ESC x          Alt-x
 *   ESC [ … ~ A–Z  CSI: cursor and function keys, modifiers in the second parameter (1 + shift 1, alt 2, ctrl 4)
 *   ESC O x        SS3: the same in application mode
 *   ESC [ 200 ~    a paste begins, ends with 201
 *   ESC [ < …      a mouse report (SGR encoding)
 */
import type { Key } from "../../panes/key.ts";

export type InputEvent =
  | { type: "key"; key: Key }
  | {
      type: "mouse";
      action: "press" | "release" | "move" | "wheel-up" | "wheel-down";
      button: number;
      x: number;
      y: number;
    }
  | { type: "focus"; focused: boolean };

const PASTE_END = "\x1b[201~";
/** A sequence longer than this is not one. */
const LONGEST_SEQUENCE = 64;

const CSI_LETTERS: Record<string, string> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  E: "clear",
  F: "end",
  H: "home",
  P: "f1",
  Q: "f2",
  R: "f3",
  S: "f4",
};

/** Numbers before "~"; the vt220, rxvt and xterm families agree on these. */
const CSI_NUMBERS: Record<number, string> = {
  1: "home",
  2: "insert",
  3: "delete",
  4: "end",
  5: "pageup",
  6: "pagedown",
  7: "home",
  8: "end",
  11: "f1",
  12: "f2",
  13: "f3",
  14: "f4",
  15: "f5",
  17: "f6",
  18: "f7",
  19: "f8",
  20: "f9",
  21: "f10",
  23: "f11",
  24: "f12",
};

/** Linux console: ESC [ [ A … E are F1 … F5. */
const CONSOLE_LETTERS: Record<string, string> = { A: "f1", B: "f2", C: "f3", D: "f4", E: "f5" };

/** rxvt: ESC [ a … d with shift, ESC O a … d with ctrl. */
const RXVT_LETTERS: Record<string, string> = { a: "up", b: "down", c: "right", d: "left" };

const KEYPAD: Record<string, string> = { M: "enter", j: "*", k: "+", l: ",", m: "-", n: ".", o: "/", X: "=" };

/** Code points of CSI u (kitty, modifyOtherKeys) that are keys with names. */
const NAMED_CODES: Record<number, string> = {
  9: "tab",
  13: "enter",
  27: "escape",
  32: "space",
  127: "backspace",
};

function keyEvent(name: string, modifiers = 0, text = ""): InputEvent {
  return {
    type: "key",
    key: {
      name,
      shift: (modifiers & 1) !== 0,
      alt: (modifiers & 2) !== 0,
      ctrl: (modifiers & 4) !== 0,
      text: modifiers & 6 ? "" : text,
    },
  };
}

/** A key of one character, or of a control code. */
function charEvent(char: string, modifiers = 0): InputEvent {
  const code = char.codePointAt(0)!;
  if (char === "\r" || char === "\n") {
    // Ctrl-J is what some terminals send for Enter on the keypad; both mean Enter.
    return keyEvent("enter", modifiers);
  }
  if (char === "\t") return keyEvent("tab", modifiers);
  if (char === " ") return keyEvent("space", modifiers, " ");
  if (code === 0x7f || code === 0x08) return keyEvent("backspace", modifiers | (code === 0x08 ? 4 : 0));
  if (code === 0x1b) return keyEvent("escape", modifiers);
  if (code === 0) return keyEvent("space", modifiers | 4);
  if (code < 0x1b) return keyEvent(String.fromCharCode(code + 0x60), modifiers | 4);
  if (code < 0x20) return keyEvent(String.fromCharCode(code + 0x40), modifiers | 4);
  if (code >= 0x80 && code < 0xa0) return keyEvent("unknown", modifiers);
  return keyEvent(char, modifiers, char);
}

function csiU(code: number, modifiers: number): InputEvent {
  const name = NAMED_CODES[code];
  if (name) return keyEvent(name, modifiers, name === "space" ? " " : "");
  if (!(code >= 0x20 && code <= 0x10ffff) || (code >= 0xe000 && code < 0xf900))
    return keyEvent("unknown", modifiers);
  const char = String.fromCodePoint(code);
  return keyEvent(modifiers & 1 && !(modifiers & 4) ? char.toUpperCase() : char, modifiers, char);
}

function mouseEvent(parameters: string, final: string): InputEvent | undefined {
  const [code, x, y] = parameters.slice(1).split(";").map(Number);
  if (![code, x, y].every(Number.isInteger)) return undefined;
  const wheel = (code & 64) !== 0;
  const action = wheel
    ? code & 1
      ? "wheel-down"
      : "wheel-up"
    : final === "m"
      ? "release"
      : code & 32
        ? "move"
        : "press";
  return { type: "mouse", action, button: code & 3, x: x - 1, y: y - 1 };
}

function csiEvent(parameters: string, final: string): InputEvent | undefined {
  if (parameters.startsWith("<") && (final === "M" || final === "m")) return mouseEvent(parameters, final);
  if (final === "I" || final === "O") return { type: "focus", focused: final === "I" };
  // Answers to queries are not keys.
  if (/^[<=>?]/.test(parameters)) return undefined;
  const [first = Number.NaN, second = 1, third = Number.NaN] = parameters
    .split(";")
    .map((part) => Number.parseInt(part, 10));
  const modifiers = Number.isInteger(second) && second > 0 ? second - 1 : 0;
  if (final === "~" && first === 27 && Number.isInteger(third)) return csiU(third, modifiers);
  if (final === "~") return keyEvent(CSI_NUMBERS[first] ?? "unknown", modifiers);
  if (final === "^" || final === "$") return keyEvent(CSI_NUMBERS[first] ?? "unknown", final === "^" ? 4 : 1);
  if (final === "u") return csiU(first, modifiers);
  if (final === "Z") return keyEvent("tab", modifiers | 1);
  if (RXVT_LETTERS[final]) return keyEvent(RXVT_LETTERS[final], 1);
  const name = CSI_LETTERS[final];
  return name ? keyEvent(name, modifiers) : undefined;
}

/** Text in a paste: newlines are "\n" whatever the terminal sent (tmux sends "\r"). */
function pasteEvent(text: string): InputEvent {
  return {
    type: "key",
    key: { name: "paste", ctrl: false, alt: false, shift: false, text: text.replace(/\r\n?/g, "\n") },
  };
}

export class InputDecoder {
  private rest = "";
  private paste: string | undefined;

  /** True while something is kept that `flush` would decide. */
  get pending(): boolean {
    return this.rest !== "" && this.paste === undefined;
  }

  push(chunk: string): InputEvent[] {
    const events: InputEvent[] = [];
    let text = this.rest + chunk;
    this.rest = "";
    while (text !== "") {
      if (this.paste !== undefined) {
        const end = text.indexOf(PASTE_END);
        if (end < 0) {
          // The end mark itself may be split.
          const keep = partialSuffix(text, PASTE_END);
          this.paste += text.slice(0, text.length - keep);
          this.rest = text.slice(text.length - keep);
          return events;
        }
        events.push(pasteEvent(this.paste + text.slice(0, end)));
        this.paste = undefined;
        text = text.slice(end + PASTE_END.length);
        continue;
      }
      const used = this.next(text, events);
      if (used === 0) {
        this.rest = text;
        return events;
      }
      text = text.slice(used);
    }
    return events;
  }

  /** Nothing more came: what was kept is keys after all. */
  flush(): InputEvent[] {
    if (!this.pending) return [];
    const text = this.rest;
    this.rest = "";
    if (text === "\x1b") return [keyEvent("escape")];
    if (text === "\x1b\x1b") return [keyEvent("escape", 2)];
    if (text === "\x1b[" || text === "\x1bO") return [charEvent(text[1], 2)];
    if (text.startsWith("\x1b[") || text.startsWith("\x1bO") || text.startsWith("\x1b\x1b"))
      return [keyEvent("unknown")];
    return [...text].map((char) => charEvent(char));
  }

  /** Decodes one event at the start of `text`; returns how much it took, 0 when more is needed. */
  private next(text: string, events: InputEvent[]): number {
    const first = text.charCodeAt(0);
    if (first !== 0x1b) {
      const code = text.codePointAt(0)!;
      if (code >= 0xd800 && code < 0xdc00) return text.length > 1 ? 1 : 0;
      const char = String.fromCodePoint(code);
      events.push(charEvent(char));
      return char.length;
    }
    if (text.length === 1) return 0;
    const second = text[1];
    if (second === "\x1b") {
      // Alt with a key that is itself a sequence (rxvt), or Escape twice.
      if (text.length === 2) return 0;
      if (text[2] !== "[" && text[2] !== "O") {
        events.push(keyEvent("escape"));
        return 1;
      }
      const inner: InputEvent[] = [];
      const used = this.next(text.slice(1), inner);
      if (used === 0) return 0;
      for (const event of inner) if (event.type === "key") event.key.alt = true;
      events.push(...inner);
      return used + 1;
    }
    if (second === "O") {
      if (text.length === 2) return 0;
      const digits = /^\d*/.exec(text.slice(2))![0];
      const final = text[2 + digits.length];
      if (final === undefined) return 0;
      if (RXVT_LETTERS[final]) events.push(keyEvent(RXVT_LETTERS[final], 4));
      else if (CSI_LETTERS[final]) events.push(keyEvent(CSI_LETTERS[final], digits ? Number(digits) - 1 : 0));
      else if (KEYPAD[final]) events.push(keyEvent(KEYPAD[final], 0, final === "M" ? "" : KEYPAD[final]));
      else if (final >= "p" && final <= "y") {
        const digit = String(final.charCodeAt(0) - 0x70);
        events.push(keyEvent(digit, 0, digit));
      } else events.push(keyEvent("unknown"));
      return 3 + digits.length;
    }
    if (second !== "[") {
      const char = String.fromCodePoint(text.codePointAt(1)!);
      events.push(charEvent(char, 2));
      return 1 + char.length;
    }
    if (text[2] === "[") {
      if (text.length === 3) return 0;
      events.push(keyEvent(CONSOLE_LETTERS[text[3]] ?? "unknown"));
      return 4;
    }
    let end = 2;
    while (
      end < text.length &&
      text.charCodeAt(end) >= 0x20 &&
      text.charCodeAt(end) < 0x40 &&
      text[end] !== "$"
    )
      end++;
    if (end === text.length) return text.length > LONGEST_SEQUENCE ? text.length : 0;
    const final = text[end];
    const parameters = text.slice(2, end);
    if (final < "\x20") {
      // Cut off by a control character: not a sequence.
      events.push(keyEvent("unknown"));
      return end;
    }
    if (final === "~" && parameters === "200") this.paste = "";
    else if (!(final === "~" && parameters === "201")) {
      const event = csiEvent(parameters, final);
      if (event) events.push(event);
    }
    return end + 1;
  }
}

/** How many characters at the end of `text` are a beginning of `mark`. */
function partialSuffix(text: string, mark: string): number {
  for (let length = Math.min(text.length, mark.length - 1); length > 0; length--) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}
