/**
 * What `import … from "vitest"` means in the virtual machine: vitest's own runner and matchers, without Vite and its
 * workers, whose transforms take minutes under emulation. What is not exported here fails the build of the tests.
 */
import { JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";
import * as chai from "chai";

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin as never);

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  {
    unreachable(message = "this must not be reached"): never {
      throw new chai.AssertionError(message);
    },
  },
);

/** The part of `vi` that the tests use. */
export const vi = {
  /** Calls until it does not throw. */
  async waitFor<T>(attempt: () => T | Promise<T>, { timeout = 1000, interval = 50 } = {}): Promise<T> {
    for (const end = performance.now() + timeout; ; ) {
      try {
        return await attempt();
      } catch (error) {
        if (performance.now() > end) throw error;
        await new Promise((done) => setTimeout(done, interval));
      }
    }
  },
};

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
