/**
 * Programs that tests trace or run: C through gcc, our own TypeScript through esbuild. Declare them outside of tests; they
 * are built when their path is first asked for and kept by what they are made of.
 *
 * A virtual machine has no compilers. There TRACEDECK_TEST_PROGRAMS names a folder of programs that the host built from
 * the same declarations: it imports the test files with TRACEDECK_BUILD_PROGRAMS set to that folder.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join, resolve } from "node:path";
import { commandPath } from "./cli.ts";

const root = resolve(import.meta.dirname, "../..");
const prebuilt = process.env.TRACEDECK_TEST_PROGRAMS;
const ahead = process.env.TRACEDECK_BUILD_PROGRAMS;
const store = prebuilt ?? ahead ?? join(root, "node_modules/.cache/tracedeck-test");

/** Whether this machine, or the host that built ahead, has something to build with. */
function has(what: string, found: () => boolean): boolean {
  const mark = join(store, `has-${what}`);
  if (prebuilt) return existsSync(mark);
  if (!found()) return false;
  if (ahead) writeFileSync(mark, "");
  return true;
}

/** Whether programs of this compiler can be had. */
export const canBuildWith = (compiler: string): boolean =>
  has(compiler, () => commandPath(compiler) !== undefined);

/** Whether C programs can be had. */
export const canCompile = canBuildWith("gcc");

const INCLUDE = ["/usr/include", "/usr/include/x86_64-linux-gnu", "/usr/include/aarch64-linux-gnu"];
/** Whether C programs that include sys/sdt.h can be had. */
export const canCompileUsdt =
  canCompile && has("sdt.h", () => INCLUDE.some((folder) => existsSync(join(folder, "sys/sdt.h"))));

/** A program, built when `path` is first read. Reading it throws where there is no compiler. */
export interface Program {
  readonly path: string;
}

function declare(name: string, key: string, build: (to: string) => void): Program {
  const folder = join(store, createHash("sha256").update(key).digest("hex").slice(0, 16));
  const path = join(folder, name);
  let ready = false;
  const program = {
    get path(): string {
      if (ready) return path;
      if (prebuilt) {
        if (!existsSync(path)) throw new Error(`${name} was not built ahead: declare it outside of tests`);
      } else {
        mkdirSync(folder, { recursive: true });
        const fresh = `${path}.${process.pid}${extname(name)}`;
        build(fresh);
        renameSync(fresh, path);
      }
      ready = true;
      return path;
    },
  };
  if (ahead) {
    try {
      program.path;
    } catch (error) {
      console.error(`${name} is not built ahead: ${(error as Error).message}`);
    }
  }
  return program;
}

export interface CompileOptions {
  /** The program's file name, and so its comm; by default the source's without extension. */
  name?: string;
  /** More arguments of the compiler; -O1 comes before them. */
  flags?: readonly string[];
  /** By default gcc. */
  compiler?: string;
  /** A shell command for the built program "$OUT", in its folder: to strip it, or to take it apart. */
  after?: string;
}

/** A program of a source file (an absolute path) or of C source text. */
export function cProgram(source: string, options: CompileOptions = {}): Program {
  const { flags = [], compiler = "gcc", after } = options;
  const isFile = isAbsolute(source) && !source.includes("\n");
  const name = options.name ?? (isFile ? basename(source, extname(source)) : "traced");
  const text = isFile ? readFileSync(source, "utf8") : source;
  return declare(name, JSON.stringify([compiler, flags, name, text, after]), (to) => {
    const input = isFile ? source : `${to}.c`;
    if (!isFile) writeFileSync(input, text);
    const stdio: ["ignore", "inherit", "inherit"] = ["ignore", "inherit", "inherit"];
    execFileSync(compiler, ["-O1", "-o", to, input, ...flags], { stdio });
    if (after)
      execFileSync("sh", ["-ec", after], { stdio, cwd: dirname(to), env: { ...process.env, OUT: to } });
  });
}

/**
 * A program for Node as one module, koffi apart, of a source file (a path from the project's root) or of source text that
 * imports as if it lay there.
 */
export function nodeProgram(source: string): Program {
  const isText = source.includes("\n");
  return declare("program.mjs", source, (to) => {
    const options = ["--bundle", "--platform=node", "--format=esm", "--target=node20", "--external:koffi"];
    execFileSync(
      join(root, "node_modules/.bin/esbuild"),
      [...(isText ? [] : [source]), `--outfile=${to}`, ...options, "--log-level=error"],
      { cwd: root, input: isText ? source : "", stdio: ["pipe", "inherit", "inherit"] },
    );
  });
}
