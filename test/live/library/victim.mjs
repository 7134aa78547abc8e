// A process that does as it is told: each line of standard input is the body of an async function; "done" answers it.
import childProcess from "node:child_process";
import dgram from "node:dgram";
import fs from "node:fs";
import net from "node:net";
import readline from "node:readline";

const AsyncFunction = (async () => {}).constructor;
const tools = { childProcess, dgram, fs, net };

for await (const line of readline.createInterface({ input: process.stdin })) {
  await new AsyncFunction(...Object.keys(tools), JSON.parse(line))(...Object.values(tools));
  process.stdout.write("done\n");
}
