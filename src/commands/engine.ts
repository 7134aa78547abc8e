/** `tracedeck engine`: serves one client over standard input and output until it goes away. */
export async function main([option]: string[]): Promise<number> {
  // Started by an engine, see engine/kernel/readers.ts.
  if (option === "--reader") {
    const { serveReader } = await import("../engine/symbols/reader.ts");
    return serveReader();
  }
  const { serve } = await import("../engine/server.ts");
  return serve();
}
