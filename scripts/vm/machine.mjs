// Boots a kernel in QEMU without KVM, which hangs on some hosts, and hands over what the tests in it say.
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
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

/** The console's last lines: a panic's words. */
function consoleTail(file) {
  try {
    return readFileSync(file, "latin1").replaceAll("\r", "").trimEnd().split("\n").slice(-40).join("\n");
  } catch {
    return "";
  }
}

/**
 * Runs a machine until it says that it is done or ends. `onMessage` gets what its tests say (test/vm/messages.ts), and a
 * function that writes a line to them. The console goes to the file `log`. `stop()` ends it; `ended` resolves to what went
 * wrong with the machine itself, with the console's last lines, or to undefined.
 */
export function startMachine({ kernel, initrd, log, onMessage }) {
  const qemu = spawn(
    "nice",
    [
      ["-n", "2", "qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "qemu64"],
      ["-smp", "2", "-m", "2G", "-nodefaults", "-display", "none", "-no-reboot"],
      ["-serial", `file:${log}`, "-serial", "stdio", "-kernel", kernel, "-initrd", initrd],
      [
        "-append",
        "console=ttyS0 quiet panic=-1 oops=panic softlockup_panic=1 mitigations=off tsc=reliable rcupdate.rcu_expedited=1",
      ],
    ].flat(),
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  qemu.stdin.on("error", () => {});
  const stop = () => qemu.kill("SIGKILL");
  process.on("exit", stop);
  let done = false;
  createInterface({ input: qemu.stdout }).on("line", (line) => {
    if (!line.startsWith("{")) return;
    const message = JSON.parse(line);
    if (message.kind === "end") done = true;
    onMessage(message, (reply) => qemu.stdin.write(`${reply}\n`));
  });
  const ended = new Promise((resolve) => {
    qemu.on("error", ({ message }) => resolve(message));
    qemu.on("close", (code) => resolve(code ? `QEMU ended with ${code}` : undefined));
  }).then((failure) => {
    process.off("exit", stop);
    if (done) return undefined;
    return `${failure ?? "the machine ended before its tests did: the kernel or init crashed"}\n${consoleTail(log)}`;
  });
  return { stop, ended };
}
