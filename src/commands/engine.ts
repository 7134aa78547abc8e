/** `tracedeck engine`: serves one client over standard input and output until it goes away. */
export async function main(): Promise<number> {
  const { serve } = await import("../engine/server.ts");
  return serve();
}
