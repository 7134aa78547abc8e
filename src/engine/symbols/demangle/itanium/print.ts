/**
 * The tree as text, in the words of binutils. A few bytes of name can say thousands of characters, so that both the output
 * and the steps taken for it have a bound.
 */
import { children, type Kind, type Node, templateArgument } from "./nodes.ts";
import { Malformed } from "./reader.ts";

const LONGEST = 1 << 16;
const MOST_STEPS = 1 << 16;
const DEEPEST = 600;

export function print(node: Node): string {
  const printer = new Printer();
  printer.whole(node);
  return printer.out;
}

class Printer {
  out = "";
  #steps = 0;
  #depth = 0;
  /** Which element of a pack is being written, within its expansion. */
  #element: number | undefined;

  whole(node: Node): void {
    this.#left(node);
    this.#right(node);
  }

  #write(value: string): void {
    this.out += value;
    if (this.out.length > LONGEST) throw new Malformed();
  }

  #step(): void {
    if (++this.#steps > MOST_STEPS || this.#depth > DEEPEST) throw new Malformed();
  }

  /** What a node stands for: template parameters are looked up, in the pack being expanded too. */
  #resolve(node: Node): Node {
    let resolved = node;
    for (let i = 0; resolved.kind === "parameter" && !resolved.automatic; i++) {
      this.#step();
      const given: Node | undefined = templateArgument(resolved);
      if (!given || i > 64) throw new Malformed();
      resolved = given;
      if (resolved.kind === "pack" && this.#element !== undefined) {
        const element: Node | undefined = resolved.items[this.#element];
        if (!element) break;
        resolved = element;
      }
    }
    return resolved;
  }

  #left(given: Node): void {
    this.#step();
    this.#depth++;
    const node = this.#resolve(given);
    switch (node.kind) {
      case "text":
        this.#write(node.text);
        break;
      case "sequence":
        for (const part of node.parts) {
          if (typeof part === "string") this.#write(part);
          else this.whole(part);
        }
        break;
      case "nested":
        this.whole(node.scope);
        this.#write("::");
        this.whole(node.name);
        break;
      case "template":
        this.#template(node);
        break;
      case "tagged":
        this.whole(node.of);
        this.#write(`[abi:${node.tag}]`);
        break;
      case "constructor":
        if (node.destructor) this.#write("~");
        this.whole(node.name);
        break;
      case "conversion":
        this.#write("operator ");
        this.whole(node.type);
        break;
      case "lambda":
        this.#write("{lambda(");
        this.#parameters(node.parameters);
        this.#write(`)#${node.number}}`);
        break;
      case "encoding":
        this.#encoding(node, true);
        break;
      case "local":
        if (node.function.kind === "encoding") this.#encoding(node.function, false);
        else this.whole(node.function);
        this.#write("::");
        this.whole(node.name);
        break;
      case "list":
        this.#write(node.open);
        this.#items(node.items);
        this.#write(node.close);
        break;
      case "pack":
        this.#items(node.items);
        break;
      case "expansion":
        this.#expansion(node.of);
        break;
      case "packSize": {
        const pack = this.#findPack(node.of);
        if (pack) this.#write(String(pack.items.length));
        else {
          this.#write("sizeof...(");
          this.whole(node.of);
          this.#write(")");
        }
        break;
      }
      case "parameter":
        this.#write(`auto:${node.index + 1}`);
        break;
      default:
        this.#leftOfType(node);
    }
    this.#depth--;
  }

  #leftOfType(node: Kind<"qualified" | "pointer" | "array" | "function" | "member">): void {
    switch (node.kind) {
      case "qualified":
        this.#left(node.of);
        // Of an array, its elements have the qualifiers.
        if (!this.#isFunction(node.of)) this.#qualifiers(node);
        break;
      case "pointer": {
        const { of, mark } = this.#collapse(node);
        this.#left(of);
        if (this.#isArray(of)) this.#write(" (");
        else if (this.#isFunction(of)) this.#write("(");
        this.#write(mark);
        break;
      }
      case "member":
        this.#left(node.of);
        if (this.#isFunction(node.of)) this.#write("(");
        else this.#write(this.#isArray(node.of) ? " (" : " ");
        this.whole(node.class);
        this.#write("::*");
        break;
      case "array":
        this.#left(node.of);
        break;
      case "function":
        this.#left(node.returns);
        if (!this.#hasRight(node.returns)) this.#write(" ");
        break;
    }
  }

  #right(given: Node): void {
    this.#step();
    this.#depth++;
    const node = this.#resolve(given);
    switch (node.kind) {
      case "qualified":
        this.#right(node.of);
        if (this.#isFunction(node.of)) this.#qualifiers(node);
        break;
      case "pointer": {
        const { of } = this.#collapse(node);
        if (this.#isArray(of) || this.#isFunction(of)) this.#write(")");
        this.#right(of);
        break;
      }
      case "member":
        if (this.#isArray(node.of) || this.#isFunction(node.of)) this.#write(")");
        this.#right(node.of);
        break;
      case "array":
        this.#write(this.out.endsWith("]") ? "[" : " [");
        if (node.dimension) this.whole(node.dimension);
        this.#write("]");
        this.#right(node.of);
        break;
      case "function":
        this.#write("(");
        this.#parameters(node.parameters);
        this.#write(`)${node.qualifiers}`);
        this.#right(node.returns);
        break;
    }
    this.#depth--;
  }

  #template(node: Kind<"template">): void {
    this.whole(node.name);
    this.#write(this.out.endsWith("<") ? " <" : "<");
    this.#items(node.arguments);
    this.#write(this.out.endsWith(">") ? " >" : ">");
  }

  #encoding(node: Kind<"encoding">, withReturn: boolean): void {
    const returns = withReturn ? node.returns : undefined;
    if (returns) {
      this.#left(returns);
      if (!this.#hasRight(returns)) this.#write(" ");
    }
    this.whole(node.name);
    if (node.parameters.length > 0) {
      this.#write("(");
      this.#parameters(node.parameters);
      this.#write(")");
    }
    this.#write(node.qualifiers);
    if (returns) this.#right(returns);
  }

  #parameters(parameters: readonly Node[]): void {
    const [only] = parameters;
    if (parameters.length === 1 && only.kind === "text" && only.text === "void") return;
    this.#items(parameters);
  }

  /** With commas; what writes nothing, like an empty pack, takes its comma with it unless it is the first. */
  #items(items: readonly Node[]): void {
    items.forEach((item, i) => {
      const before = this.out;
      if (i > 0) this.#write(", ");
      const begin = this.out.length;
      this.whole(item);
      if (i > 0 && this.out.length === begin) this.out = before;
    });
  }

  #expansion(pattern: Node): void {
    const pack = this.#findPack(pattern);
    if (!pack) {
      const bare = this.#resolve(pattern).kind === "text";
      this.#write(bare ? "" : "(");
      this.whole(pattern);
      this.#write(bare ? "..." : ")...");
      return;
    }
    const outer = this.#element;
    pack.items.forEach((_, i) => {
      if (i > 0) this.#write(", ");
      this.#element = i;
      this.whole(pattern);
    });
    this.#element = outer;
  }

  /** The first pack that a pattern speaks of. */
  #findPack(node: Node): Kind<"pack"> | undefined {
    this.#step();
    switch (node.kind) {
      case "parameter": {
        if (node.automatic) return undefined;
        const given = templateArgument(node);
        if (!given) throw new Malformed();
        return given.kind === "pack" ? given : undefined;
      }
      case "pack":
      case "text":
      case "lambda":
      case "expansion":
        return undefined;
      default:
        for (const child of children(node)) {
          const found = this.#findPack(child);
          if (found) return found;
        }
        return undefined;
    }
  }

  #qualifiers(node: Kind<"qualified">): void {
    let inner = this.#resolve(node.of);
    while (inner.kind === "array") inner = this.#resolve(inner.of);
    const already = inner.kind === "qualified" ? inner.qualifiers : [];
    for (const qualifier of node.qualifiers) if (!already.includes(qualifier)) this.#write(qualifier);
  }

  /** A reference to a reference is one of the two. */
  #collapse(node: Kind<"pointer">): { of: Node; mark: string } {
    let { of, mark } = node;
    while (mark !== "*") {
      const inner = this.#resolve(of);
      if (inner.kind !== "pointer" || inner.mark === "*") break;
      if (inner.mark === "&") mark = "&";
      of = inner.of;
    }
    return { of, mark };
  }

  #under(node: Node): Node {
    let inner = this.#resolve(node);
    while (inner.kind === "qualified") inner = this.#resolve(inner.of);
    return inner;
  }

  #isArray(node: Node): boolean {
    return this.#under(node).kind === "array";
  }

  #isFunction(node: Node): boolean {
    return this.#under(node).kind === "function";
  }

  /** Whether a type has a part after what it declares. */
  #hasRight(node: Node): boolean {
    for (let inner = this.#under(node); ; ) {
      this.#step();
      if (inner.kind === "array" || inner.kind === "function") return true;
      if (inner.kind !== "pointer" && inner.kind !== "member") return false;
      inner = this.#under(inner.of);
    }
  }
}
