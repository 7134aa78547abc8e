/**
 * The checker: a script and a kernel → a TypedProgram, and every problem on the way.
 *
 * Probes are expanded and grouped first. Then all bodies are checked again and again, silently, until no map's or
 * variable's type grows any more; the last round reports and keeps.
 */
import type { ActionBlock, Expression, FunctionDefinition, ProbeSpec, Script } from "../ast.ts";
import { type Diagnostic, Diagnostics } from "../diagnostic.ts";
import type { CompileOptions } from "../index.ts";
import type { Kernel } from "../kernel.ts";
import { expandProbe } from "../probes/expand.ts";
import { NO_MATCH } from "../probes/request.ts";
import { functionNamed } from "../tables/functions.ts";
import type { ProbeTypeRow } from "../tables/probeTypes.ts";
import type { MapInfo, Probe, TypedAction, TypedProgram } from "../typed.ts";
import { isAggregation } from "../types.ts";
import { readConfig } from "./config.ts";
import { Context, type Passes, type ProbeGroup, type ScriptContext } from "./context.ts";
import { Definitions } from "./definitions.ts";
import { describe } from "./describe.ts";
import { checkExpression } from "./expressions.ts";
import { checkOwn } from "./functions/own.ts";
import { groupProbes, usesOf } from "./group.ts";
import { Inference } from "./inference.ts";
import { didYouMean, someOf } from "./nearest.ts";
import { condition, constantOf } from "./operators.ts";
import { isUnknown } from "./promote.ts";
import { checkBlock, checkBody, checkStatement } from "./statements.ts";

/** Types grow in few steps; more rounds than this would be a bug. */
const MAX_ROUNDS = 40;

const PASSES: Passes = { expression: checkExpression, block: checkBlock, statement: checkStatement };

interface Task {
  action: ActionBlock;
  group: ProbeGroup;
}

export function checkScript(
  script: Script,
  kernel: Kernel,
  options: CompileOptions,
  diagnostics: Diagnostics,
): TypedProgram | undefined {
  const report = new Diagnostics();
  const config = readConfig(script.config, kernel.version, options, report);
  const shared: ScriptContext = {
    kernel,
    options,
    config,
    definitions: new Definitions(kernel),
    inference: new Inference(),
    report,
    assigned: assignedMaps([script.actions, script.functions]),
    functions: new Map(script.functions.map((definition) => [definition.name, definition])),
    final: false,
    settings: new Map(),
  };
  addDefinitions(script, shared);
  declareMaps(script, shared);
  const functions = expandFunctions(script, shared);
  const tasks = expandActions(script, shared);
  const actions = settle(tasks, functions, shared);
  reportDeclaredKinds(shared);
  reportUnknownOptions(script, shared);
  reportNoProbes(script, tasks, shared);
  hand(report, diagnostics);
  if (diagnostics.hasErrors) return undefined;
  return {
    actions,
    maps: mapsInOrder(shared.inference),
    config,
    options: [...shared.settings.values()],
  };
}

function reportNoProbes(script: Script, tasks: readonly Task[], { report, options }: ScriptContext): void {
  if (report.hasErrors || tasks.length > 0) return;
  if (script.actions.length === 0)
    report.error("no-probes", script.span, "the script has no probes", {
      hint: "for example: begin { print(1); }",
    });
  else if (options.mode === undefined || options.mode === "trace") {
    const kinds = script.actions.flatMap(({ probes }) => probes.map(({ text }) => text.split(":")[0].trim()));
    const own = kinds.find((kind) => kind === "test" || kind === "bench");
    report.error(
      "no-probes",
      script.actions[0].probes[0]?.span ?? script.span,
      own ? `${own} probes do not trace` : "no probe of this script exists here",
      own ? { hint: `run them: tracedeck run --${own}` } : {},
    );
  }
}

/** Results are told by the names of test and bench probes. */
function reportRepeatedNames(tasks: readonly Task[], { report }: ScriptContext): void {
  const names = new Set<string>();
  for (const probe of tasks.flatMap(({ group }) => group.probes)) {
    if (probe.attach.kind !== "test" && probe.attach.kind !== "bench") continue;
    if (names.has(probe.name)) report.error("redeclared", probe.span, `there are two probes ${probe.name}`);
    names.add(probe.name);
  }
}

/** Repeated bodies report the same problem again: once is enough. */
function hand(from: Diagnostics, to: Diagnostics): void {
  const seen = new Set<string>();
  const key = (d: Diagnostic) => `${d.code} ${d.span.file ?? 0} ${d.span.start} ${d.span.end}`;
  for (const diagnostic of from.list) {
    const id = `${key(diagnostic)} ${diagnostic.code.startsWith("unknown-arg") ? "" : diagnostic.message}`;
    if (seen.has(id)) continue;
    seen.add(id);
    to.list.push(diagnostic);
  }
}

/** A group to check constants in, where there is no probe. */
const NO_PROBE: ProbeGroup = {
  row: {
    name: "begin",
    aliases: [],
    syntax: [],
    help: "",
    space: "kernel",
    expand: () => [],
  },
  probes: [{ name: "begin", attach: { kind: "begin" }, span: { start: 0, end: 0 } }],
  named: false,
};

function addDefinitions(script: Script, shared: ScriptContext): void {
  shared.definitions.add(script.definitions, new Context(shared, NO_PROBE, PASSES));
}

const MAP_TYPES = ["hash", "lruhash", "percpuhash", "percpulruhash"] as const;

function declareMaps(script: Script, shared: ScriptContext): void {
  const { inference, report } = shared;
  const cx = new Context(shared, NO_PROBE, PASSES);
  for (const declaration of script.mapDeclarations) {
    const facts = inference.map(declaration.name, declaration.span);
    if (facts.declared) {
      report.error("redeclared", declaration.span, `${declaration.name} is declared twice`);
      continue;
    }
    const mapType = MAP_TYPES.find((name) => name === declaration.mapType);
    if (!mapType) {
      report.error("unknown-map-type", declaration.span, `there is no map type ${declaration.mapType}`, {
        hint: `map types are ${MAP_TYPES.join(", ")}`,
      });
      continue;
    }
    const [size] = declaration.arguments;
    const maxEntries = size && declaration.arguments.length === 1 ? cx.constant(size) : undefined;
    if (maxEntries === undefined || maxEntries < 1n || maxEntries > 0xffffffffn) {
      report.error(
        "argument-range",
        declaration.span,
        `${mapType}() takes the most entries it can hold: ${mapType}(1000)`,
      );
      continue;
    }
    facts.declared = { mapType, maxEntries: Number(maxEntries) };
    facts.declaredSpan = declaration.span;
    facts.used = false;
  }
}

function expandActions(script: Script, shared: ScriptContext): Task[] {
  const { kernel, options, config, report } = shared;
  const tasks: Task[] = [];
  let total = 0;
  for (const action of script.actions) {
    const alone = action.probes.length === 1;
    const byRow = new Map<ProbeTypeRow, Probe[]>();
    const reported = report.list.length;
    for (const spec of action.probes)
      for (const { row, probes } of expandProbe(spec, kernel, options, config, report, alone)) {
        total += probes.length;
        if (total > config.maxProbes) {
          if (total - probes.length <= config.maxProbes) reportTooMany(spec, total, shared);
          continue;
        }
        const known = byRow.get(row) ?? [];
        const names = new Set(known.map((probe) => probe.name));
        byRow.set(row, [...known, ...probes.filter((probe) => !names.has(probe.name))]);
      }
    if (config.missingProbes === "error" && [...byRow.values()].every((probes) => probes.length === 0))
      for (const problem of report.list.slice(reported))
        if (problem.code === NO_MATCH) problem.severity = "error";
    const uses = usesOf(action);
    for (const [row, probes] of byRow)
      for (const group of groupProbes(row, probes, uses, (one) => new Context(shared, one, PASSES)))
        tasks.push({ action, group });
  }
  reportMixedIterators(tasks, shared);
  reportRepeatedNames(tasks, shared);
  if (tasks.length > config.maxBpfProgs)
    report.error(
      "too-many-programs",
      script.span,
      `the script needs ${tasks.length} programs, and max_bpf_progs is ${config.maxBpfProgs}`,
      {
        hint: "probes share a program unless their arguments lie differently or the body compares their names",
      },
    );
  return tasks;
}

function reportTooMany(spec: ProbeSpec, total: number, { config, report }: ScriptContext): void {
  report.error(
    "too-many-probes",
    spec.span,
    `this brings the script to ${total} probes, and max_probes is ${config.maxProbes}`,
    { hint: `allow more with config = { max_probes=${total} }, or match fewer` },
  );
}

/** Probes that may stand beside an iterator: they do not wait for anything. */
const BESIDE_ITERATORS = new Set(["iter", "begin", "end", "self"]);

function reportMixedIterators(tasks: readonly Task[], shared: ScriptContext): void {
  const iterator = tasks.find(({ group }) => group.row.name === "iter");
  const other = tasks.find(({ group }) => !BESIDE_ITERATORS.has(group.row.name));
  if (iterator && other)
    shared.report.error(
      "iterator-alone",
      iterator.group.probes[0].span,
      `an iterator cannot be mixed with ${other.group.row.name} probes`,
      { hint: "it runs once and the script ends; begin and end may stand beside it" },
    );
}

interface OwnFunction {
  definition: FunctionDefinition;
  group: ProbeGroup;
}

/** The script's functions, each in a group of its own: they are checked for themselves, whoever calls them. */
function expandFunctions(script: Script, { report }: ScriptContext): OwnFunction[] {
  const names = new Set<string>();
  return script.functions.map((definition) => {
    const { name, span } = definition;
    if (names.has(name)) report.error("redeclared", span, `there are two functions ${name}`);
    else if (functionNamed(name)) report.error("redeclared", span, `there is a function ${name} already`);
    names.add(name);
    return { definition, group: { ...NO_PROBE, row: { ...NO_PROBE.row, name: "fn" } } };
  });
}

function checkFunction({ definition, group }: OwnFunction, shared: ScriptContext): void {
  checkOwn(definition, new Context(shared, group, PASSES));
}

/** Rounds until nothing is learnt, then the one that counts. */
function settle(
  tasks: readonly Task[],
  functions: readonly OwnFunction[],
  shared: ScriptContext,
): TypedAction[] {
  const { report } = shared;
  shared.report = new Diagnostics();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    shared.inference.startRound();
    for (const own of functions) checkFunction(own, shared);
    for (const task of tasks) checkAction(task, shared);
    const { inference } = shared;
    if (!inference.changed && !inference.startPending() && !inference.startDeciding()) break;
  }
  shared.report = report;
  shared.final = true;
  shared.inference.startRound();
  for (const own of functions) checkFunction(own, shared);
  shared.inference.startRound();
  return tasks.flatMap((task) => checkAction(task, shared) ?? []);
}

function checkAction({ action, group }: Task, shared: ScriptContext): TypedAction | undefined {
  const cx = new Context(shared, group, PASSES);
  let predicate = action.predicate && condition(action.predicate, cx);
  if (predicate) {
    const known = constantOf(predicate);
    if (known === 0n) return undefined;
    if (known !== undefined || isUnknown(predicate.type)) predicate = undefined;
  }
  const body = checkBody(action.body, cx);
  return { probes: group.probes, ...(predicate ? { predicate } : {}), body, span: action.span };
}

function assignedMaps(node: unknown, into = new Set<string>()): Set<string> {
  if (Array.isArray(node)) for (const item of node) assignedMaps(item, into);
  else if (typeof node === "object" && node !== null) {
    const { kind, target } = node as { kind?: string; target?: Expression };
    if ((kind === "assign" || kind === "increment") && target?.kind === "map") into.add(target.name);
    for (const value of Object.values(node)) if (typeof value === "object") assignedMaps(value, into);
  }
  return into;
}

/** `--name` on the command line that no getopt() asks for. */
function reportUnknownOptions(script: Script, { options, settings, report }: ScriptContext): void {
  const first = script.actions[0]?.probes[0]?.span ?? script.span;
  for (const name of Object.keys(options.named ?? {})) {
    if (settings.has(name)) continue;
    const known = [...settings.keys()].map((option) => `--${option}`);
    report.error("unknown-option", first, `the script has no option --${name}`, {
      hint: didYouMean(`--${name}`, known) ?? (known.length ? `it has ${someOf(known)}` : undefined),
    });
  }
}

/** A declared kind of map that cannot hold what the script puts in it. */
function reportDeclaredKinds({ inference, report }: ScriptContext): void {
  for (const facts of inference.maps.values()) {
    if (!facts.declared) continue;
    if (isUnknown(facts.value)) {
      if (!facts.used)
        report.warning("unused-map", facts.declaredSpan!, `${facts.name} is declared and not used`);
      continue;
    }
    const perCpu = facts.declared.mapType.startsWith("percpu");
    if (perCpu === isAggregation(facts.value)) continue;
    const { mapType } = facts.declared;
    const other = perCpu ? mapType.slice("percpu".length) : `percpu${mapType}`;
    report.error(
      "map-type",
      facts.declaredSpan ?? facts.span,
      `${facts.name} is a ${mapType}, and holds ${describe(facts.value)}`,
      {
        hint: `${perCpu ? "only count() and its kind are" : "count() and its kind are"} kept per CPU: declare it as ${other}`,
      },
    );
  }
}

/** As first seen in the script. A map that is only declared, printed or cleared holds nothing and is left out. */
function mapsInOrder(inference: Inference): MapInfo[] {
  return inference.infos().filter((info) => !isUnknown(info.value));
}
