/**
 * Reads symbols where nobody else dares: a process of its own, for files that a server has to answer for. It may wait for
 * ever, and can't be killed then, but whoever asked goes on without it, and it holds nothing that traces. Questions come as lines of
 * JSON, one at a time, and are answered by one; it ends with its input.
 */
import { writeSync } from "node:fs";
import { existsWithin } from "libbpf-ts";
import { Lines } from "../kernel/lines.ts";
import type { Answer, Question } from "../kernel/readers.ts";
import { fileSymbols } from "./files.ts";
import { JitMapFile } from "./jitMapFile.ts";

const MOST_MAPS = 256;
const jitMaps = new Map<string, JitMapFile>();

function jitMap(path: string): JitMapFile {
  let map = jitMaps.get(path);
  if (!map) {
    if (jitMaps.size >= MOST_MAPS) jitMaps.clear();
    map = new JitMapFile(path);
    jitMaps.set(path, map);
  }
  return map;
}

function answer(question: Question): Answer {
  if ("jitMap" in question) return { found: jitMap(question.jitMap).at(question.address, question.uid) };
  if ("exists" in question) {
    existsWithin(question.exists);
    return {};
  }
  for (const file of question.files) {
    const symbols = fileSymbols(file);
    if (symbols) return { found: symbols.at(question.fileOffset) };
  }
  return {};
}

/** Says that it is there, and serves until its input ends. */
export function serveReader(input = 0, output = 1): number {
  const lines = new Lines(input);
  const say = (line: Answer) => writeSync(output, `${JSON.stringify(line)}\n`);
  say({});
  for (let line = lines.read(); line !== undefined; line = lines.read()) {
    if (line !== "") say(answer(JSON.parse(line)));
  }
  return 0;
}
