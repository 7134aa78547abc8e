// Boots a kernel in QEMU without KVM, which hangs on some hosts, and hands over what the tests in it say.
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** One file of several archives. */
export function concatenate(parts, to) {
  const output = openSync(to, "w");
  const buffer = Buffer.allocUnsafe(1 << 22);
  for (const part of parts) {
    const input = openSync(part, "r");
    for (let size; (size = readSync(input, buffer)) > 0; ) {
      for (let done = 0; done < size; done += writeSync(output, buffer, done, size - done));
    }
    closeSync(input);
  }
  closeSync(output);
  return to;
}

/** The last lines of the console: a panic's words. */
function consoleTail(file) {
  try {
    return readFileSync(file, "latin1").replaceAll("\r", "").trimEnd().split("\n").slice(-40).join("\n");
  } catch {
    return "";
  }
}

/**
 * Runs the machine until it says that it is done, ends or the limit (milliseconds) passes; `onMessage` gets what the tests
 * say (test/vm/messages.ts). What went wrong with the machine itself, or undefined. The console goes to a file in `scratch`.
 */
export async function runMachine({ kernel, initrd, scratch, limit, onMessage }) {
  const log = join(scratch, "console");
  const qemu = spawn(
    "nice",
    [
      ["-n", "2", "qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "qemu64"],
      ["-smp", "2", "-m", "2G", "-nodefaults", "-display", "none", "-no-reboot"],
      ["-serial", `file:${log}`, "-serial", "stdio", "-kernel", kernel, "-initrd", initrd],
      [
        "-append",
        "console=ttyS0 quiet panic=-1 oops=panic mitigations=off tsc=reliable rcupdate.rcu_expedited=1",
      ],
    ].flat(),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const stop = () => qemu.kill("SIGKILL");
  process.on("exit", stop);
  let done = false;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    stop();
  }, limit);
  createInterface({ input: qemu.stdout }).on("line", (line) => {
    if (!line.startsWith("{")) return;
    const message = JSON.parse(line);
    if (message.kind === "end") done = true;
    onMessage(message);
  });
  const failure = await new Promise((resolve) => {
    qemu.on("error", ({ message }) => resolve(message));
    qemu.on("close", (code) => resolve(code ? `QEMU ended with ${code}` : undefined));
  });
  clearTimeout(timer);
  process.off("exit", stop);
  if (done) return undefined;
  const why = late
    ? `the tests were not done within ${Math.round(limit / 1000)} s of its start: a slow host, or the machine hung`
    : (failure ?? "the machine ended before its tests did: the kernel or init crashed");
  return `${why}\n${consoleTail(log)}`;
}
