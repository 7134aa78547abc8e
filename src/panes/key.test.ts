import { describe, expect, it } from "vitest";
import { chordLabel, chordOf, keyOf } from "./key.ts";

describe("chords", () => {
  it.each([
    "a",
    "G",
    "?",
    "-",
    "ctrl-r",
    "shift-tab",
    "alt-left",
    "ctrl-alt-x",
    "f5",
    "space",
    "up",
    "paste",
  ])("%s survives the way to a key and back", (chord) => expect(chordOf(keyOf(chord))).toBe(chord));

  it.each([
    ["ctrl-r", "Ctrl-R"],
    ["shift-tab", "Shift-Tab"],
    ["up", "↑"],
    ["G", "G"],
    ["-", "-"],
    ["alt-left", "Alt-←"],
    ["pageup", "PgUp"],
    ["f5", "F5"],
  ])("%s reads %s", (chord, label) => expect(chordLabel(chord)).toBe(label));
});
