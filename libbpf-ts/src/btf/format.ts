// The layout of BTF, shared by the reader and the writer.
//
//   header:  u16 magic, u8 version, u8 flags, u32 header length, u32 type offset, type length, string offset, string length
//   type:    u32 name, u32 info (flag:1 | - | kind:5 | - | count:16), u32 size or type, then what `extraWords` says
//
// Type ids count from 1 in the order of the section; 0 is void. A module's BTF continues the numbering of the kernel's, for
// types and for string offsets.

export const BTF_MAGIC = 0xeb9f;
export const HEADER_SIZE = 24;

export const Kind = {
  void: 0,
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  func_proto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  decl_tag: 17,
  type_tag: 18,
  enum64: 19,
} as const;
export type BtfKind = keyof typeof Kind;

export const kindNames = Object.keys(Kind) as BtfKind[];

/** Words that follow the three of every type: fixed ones, and so many for each of `count`. */
export const extraWords: readonly [fixed: number, each: number][] = [
  [0, 0], // void
  [1, 0], // int
  [0, 0], // ptr
  [3, 0], // array
  [0, 3], // struct
  [0, 3], // union
  [0, 2], // enum
  [0, 0], // fwd
  [0, 0], // typedef
  [0, 0], // volatile
  [0, 0], // const
  [0, 0], // restrict
  [0, 0], // func
  [0, 2], // func_proto
  [1, 0], // var
  [0, 3], // datasec
  [0, 0], // float
  [1, 0], // decl_tag
  [0, 0], // type_tag
  [0, 3], // enum64
];

/** Bits of an int's encoding. */
export const IntEncoding = { signed: 1, char: 2, bool: 4 } as const;

/** Malformed BTF. */
export class BtfError extends Error {
  constructor(message: string) {
    super(`BTF: ${message}`);
    this.name = "BtfError";
  }
}
