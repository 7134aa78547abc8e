/** All panes by number and name in one row: in sight, out of sight (dim), and the focused one. */
import { fitLine, type Line, lineWidth, type Role, type Span, sanitize, span } from "../panes/text/index.ts";
import type { Layout } from "./layout.ts";
import type { DeckState, Slot } from "./state.ts";

/** Only these have a key. */
const NUMBERED = 9;

function nameOf(slot: Slot, slots: readonly Slot[]): string {
  if (!slot.map) return slot.kind;
  const name = sanitize(slot.map.name);
  const isAlone = slots.every((other) => other === slot || other.map?.name !== slot.map?.name);
  return isAlone ? name : `${name} ${slot.kind}`;
}

export function tabsLine(
  { slots, focus, columns }: DeckState,
  shown: Layout["panes"],
  unicode: boolean,
): Line {
  const tabs = slots.map((slot, index): Span[] => {
    const number = index < NUMBERED ? `${index + 1} ` : "";
    const isShown = shown.some(({ id }) => id === slot.id);
    const role: Role = slot.id === focus ? "titleFocused" : isShown ? "title" : "dim";
    return [span(` ${number}${nameOf(slot, slots)} `, role)];
  });
  // The focused one stays in sight.
  const focused = slots.findIndex(({ id }) => id === focus);
  const before = span(unicode ? "‹" : "<", "dim");
  for (let first = 0; ; first++) {
    const start = first > 0 ? [before] : [];
    const reach = [...start, ...tabs.slice(first, focused + 1).flat()];
    if (first >= focused || lineWidth(reach) < columns) {
      const line = [...start, ...tabs.slice(first).flat()];
      return fitLine(line, columns, undefined, unicode ? "›" : ">");
    }
  }
}
