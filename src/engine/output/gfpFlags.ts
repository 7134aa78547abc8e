/** %gr: memory allocation flags by name, as the kernel's own tracepoints print them (include/linux/gfp_types.h). */

const BITS = [
  "DMA",
  "HIGHMEM",
  "DMA32",
  "MOVABLE",
  "RECLAIMABLE",
  "HIGH",
  "IO",
  "FS",
  "ZERO",
  undefined,
  "DIRECT_RECLAIM",
  "KSWAPD_RECLAIM",
  "WRITE",
  "NOWARN",
  "RETRY_MAYFAIL",
  "NOFAIL",
  "NORETRY",
  "MEMALLOC",
  "COMP",
  "NOMEMALLOC",
  "HARDWALL",
  "THISNODE",
  "ACCOUNT",
  "ZEROTAGS",
  "SKIP_ZERO",
  "SKIP_KASAN",
  "NO_OBJ_EXT",
] as const;

const bits = (...names: string[]): bigint =>
  names.reduce((mask, name) => mask | (1n << BigInt((BITS as readonly unknown[]).indexOf(name))), 0n);

const RECLAIM = bits("DIRECT_RECLAIM", "KSWAPD_RECLAIM");
const NOFS = RECLAIM | bits("IO");
const KERNEL = NOFS | bits("FS");
const USER = KERNEL | bits("HARDWALL");
const HIGHUSER = USER | bits("HIGHMEM");
const MOVABLE = HIGHUSER | bits("MOVABLE", "SKIP_KASAN");
const HUGE_LIGHT = (MOVABLE | bits("COMP", "NOMEMALLOC", "NOWARN")) & ~RECLAIM;

/** Combinations first: what they leave is shown bit by bit. */
const NAMES: readonly (readonly [name: string, mask: bigint])[] = [
  ["GFP_TRANSHUGE", HUGE_LIGHT | bits("DIRECT_RECLAIM")],
  ["GFP_TRANSHUGE_LIGHT", HUGE_LIGHT],
  ["GFP_HIGHUSER_MOVABLE", MOVABLE],
  ["GFP_HIGHUSER", HIGHUSER],
  ["GFP_USER", USER],
  ["GFP_KERNEL_ACCOUNT", KERNEL | bits("ACCOUNT")],
  ["GFP_KERNEL", KERNEL],
  ["GFP_NOFS", NOFS],
  ["GFP_ATOMIC", bits("HIGH", "KSWAPD_RECLAIM")],
  ["GFP_NOIO", RECLAIM],
  ["GFP_NOWAIT", bits("KSWAPD_RECLAIM", "NOWARN")],
  ["GFP_DMA", bits("DMA")],
  ["GFP_DMA32", bits("DMA32")],
  ...BITS.filter((name) => name && name !== "MOVABLE" && name !== "RECLAIMABLE").map(
    (name) => [`__GFP_${name}`, bits(name!)] as const,
  ),
];

export function gfpFlags(flags: bigint): string {
  if (flags === 0n) return "0";
  let left = flags;
  const names: string[] = [];
  for (const [name, mask] of NAMES) {
    if ((left & mask) !== mask) continue;
    names.push(name);
    left &= ~mask;
  }
  if (left !== 0n) names.push(`0x${left.toString(16)}`);
  return names.join("|");
}
