/** `tracedeck`: the deck. */
export async function main(args: string[]): Promise<number> {
  const { openDeck } = await import("../tui/index.ts");
  return openDeck(args);
}
