/** Drives a pane in tests the way the app does: chords and typed text in, lines of plain text out. */
import { chordOf, type Key, keyOf, typesText } from "./key.ts";
import type { Effect, Pane, PaneEvent, PaneSeed, Size, ViewContext } from "./pane.ts";
import { type Line, lineText, lineWidth } from "./text/index.ts";

export const CONTEXT: ViewContext = { focused: true, unicode: true, color: true, frozen: false };

export class PaneDriver<State> {
  state: State;
  size: Size;
  /** Of all keys so far. */
  effects: Effect[] = [];
  private readonly pane: Pane<State>;

  constructor(pane: Pane<State>, size: Size, seed: PaneSeed = {}) {
    this.pane = pane;
    this.size = size;
    this.state = pane.init(seed);
    this.send({ type: "size", size });
  }

  send(...events: PaneEvent[]): this {
    for (const event of events) this.state = this.pane.reduce(this.state, event);
    return this;
  }

  resize(width: number, height: number): this {
    this.size = { width, height };
    return this.send({ type: "size", size: this.size });
  }

  /** Chords of the key tables; a key that no row wants is dropped. */
  press(...chords: string[]): this {
    for (const chord of chords) this.key(keyOf(chord));
    return this;
  }

  type(text: string): this {
    for (const char of text) this.key(keyOf(char === " " ? "space" : char));
    return this;
  }

  paste(text: string): this {
    return this.key({ name: "paste", ctrl: false, alt: false, shift: false, text });
  }

  private key(key: Key): this {
    const { pane, state, size } = this;
    if (pane.typing?.(state) && typesText(key) && pane.onText)
      return this.apply(pane.onText(state, key, size));
    const row = pane.keys.find((it) => it.keys.includes(chordOf(key)) && (it.when?.(state) ?? true));
    return row ? this.apply(row.run(state, key, size)) : this;
  }

  private apply({ state, effects = [] }: { state: State; effects?: Effect[] }): this {
    this.state = state;
    this.effects.push(...effects);
    return this;
  }

  lines(context: Partial<ViewContext> = {}): Line[] {
    return this.pane.view(this.state, this.size, { ...CONTEXT, ...context });
  }

  /** Lines as text, without the spaces at their ends. */
  text(context: Partial<ViewContext> = {}): string[] {
    return this.lines(context).map((it) => lineText(it).trimEnd());
  }

  title(context: Partial<ViewContext> = {}): string {
    return this.pane.title(this.state, { ...CONTEXT, ...context });
  }

  cursor(): { x: number; y: number } | undefined {
    return this.pane.cursor?.(this.state, this.size);
  }

  /** Lines that are wider than the pane, or too many lines: always empty. */
  overflow(context: Partial<ViewContext> = {}): string[] {
    const lines = this.lines(context);
    const wide = lines.filter((it) => lineWidth(it) > this.size.width).map(lineText);
    return lines.length > this.size.height ? [...wide, `${lines.length} lines`] : wide;
  }
}

/** The text of the spans in a role, over all lines. */
export function inRole(lines: readonly Line[], role: string): string[] {
  return lines.flatMap((it) => it.filter((part) => part.role === role).map((part) => part.text));
}
