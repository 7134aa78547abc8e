/** Shares of CPU time as people write them, on the command line and in the deck. */

/** "5%", "0.5" → percent of all CPUs' time; undefined: not above 0 and up to 100. */
export function parseShare(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?|\.\d+)\s*%?$/.exec(text.trim());
  const share = match ? Number(match[1]) : 0;
  return share > 0 && share <= 100 ? share : undefined;
}
