import { defineConfig } from "vitest/config";

/** Milliseconds that `expect.poll` waits for what is to come, however busy the machine is. */
const poll = { timeout: 20_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["src/**/*.test.{ts,tsx}", "libbpf-ts/src/**/*.test.ts"],
          setupFiles: ["src/panes/chart/stubs/node.ts"],
          // For machines that do other work meanwhile.
          testTimeout: 30_000,
          expect: { poll },
        },
        esbuild: { target: "node20" },
      },
      {
        test: {
          name: "live",
          include: ["test/live/**/*.test.ts", "test/side-by-side/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll },
        },
        esbuild: { target: "node20" },
      },
      {
        test: {
          name: "screen",
          include: ["test/screen/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll },
        },
        esbuild: { target: "node20" },
      },
    ],
  },
});
