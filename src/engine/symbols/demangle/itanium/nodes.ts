/**
 * What a mangled C++ name says, before it is written out: a tree whose inner nodes may be shared, because a name refers
 * back to its own parts. Types are written in two halves, left and right of what they declare: `void (*` … `)(int)`.
 */

/** The template arguments that T_, T0_, … of one encoding stand for; known only once the name has been read. */
export interface Scope {
  arguments?: readonly Node[];
  /** Of the encoding around. */
  outer?: Scope;
}

export type Node =
  /** `bare`: what a constructor of it is called, where that is not the text. */
  | { kind: "text"; text: string; bare?: string }
  /** Expressions and everything else without halves. */
  | { kind: "sequence"; parts: readonly (string | Node)[] }
  | { kind: "nested"; scope: Node; name: Node }
  | { kind: "template"; name: Node; arguments: readonly Node[] }
  | { kind: "tagged"; of: Node; tag: string }
  | { kind: "constructor"; name: Node; destructor: boolean }
  | { kind: "conversion"; type: Node }
  | { kind: "lambda"; parameters: readonly Node[]; number: number }
  | { kind: "encoding"; name: Node; returns?: Node; parameters: readonly Node[]; qualifiers: string }
  | { kind: "local"; function: Node; name: Node }
  | { kind: "list"; items: readonly Node[]; open: string; close: string }
  | { kind: "qualified"; of: Node; qualifiers: readonly string[] }
  | { kind: "pointer"; of: Node; mark: "*" | "&" | "&&" }
  | { kind: "array"; of: Node; dimension: Node | undefined }
  | { kind: "function"; returns: Node; parameters: readonly Node[]; qualifiers: string }
  | { kind: "member"; class: Node; of: Node }
  | { kind: "pack"; items: readonly Node[] }
  | { kind: "expansion"; of: Node }
  | { kind: "packSize"; of: Node }
  | { kind: "parameter"; index: number; scope: Scope; automatic: boolean };

export type Kind<K extends Node["kind"]> = Extract<Node, { kind: K }>;

export function text(value: string): Node {
  return { kind: "text", text: value };
}

export function sequence(...parts: (string | Node)[]): Node {
  return { kind: "sequence", parts };
}

export function templateArgument({ scope, index }: Kind<"parameter">): Node | undefined {
  let nearest: Scope | undefined = scope;
  while (nearest && !nearest.arguments) nearest = nearest.outer;
  return nearest?.arguments?.[index];
}

/** The node with its parts replaced. */
export function mapParts(node: Node, map: (part: Node) => Node): Node {
  switch (node.kind) {
    case "sequence":
      return { ...node, parts: node.parts.map((part) => (typeof part === "string" ? part : map(part))) };
    case "nested":
      return { ...node, scope: map(node.scope), name: map(node.name) };
    case "template":
      return { ...node, name: map(node.name), arguments: node.arguments.map(map) };
    case "tagged":
    case "qualified":
    case "pointer":
    case "packSize":
    case "expansion":
      return { ...node, of: map(node.of) };
    case "constructor":
      return { ...node, name: map(node.name) };
    case "conversion":
      return { ...node, type: map(node.type) };
    case "lambda":
      return { ...node, parameters: node.parameters.map(map) };
    case "encoding": {
      const returns = node.returns && map(node.returns);
      return { ...node, name: map(node.name), returns, parameters: node.parameters.map(map) };
    }
    case "local":
      return { ...node, function: map(node.function), name: map(node.name) };
    case "list":
    case "pack":
      return { ...node, items: node.items.map(map) };
    case "array":
      return { ...node, of: map(node.of), dimension: node.dimension && map(node.dimension) };
    case "function":
      return { ...node, returns: map(node.returns), parameters: node.parameters.map(map) };
    case "member":
      return { ...node, class: map(node.class), of: map(node.of) };
    default:
      return node;
  }
}

export function children(node: Node): readonly Node[] {
  const found: Node[] = [];
  mapParts(node, (part) => {
    found.push(part);
    return part;
  });
  return found;
}
