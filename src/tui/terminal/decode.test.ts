import { describe, expect, it } from "vitest";
import { chordOf } from "../../panes/key.ts";
import { InputDecoder, type InputEvent } from "./decode.ts";

function describeEvent(event: InputEvent): string {
  if (event.type === "mouse") return `${event.action}@${event.x},${event.y}`;
  if (event.type === "focus") return event.focused ? "focus-in" : "focus-out";
  const { key } = event;
  return key.name === "paste" ? `paste:${key.text}` : chordOf(key);
}

function decode(...chunks: string[]): string[] {
  const decoder = new InputDecoder();
  return [...chunks.flatMap((chunk) => decoder.push(chunk)), ...decoder.flush()].map(describeEvent);
}

describe("input", () => {
  const rows: [string, string[]][] = [
    ["a", ["a"]],
    ["ab", ["a", "b"]],
    ["G?é日🐝", ["G", "?", "é", "日", "🐝"]],
    ["\r", ["enter"]],
    ["\t", ["tab"]],
    [" ", ["space"]],
    ["\x7f", ["backspace"]],
    ["\x08", ["ctrl-backspace"]],
    ["\x1b[3~", ["delete"]],
    ["\x03\x12\x1a\x0c", ["ctrl-c", "ctrl-r", "ctrl-z", "ctrl-l"]],
    ["\0", ["ctrl-space"]],
    ["\x1f", ["ctrl-_"]],
    ["\x1b", ["escape"]],
    ["\x1b\x1b", ["alt-escape"]],
    ["\x1bx", ["alt-x"]],
    ["\x1b\r", ["alt-enter"]],
    ["\x1b\x7f", ["alt-backspace"]],
    ["\x1b[A\x1b[B\x1b[C\x1b[D", ["up", "down", "right", "left"]],
    ["\x1bOA\x1bOP", ["up", "f1"]],
    ["\x1b[1;5C\x1b[1;3D\x1b[1;2A", ["ctrl-right", "alt-left", "shift-up"]],
    ["\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1b[8~", ["home", "end", "home", "end", "home", "end"]],
    ["\x1b[5~\x1b[6~\x1b[2~", ["pageup", "pagedown", "insert"]],
    ["\x1b[11~\x1b[15~\x1b[24~\x1b[[A", ["f1", "f5", "f12", "f1"]],
    ["\x1b[15;5~", ["ctrl-f5"]],
    ["\x1b[Z", ["shift-tab"]],
    ["\x1b[a\x1bOd", ["shift-up", "ctrl-left"]],
    ["\x1b\x1b[A", ["alt-up"]],
    ["\x1b[114;5u\x1b[97;1u\x1b[27;5;13~", ["ctrl-r", "a", "ctrl-enter"]],
    ["\x1bOj\x1bOM\x1bOq", ["*", "enter", "1"]],
    ["\x1b[200~a\rb\r\nc\x1b[201~x", ["paste:a\nb\nc", "x"]],
    ["\x1b[200~\x1b[31m\x03\x1b[201~", ["paste:\x1b[31m\x03"]],
    ["\x1b[<0;10;5M\x1b[<0;10;5m\x1b[<65;1;1M", ["press@9,4", "release@9,4", "wheel-down@0,0"]],
    ["\x1b[I\x1b[O", ["focus-in", "focus-out"]],
    ["\x1b[?62;c\x1b[?1u", []],
    ["\x1b[99~", ["unknown"]],
    ["\x1b[", ["alt-["]],
    ["\x1b[1;", ["unknown"]],
  ];
  it.each(rows)("%j", (bytes, keys) => expect(decode(bytes)).toEqual(keys));

  it.each(rows.filter(([bytes]) => bytes.length > 1))("%j in pieces of one unit", (bytes, keys) => {
    expect(decode(...bytes.split(""))).toEqual(keys);
  });

  it("keeps Escape until it is sure, then lets go", () => {
    const decoder = new InputDecoder();
    expect(decoder.push("\x1b")).toEqual([]);
    expect(decoder.pending).toBe(true);
    expect(decoder.flush().map(describeEvent)).toEqual(["escape"]);
    expect(decoder.pending).toBe(false);
    expect(decoder.push("[A").map(describeEvent)).toEqual(["[", "A"]);
  });

  it("does not take a long stream of digits for a sequence for ever", () => {
    const decoder = new InputDecoder();
    decoder.push(`\x1b[${"1;".repeat(200)}`);
    expect(decoder.push("q").map(describeEvent)).toEqual(["q"]);
  });

  it("gives types text to plain keys only", () => {
    const decoder = new InputDecoder();
    const texts = decoder.push("a \x01\x1bz").map((event) => (event.type === "key" ? event.key.text : ""));
    expect(texts).toEqual(["a", " ", "", ""]);
  });
});
