export { tokenize } from "../../../syntax/lexer.ts";
export { bytesToText, textToBytes } from "./bytes.ts";
export { parseNumber } from "./literals.ts";
export { splitProbe } from "./probe-spec.ts";
export { type ParseResult, parseScript } from "./script.ts";
export { asStatement, asStatements } from "./statements.ts";
