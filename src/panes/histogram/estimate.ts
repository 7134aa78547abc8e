import { shortValue, type Unit } from "../values/index.ts";
import type { Estimate } from "./quantile.ts";

/** An estimate in a few cells: "1.2ms", "<0", "≥1.0K". */
export function estimateText(estimate: Estimate | undefined, unit: Unit, unicode: boolean): string {
  if (!estimate) return "-";
  const sign = { estimate: "", below: "<", above: unicode ? "≥" : ">=" }[estimate.bound];
  return sign + shortValue(Math.round(estimate.value), unit, unicode);
}
