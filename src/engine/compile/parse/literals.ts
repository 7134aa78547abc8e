/** What number and string tokens stand for. */
import { bytesToText, textToBytes } from "./bytes.ts";

const MAX = (1n << 64n) - 1n;

/** Multipliers: durations become nanoseconds, C's size suffixes mean nothing. */
const SUFFIXES: Record<string, bigint> = {
  "": 1n,
  u: 1n,
  ul: 1n,
  ull: 1n,
  l: 1n,
  ll: 1n,
  ns: 1n,
  us: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
};

export type NumberResult = { value: bigint } | { error: string; hint?: string };

/** `0x1f`, `0755`, `0b101`, `1_000`, `1e6`, `5ms`, `10UL`. */
export function parseNumber(text: string): NumberResult {
  if (text.length > 200) return { error: "the number is longer than any number can be" };
  if (text.endsWith("_")) return { error: `'${text}' ends with an underscore` };
  const plain = text.replaceAll("_", "");
  const parts =
    /^(0[xX])([0-9a-fA-F]+)([uUlL]*)$/.exec(plain) ??
    /^(0[bB])([01]+)([uUlL]*)$/.exec(plain) ??
    /^(0)([0-7]+)([a-zA-Z]*)$/.exec(plain) ??
    /^()([0-9]+)([a-zA-Z].*)?$/.exec(plain);
  if (!parts) return { error: `'${text}' is not a number` };
  const [, prefix, digits, rest = ""] = parts;
  const base = prefix === "" ? "" : prefix === "0" ? "0o" : prefix;
  if (base === "" && /^0[0-9]/.test(digits)) {
    return { error: `'${text}' starts with 0 and so is octal, which has no digits 8 and 9` };
  }
  let value = BigInt(base + digits);
  let suffix = rest;
  const exponent = base === "" && /^[eE]([0-9]*)(.*)$/.exec(rest);
  if (exponent) {
    if (exponent[1] === "") {
      return { error: `'${text}' has no exponent`, hint: "only whole numbers: 1e6 is fine, 1e-3 is not" };
    }
    if (value < 1n || value > 9n) {
      return { error: `'${text}': the part before the e must be one digit from 1 to 9` };
    }
    if (exponent[1].length > 3) return { error: `'${text}' is larger than 64 bits can hold` };
    value *= 10n ** BigInt(exponent[1]);
    suffix = exponent[2];
  }
  const multiplier = Object.hasOwn(SUFFIXES, suffix) ? SUFFIXES[suffix] : SUFFIXES[cSuffix(suffix)];
  if (multiplier === undefined) {
    return {
      error: `'${suffix}' is no suffix of a number`,
      hint: "durations are ns, us, ms, s, m, h and d",
    };
  }
  if (value * multiplier > MAX) return { error: `'${text}' is larger than 64 bits can hold` };
  return { value: value * multiplier };
}

/** C's suffixes come in any case and order of parts. */
function cSuffix(suffix: string): string {
  return /^(?:[uU](?:l|L|ll|LL)?|(?:l|L|ll|LL))$/.test(suffix) ? suffix.toLowerCase() : suffix;
}

const ESCAPES: Record<string, string> = { n: "\n", t: "\t", r: "\r", '"': '"', "\\": "\\" };

const NUMERIC_ESCAPE = /^\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2}))/;

export interface StringResult {
  value: string;
  /** Offsets into the token. */
  errors: { start: number; end: number; message: string }[];
}

/** The value of a string token, quotes included; a missing closing quote is the caller's to report. */
export function parseString(token: string): StringResult {
  const errors: StringResult["errors"] = [];
  const body = token.length > 1 && token.endsWith('"') ? token.slice(1, -1) : token.slice(1);
  if (!body.includes("\\")) return { value: body, errors };
  const pieces: (string | number)[] = [];
  let raw = false;
  let plain = 0;
  for (let at = body.indexOf("\\"); at >= 0; at = body.indexOf("\\", at)) {
    pieces.push(body.slice(plain, at));
    const letter = body[at + 1] ?? "";
    const number = Object.hasOwn(ESCAPES, letter) ? null : NUMERIC_ESCAPE.exec(body.slice(at, at + 4));
    const length = number ? number[0].length : 2;
    const report = (message: string) => errors.push({ start: at + 1, end: at + 1 + length, message });
    if (number) {
      const byte = number[1] ? Number.parseInt(number[1], 8) : Number.parseInt(number[2], 16);
      if (byte > 255) report(`'${number[0]}' is more than a byte`);
      raw ||= byte > 127;
      pieces.push(byte & 255);
    } else {
      if (letter === "x" || letter === "X") report("'\\x' without hexadecimal digits");
      else if (!Object.hasOwn(ESCAPES, letter)) report(`unknown escape '\\${letter}'`);
      pieces.push(ESCAPES[letter] ?? letter);
    }
    at += length;
    plain = at;
  }
  pieces.push(body.slice(plain));
  if (!raw) {
    return {
      value: pieces.map((p) => (typeof p === "number" ? String.fromCharCode(p) : p)).join(""),
      errors,
    };
  }
  const bytes: Uint8Array[] = pieces.map((p) => (typeof p === "number" ? Uint8Array.of(p) : textToBytes(p)));
  const all = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of bytes) {
    all.set(part, offset);
    offset += part.length;
  }
  return { value: bytesToText(all), errors };
}
