/**
 * What `import … from "vitest"` means in the virtual machine: vitest's own runner and matchers, without Vite and its
 * workers, whose transforms take minutes under emulation. What is not exported here fails the build of the tests.
 */
import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";
import * as chai from "chai";

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin as never);

interface Patience {
  /** Milliseconds. */
  timeout?: number;
  interval?: number;
}

/** Calls until it does not throw. */
async function waitFor<T>(
  attempt: () => T | Promise<T>,
  { timeout = 20_000, interval = 50 }: Patience = {},
): Promise<T> {
  for (const end = performance.now() + timeout; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((done) => setTimeout(done, interval));
    }
  }
}

/** The part of `vi` that the tests use. */
export const vi = { waitFor };

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  {
    /** One matcher on what `read` gives, until it holds. */
    poll(read: () => unknown, patience?: Patience) {
      return new Proxy({} as Record<string, (...expected: unknown[]) => Promise<void>>, {
        get:
          (_, matcher: string) =>
          (...expected: unknown[]) =>
            waitFor(async () => {
              const value = await read();
              (chai.expect(value) as unknown as Record<string, (...values: unknown[]) => void>)[matcher](
                ...expected,
              );
            }, patience),
      });
    },
    unreachable(message = "this must not be reached"): never {
      throw new chai.AssertionError(message);
    },
  },
);

export {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  it,
  onTestFailed,
  onTestFinished,
  suite,
  test,
} from "@vitest/runner";
