/** A place in a mangled name, and what the name may refer back to. Symbol names come from anyone: everything is bounded. */
import { mapParts, type Node, type Scope } from "./nodes.ts";

/** The name is not one of this ABI, or beyond what is read. */
export class Malformed extends Error {}

const DEEPEST = 192;
/** Nodes looked at, in all, for parameters of another encoding. */
const MOST_REBOUND = 1 << 14;

export class Reader {
  readonly text: string;
  at = 0;
  /** Parts that S_, S0_, … stand for. */
  readonly substitutions: Node[] = [];
  scope: Scope = {};
  /** Within a lambda's parameters T_ is its own `auto`. */
  inLambda = false;
  /** In the type of a conversion, arguments after T_ are the operator's. */
  inConversion = false;
  /** Whether any template parameter was remembered: without, back references need no second look. */
  #parametric = false;
  #rebound = 0;
  #depth = 0;

  constructor(text: string, at: number) {
    this.text = text;
    this.at = at;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  peek(ahead = 0): string {
    return this.text[this.at + ahead] ?? "";
  }

  two(): string {
    return this.text.slice(this.at, this.at + 2);
  }

  next(): string {
    return this.text[this.at++] ?? "";
  }

  eat(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  expect(word: string): void {
    if (!this.eat(word)) throw new Malformed();
  }

  /** Digits; undefined where there are none. */
  number(): number | undefined {
    const from = this.at;
    while (isDigit(this.peek())) this.at++;
    return this.at > from ? Number(this.text.slice(from, this.at)) : undefined;
  }

  /** "n" and digits: a number that may be negative. */
  skipSigned(): void {
    this.eat("n");
    if (this.number() === undefined) throw new Malformed();
  }

  /** "_" is 0, "0_" is 1, … */
  index(): number {
    const number = this.number();
    this.expect("_");
    return number === undefined ? 0 : number + 1;
  }

  /** The same in base 36, as back references count. */
  sequenceId(): number {
    if (this.eat("_")) return 0;
    const from = this.at;
    while (/[0-9A-Z]/.test(this.peek())) this.at++;
    const id = Number.parseInt(this.text.slice(from, this.at), 36);
    this.expect("_");
    return id + 1;
  }

  /** A length and so many characters. */
  identifier(): string {
    const length = this.number();
    if (!length || this.at + length > this.text.length) throw new Malformed();
    const name = this.text.slice(this.at, this.at + length);
    this.at += length;
    return /^_GLOBAL_[._$]N/.test(name) ? "(anonymous namespace)" : name;
  }

  remember(node: Node): Node {
    this.#parametric ||= node.kind === "parameter";
    this.substitutions.push(node);
    return node;
  }

  /** The part that a back reference means. A template parameter in it is that of the place where it stands now. */
  recall(id: number): Node {
    const part = this.substitutions[id];
    if (!part) throw new Malformed();
    return this.#parametric ? this.#rebind(part) : part;
  }

  #rebind(node: Node): Node {
    if (++this.#rebound > MOST_REBOUND) throw new Malformed();
    switch (node.kind) {
      case "parameter":
        if (node.scope === this.scope && node.automatic === this.inLambda) return node;
        return { ...node, scope: this.scope, automatic: this.inLambda };
      // These speak of their own.
      case "lambda":
      case "encoding":
      case "text":
        return node;
    }
    let changed = false;
    const copy = mapParts(node, (part) => {
      const bound = this.#rebind(part);
      changed ||= bound !== part;
      return bound;
    });
    return changed ? copy : node;
  }

  /** Runs one step of the descent. */
  descend<T>(step: () => T): T {
    if (++this.#depth > DEEPEST) throw new Malformed();
    const result = step();
    this.#depth--;
    return result;
  }

  /** Reads until "E". */
  until<T>(item: () => T): T[] {
    const items: T[] = [];
    while (!this.eat("E")) {
      if (this.done) throw new Malformed();
      items.push(item());
    }
    return items;
  }
}

export function isDigit(character: string): boolean {
  return character >= "0" && character <= "9";
}
