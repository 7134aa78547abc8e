import { expect, test } from "vitest";
import { ByteText } from "./byteText.ts";

const textOf = (written: ByteText): string => new TextDecoder().decode(written.bytes);

test("grows, and holds what was added in order", () => {
  const text = new ByteText(2);
  text.add("kprobe:");
  text.copy(new TextEncoder().encode("[vfs_read]"), 1, 9);
  text.add(" größe € 😀\n");
  expect(textOf(text)).toBe("kprobe:vfs_read größe € 😀\n");
});

test("copies up to a zero, or to the end", () => {
  const text = new ByteText();
  const strings = new TextEncoder().encode("\0int\0char");
  text.copyString(strings, 1);
  text.copyString(strings, 5);
  expect(textOf(text)).toBe("intchar");
});

test("begins anew when cleared", () => {
  const text = new ByteText();
  text.add("one");
  text.clear();
  expect(text.length).toBe(0);
  const other = new ByteText();
  other.add("a struct here");
  text.addPart(other, 2, 8);
  expect(textOf(text)).toBe("struct");
});
