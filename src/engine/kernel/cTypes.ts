/** C types as tracepoint formats and scripts write them, without BTF: what needs no kernel types costs no time to read them. */
import { type IntType, int, type Type } from "../compile/types.ts";

/** Names of scalar types; the kernel's own typedefs that tracepoints use often are among them. */
const SCALARS: Record<string, IntType | { kind: "bool" } | { kind: "void" }> = {
  void: { kind: "void" },
  bool: { kind: "bool" },
  _Bool: { kind: "bool" },
};

const ROWS: [size: 1 | 2 | 4 | 8, signed: boolean, names: string][] = [
  [1, true, "char|signed char|s8|__s8|int8_t"],
  [1, false, "unsigned char|u8|__u8|uint8_t"],
  [2, true, "short|short int|s16|__s16|int16_t"],
  [2, false, "unsigned short|short unsigned int|unsigned short int|u16|__u16|uint16_t|umode_t|__be16|__le16"],
  [4, true, "int|signed|signed int|s32|__s32|int32_t|pid_t|key_t|mqd_t|clockid_t|timer_t|rwf_t|key_serial_t"],
  [4, false, "unsigned|unsigned int|uint|u32|__u32|uint32_t|uid_t|gid_t|qid_t|dev_t|gfp_t|__be32|__le32"],
  [8, true, "long|long int|long long|long long int|s64|__s64|int64_t|ssize_t|off_t|loff_t|time64_t|intptr_t"],
  [
    8,
    false,
    "unsigned long|long unsigned int|unsigned long int|unsigned long long|long long unsigned int|u64|__u64|uint64_t|" +
      "size_t|ino_t|sector_t|aio_context_t|uintptr_t|__be64|__le64",
  ],
];
for (const [size, signed, names] of ROWS)
  for (const name of names.split("|")) SCALARS[name] = int(size, signed);

/** The type of a C name without pointers and arrays, or undefined for what only the kernel's types know. */
export function scalarNamed(name: string): Type | undefined {
  return Object.hasOwn(SCALARS, name) ? SCALARS[name] : undefined;
}

/** `text` without const, volatile, address space marks; base name and how many `*` follow. */
export function splitPointers(text: string): { base: string; pointers: number } {
  const words = text
    .replaceAll("*", " * ")
    .split(/\s+/)
    .filter(
      (word) =>
        word !== "" && !/^(const|volatile|restrict|__user|__kernel|__rcu|__seg_\w+|__iomem)$/.test(word),
    );
  const pointers = words.filter((word) => word === "*").length;
  return { base: words.filter((word) => word !== "*").join(" "), pointers };
}
