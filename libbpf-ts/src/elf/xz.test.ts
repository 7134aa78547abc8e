import { expect, test } from "vitest";
import { unpackXz, XzError } from "./xz.ts";

/** What all of these hold, packed by xz 5.4. */
const text = Array.from({ length: 40 }, (_, i) => `${(i * 79) % 100} line\n`).join("");

const packed: Record<string, string> = {
  "xz -6":
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AE6AFddABgICgcx/yLdVHSck86B3y3J68zKMhN02rVt33swG59aJ2t4LXc3aHvFG1/ZHUKx9AgEWUmzxV3wkCJljt6L/FQkY9KtPwIudz2u5szJm8wHY/rrSyUPLAAAB3M2MBF8mJMAAXO7AgAAADxa/YOxxGf7AgAAAAAEWVo=",
  "other properties, no check":
    "/Td6WFoAAAD/EtlBAgAhARYAAAB0L+Wj4AE6AFcTABgISs8e7Q93WFUOg7v0hCm4re62Xvt+AD2ajOVioLdalhzxqcKmqDoK9RjhLv5BbpOCkOpbbNnQ8WwXC73MQ2s1z95RWOLET5E1D6fi4SqCt+vYvYATmAAAAAFruwIAAADK2nhsqAAK/AIAAAAAAFla",
  "several blocks, SHA-256":
    "/Td6WFoAAArh+wyhAgAhARAAAACocI6G4ACVADpdABgICgcx/yLdVHSck86B3y3J68zKMhN038logpGiVkzpZre1Aeu8E7FUmkw8DOmWfLFsruyluAETF+cAAAAi5i3ronCzSFNYeCG9LJNVhSvsZqe82xPQIuQ5UfmzSwIAIQEQAAAAqHCOhuAAlQA6XQAYiAoHMf8i3VYe96XBzCZHnaSYtLeuAy4+24rMBPc3BoU+gVr898JLqfXZTckLVdBKGvsLp/4NjbaOAAAASYxpwCBXurYGoPn5Tn7QZed/3ukfDnJ7rm0GwAY3F+wCACEBEAAAAKhwjoYBAA4yIGxpbmUKODEgbGluZQoAAKaMs4Ni4SNcPgschTewRvxxVt4GOFVcZR74rDcUwT1gAANulgFulgE/DwAAG+v+1hM6g9cDAAAAAApZWg==",
};

const bytesOf = (name: string): Buffer => Buffer.from(packed[name], "base64");

test.each(Object.keys(packed))("%s", (name) => {
  expect(Buffer.from(unpackXz(bytesOf(name), 1 << 20)).toString()).toBe(text);
});

test("what is stored as it is", () => {
  const stored =
    "/Td6WFoAAATm1rRGAgAhAQwAAACPmEGcAQAXeAym3vV+GPLpC/WcMVYGvtN8ano/oipKAABpH77GdDcoAAEwGI4brOwftvN9AQAAAAAEWVo=";
  expect(Buffer.from(unpackXz(Buffer.from(stored, "base64"), 100)).toString("hex")).toBe(
    "780ca6def57e18f2e90bf59c315606bed37c6a7a3fa22a4a",
  );
});

test("filters other than LZMA2 are refused", () => {
  const x86 = "/Td6WFoAAATm1rRGAgEEACEBFgANhjUfAQAEaGVsbG8AAAAAsTe52+XaHpsAAR0FuC2Arx+2830BAAAAAARZWg==";
  expect(() => unpackXz(Buffer.from(x86, "base64"), 100)).toThrow("LZMA2");
});

test("no more is unpacked than allowed", () => {
  expect(() => unpackXz(bytesOf("xz -6"), text.length - 1)).toThrow("more than");
  expect(unpackXz(bytesOf("xz -6"), text.length).length).toBe(text.length);
});

test("what is cut or damaged is refused or unpacks to something, and always ends", () => {
  const whole = bytesOf("xz -6");
  for (let length = 0; length < whole.length; length++) {
    const attempt = () => unpackXz(whole.subarray(0, length), 1 << 16);
    if (length < 20) expect(attempt).toThrow(XzError);
    for (const bit of [0, 3, 7]) {
      const damaged = Buffer.from(whole);
      damaged[length] ^= 1 << bit;
      try {
        expect(unpackXz(damaged, 1 << 16).length).toBeLessThanOrEqual(1 << 16);
      } catch (error) {
        expect(error).toBeInstanceOf(XzError);
      }
    }
  }
});
