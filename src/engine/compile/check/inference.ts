/**
 * What is known of a script's maps and variables. The checker runs over the whole script until a round learns nothing
 * new; only then does it report and keep what it makes. Types only ever grow, so this ends.
 */
import type { Span } from "../diagnostic.ts";
import type { MapInfo } from "../typed.ts";
import { type AggregationType, INT64, isAggregation, type Type } from "../types.ts";
import { literalInt, promote, sameFacts, UNKNOWN } from "./promote.ts";

export interface MapFacts {
  name: string;
  /** Undefined: only seen whole (print, clear), so far. */
  keyed: boolean | undefined;
  key: Type;
  value: Type;
  /** First seen here, and first seen with or without a key here. */
  span: Span;
  keyedSpan?: Span;
  declared?: MapInfo["declared"];
  declaredSpan?: Span;
  /** Anything in the script names it, other than its declaration. */
  used: boolean;
  /** Assigned or counted while its type is not known, which may come from itself: `@m = @m + 1`, `@m++`. */
  pending?: boolean;
}

export class Inference {
  readonly maps = new Map<string, MapFacts>();
  /** By group of probes, then by the node that declares the variable. */
  readonly #locals = new Map<object, Map<object, Type>>();
  /** Variables that are counted up or down before anything tells their type. */
  readonly #counted = new Map<object, Set<object>>();
  #infos = new Map<string, MapInfo>();
  /** Conditions of `if comptime` by group and node: what they came to, once they may be asked. */
  readonly #comptime = new Map<object, Map<object, bigint | undefined>>();
  readonly #undecided: [group: object, node: object][] = [];
  changed = false;

  startRound(): void {
    this.changed = false;
    this.#infos = new Map();
  }

  map(name: string, span: Span): MapFacts {
    let facts = this.maps.get(name);
    if (!facts) {
      facts = { name, keyed: undefined, key: UNKNOWN, value: UNKNOWN, span, used: true };
      this.maps.set(name, facts);
      this.changed = true;
    }
    facts.used = true;
    return facts;
  }

  /** Notes a use with or without a key; false: other uses are the other way. */
  use(facts: MapFacts, keyed: boolean, span: Span): boolean {
    if (facts.keyed === undefined) {
      facts.keyed = keyed;
      facts.keyedSpan = span;
      this.changed = true;
    }
    return facts.keyed === keyed;
  }

  growKey(facts: MapFacts, type: Type): boolean {
    const grown = promote(facts.key, type);
    if (!grown) return false;
    if (!sameFacts(grown, facts.key)) {
      facts.key = grown;
      this.changed = true;
    }
    return true;
  }

  growValue(facts: MapFacts, type: Type): boolean {
    if (isAggregation(facts.value) && !isAggregation(type) && type !== UNKNOWN) return false;
    const grown = promote(facts.value, type);
    if (!grown) return false;
    if (!sameFacts(grown, facts.value)) {
      facts.value = grown;
      this.changed = true;
    }
    return true;
  }

  aggregate(facts: MapFacts, type: AggregationType): boolean {
    if (facts.value === UNKNOWN) {
      facts.value = type;
      this.changed = true;
      return true;
    }
    return isAggregation(facts.value) && this.growValue(facts, type);
  }

  local(group: object, declaration: object): Type {
    return this.#locals.get(group)?.get(declaration) ?? UNKNOWN;
  }

  /** Maps and variables that only they themselves give a value count from zero; false: there is none. */
  startPending(): boolean {
    const pending = [...this.maps.values()].filter((facts) => facts.pending && facts.value === UNKNOWN);
    for (const facts of pending) this.growValue(facts, literalInt(0n));
    for (const [group, declarations] of this.#counted)
      for (const declaration of declarations) {
        if (this.local(group, declaration) === UNKNOWN) this.setLocal(group, declaration, INT64);
      }
    return pending.length > 0 || this.changed;
  }

  /**
   * Whether the condition of an `if comptime` may be asked: not before all that does not depend on it is known. If not, both
   * of its branches wait.
   */
  mayDecide(group: object, node: object): boolean {
    if (this.#comptime.get(group)?.has(node)) return true;
    this.#undecided.push([group, node]);
    return false;
  }

  /** Notes what a condition came to; false: something else than before, so that it depends on what it decides. */
  decide(group: object, node: object, known: bigint): boolean {
    const decisions = this.#comptime.get(group);
    const before = decisions?.get(node);
    if (before === undefined) decisions?.set(node, known);
    return before === undefined || before === known;
  }

  /** The conditions that waited may be asked from now on; false: there is none. */
  startDeciding(): boolean {
    for (const [group, node] of this.#undecided) {
      const decisions = this.#comptime.get(group) ?? new Map();
      this.#comptime.set(group, decisions.set(node, undefined));
    }
    const any = this.#undecided.length > 0;
    this.#undecided.length = 0;
    return any;
  }

  countLocal(group: object, declaration: object): void {
    const declarations = this.#counted.get(group);
    if (declarations) declarations.add(declaration);
    else this.#counted.set(group, new Set([declaration]));
  }

  growLocal(group: object, declaration: object, type: Type): boolean {
    const current = this.local(group, declaration);
    const grown = promote(current, type);
    if (!grown) return false;
    if (!sameFacts(grown, current)) {
      this.setLocal(group, declaration, grown);
    }
    return true;
  }

  setLocal(group: object, declaration: object, type: Type): void {
    let locals = this.#locals.get(group);
    if (!locals) {
      locals = new Map();
      this.#locals.set(group, locals);
    }
    if (sameFacts(locals.get(declaration), type)) return;
    locals.set(declaration, type);
    this.changed = true;
  }

  /** The map as code generation sees it; one object per round. */
  info(facts: MapFacts): MapInfo {
    let info = this.#infos.get(facts.name);
    if (!info) {
      info = {
        name: facts.name,
        ...(facts.keyed ? { key: facts.key } : {}),
        value: facts.value,
        ...(facts.declared ? { declared: facts.declared } : {}),
        readInKernel: false,
        span: facts.span,
      };
      this.#infos.set(facts.name, info);
    }
    return info;
  }

  infos(): MapInfo[] {
    return [...this.#infos.values()];
  }
}
