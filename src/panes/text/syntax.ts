/** The colours of a script, the same wherever one is shown. */
import type { SyntaxStyle } from "../../syntax/highlight.ts";
import type { Role } from "./role.ts";

export const SYNTAX_ROLES: Record<SyntaxStyle, Role> = {
  comment: "comment",
  keyword: "keyword",
  provider: "keyword",
  probe: "probe",
  string: "string",
  escape: "number",
  number: "number",
  variable: "variable",
  map: "map",
  parameter: "variable",
  function: "function",
  builtin: "builtin",
  type: "type",
  directive: "comment",
  operator: "operator",
  plain: "text",
  error: "error",
};
