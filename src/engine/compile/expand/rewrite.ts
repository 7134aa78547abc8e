/**
 * Walks a tree and builds it anew. A pass overrides what it changes; everything else is copied with its children
 * rewritten. Variables, maps and types have hooks of their own, because macros rename them wherever they stand.
 */
import type { Block, Expression, Statement, TypeArgument, TypeName } from "../ast.ts";

export abstract class Rewriter {
  variableName(name: string, _span: Expression["span"]): string {
    return name;
  }

  mapName(name: string, _span: Expression["span"]): string {
    return name;
  }

  block(block: Block): Block {
    const statements = block.statements.map((statement) => this.statement(statement));
    const result: Block = { statements, span: block.span };
    if (block.result) result.result = this.expression(block.result);
    return result;
  }

  type(type: TypeName): TypeName {
    const result: TypeName = {
      ...type,
      modifiers: type.modifiers.map((m) =>
        m.kind === "array" && m.length ? { kind: "array", length: this.expression(m.length) } : m,
      ),
    };
    if (type.typeof)
      result.typeof = isExpression(type.typeof) ? this.expression(type.typeof) : this.type(type.typeof);
    return result;
  }

  argument(argument: Expression | TypeArgument): Expression | TypeArgument {
    return argument.kind === "type"
      ? { ...argument, type: this.type(argument.type) }
      : this.expression(argument);
  }

  statement(s: Statement): Statement {
    switch (s.kind) {
      case "expression":
      case "discard":
        return { ...s, expression: this.expression(s.expression) };
      case "assign": {
        const value = this.expression(s.value);
        return { ...s, target: this.expression(s.target), value };
      }
      case "let": {
        const result = { ...s };
        if (s.value) result.value = this.expression(s.value);
        if (s.type) result.type = this.type(s.type);
        result.name = this.variableName(s.name, s.span);
        return result;
      }
      case "if": {
        const result = { ...s };
        result.condition = this.expression(s.condition);
        result.then = this.block(s.then);
        if (s.else) result.else = this.block(s.else);
        return result;
      }
      case "unroll":
        return { ...s, count: this.expression(s.count), body: this.block(s.body) };
      case "while":
        return { ...s, condition: this.expression(s.condition), body: this.block(s.body) };
      case "for-range":
        return {
          ...s,
          start: this.expression(s.start),
          end: this.expression(s.end),
          variable: this.variableName(s.variable, s.span),
          body: this.block(s.body),
        };
      case "for-map":
        return {
          ...s,
          map: this.expression(s.map),
          variable: this.variableName(s.variable, s.span),
          body: this.block(s.body),
        };
      case "block":
        return { ...s, body: this.block(s.body) };
      case "return":
        return s.value ? { ...s, value: this.expression(s.value) } : s;
      case "break":
      case "continue":
      case "error":
        return s;
    }
  }

  expression(e: Expression): Expression {
    switch (e.kind) {
      case "integer":
      case "string":
      case "boolean":
      case "identifier":
      case "positional":
      case "error":
        return e;
      case "variable":
        return { ...e, name: this.variableName(e.name, e.span) };
      case "map": {
        const name = this.mapName(e.name, e.span);
        return e.key ? { ...e, name, key: this.expression(e.key) } : { ...e, name };
      }
      case "call":
        return { ...e, arguments: e.arguments.map((argument) => this.argument(argument)) };
      case "unary":
        return { ...e, operand: this.expression(e.operand) };
      case "increment":
        return { ...e, target: this.expression(e.target) };
      case "binary":
        return { ...e, left: this.expression(e.left), right: this.expression(e.right) };
      case "ternary": {
        const result = { ...e };
        result.condition = this.expression(e.condition);
        result.then = this.expression(e.then);
        result.else = this.expression(e.else);
        return result;
      }
      case "cast":
        return { ...e, type: this.type(e.type), operand: this.expression(e.operand) };
      case "field":
        return { ...e, base: this.expression(e.base) };
      case "index":
        return { ...e, base: this.expression(e.base), index: this.expression(e.index) };
      case "tuple":
        return { ...e, elements: e.elements.map((element) => this.expression(element)) };
      case "record":
        return { ...e, fields: e.fields.map(({ name, value }) => ({ name, value: this.expression(value) })) };
      case "sizeof":
      case "offsetof":
        return { ...e, of: this.argument(e.of) };
      case "block":
        return { ...e, body: this.block(e.body) };
      case "if-expression": {
        const result = { ...e };
        result.condition = this.expression(e.condition);
        result.then = this.block(e.then);
        if (e.else) result.else = this.block(e.else);
        return result;
      }
    }
  }
}

/** Tells an expression from a type name; both have spans, only expressions have a kind. */
export function isExpression(node: Expression | TypeName): node is Expression {
  return "kind" in node;
}
