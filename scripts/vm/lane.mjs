// Shares test files among machines: each asks for its next file, so that none idles while files are left.
import { join } from "node:path";
import { startMachine } from "./machine.mjs";
import { sourceLines } from "./sources.mjs";

/**
 * QEMU before 8.1 may run an instruction that the kernel has just patched as it was before: the kernel dies of its own
 * breakpoint (int3), or its processors wait for each other for ever. That says nothing of the file that ran, unless it
 * happens again.
 */
const EMULATORS_FAULT = /Oops: int3: 0000|softlockup: hung tasks/;

/**
 * Runs files until all are done, a machine breaks, or `limit` milliseconds have passed, in `machines` machines at once. Machines
 * know files by their index in `names`; `bundles` is the folder of what they became. `print` gets lines as files end. Gives
 * tests ({ name, state }) in the order of the files, the kernel's version, and `broken`: why not all ran.
 */
export async function runLane({ kernel, initrd, bundles, scratch, names, machines, limit, print }) {
  const readable = sourceLines(bundles);
  const waiting = names.map((_, index) => index);
  const results = names.map(() => []);
  const done = new Set();
  const running = new Set();
  let version = "";
  let broken;
  /** Files whose machine the emulator has ended once. */
  const retried = new Set();

  function report(index, milliseconds) {
    const tests = results[index];
    const failed = tests.filter(({ state }) => state === "failed");
    for (const { name, errors } of failed) print(`\nFAILED ${name}\n${errors.join("\n")}\n`);
    const count = (state, word) => {
      const { length } = tests.filter((test) => test.state === state);
      return length > 0 ? [`${length} ${word}`] : [];
    };
    const counts = [
      ...count("passed", "passed"),
      ...count("failed", "failed"),
      ...count("skipped", "skipped"),
    ];
    const seconds = (milliseconds / 1000).toFixed(1);
    print(` ${failed.length > 0 ? "✗" : "✓"} ${names[index]}: ${counts.join(", ")} (${seconds} s)`);
  }

  async function run(number) {
    /** Files given to the machine that have not ended. */
    const given = [];
    const machine = startMachine({
      kernel,
      initrd,
      log: join(scratch, `console-${number}`),
      onMessage(message, reply) {
        if (message.kind === "start") {
          if (!version) print(`test:vm: Linux ${message.kernel} has booted`);
          version = message.kernel;
        } else if (message.kind === "next") {
          const index = waiting.shift();
          if (index !== undefined) given.push(index);
          reply(index ?? "");
        } else if (message.kind === "test") {
          results[given[0]].push({
            ...message,
            name: `${names[given[0]]} > ${message.name}`,
            errors: message.errors.map(readable),
          });
        } else if (message.kind === "fileEnd") {
          done.add(given[0]);
          report(given.shift(), message.milliseconds);
        } else if (message.kind === "kernelLog") {
          print(`test:vm: the kernel complained:\n${message.lines.join("\n")}`);
        }
      },
    });
    running.add(machine);
    const failure = await machine.ended;
    running.delete(machine);
    if (failure === undefined || broken) return;
    const inFile = given.length > 0 ? `while ${names[given[0]]} ran` : "while it booted";
    if (EMULATORS_FAULT.test(failure) && !retried.has(given[0])) {
      const word = EMULATORS_FAULT.exec(failure)[0];
      print(`test:vm: ${inFile}, the emulator ended the machine (${word}): another runs the file again`);
      retried.add(given[0]);
      for (const index of given) results[index].length = 0;
      waiting.unshift(...given);
      return run(number);
    }
    stop(`${inFile}: ${failure}`);
  }

  function stop(why) {
    broken = why;
    for (const machine of running) machine.stop();
  }

  const timer = setTimeout(() => {
    const left = names.filter((_, index) => !done.has(index));
    stop(
      `the limit of the whole run has passed (a slow host, or a test that hangs; --limit SECONDS gives more).\n` +
        `Not run to their end:\n${left.map((name) => `  ${name}`).join("\n")}`,
    );
  }, limit);
  await Promise.all(Array.from({ length: machines }, (_, number) => run(number)));
  clearTimeout(timer);
  return { tests: results.flat(), version, broken };
}
