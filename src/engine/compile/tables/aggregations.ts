/** Map value functions: what only a map can hold, updated on every call. */
import * as maps from "../check/functions/maps.ts";
import type { FunctionRow } from "./rows.ts";

export const AGGREGATIONS: readonly FunctionRow[] = [
  {
    name: "count",
    signatures: ["@m = count()"],
    help: "Counts the calls, per CPU and without losing any.",
    arguments: [0, 0],
    aggregate: maps.count,
  },
  {
    name: "sum",
    signatures: ["@m = sum(int64 n)"],
    help: "Adds up n, per CPU and without losing any.",
    arguments: [1, 1],
    aggregate: maps.sum,
  },
  {
    name: "avg",
    signatures: ["@m = avg(int64 n)"],
    help: "The average of n.",
    arguments: [1, 1],
    aggregate: maps.avg,
  },
  {
    name: "stats",
    signatures: ["@m = stats(int64 n)"],
    help: "Count, average and total of n.",
    arguments: [1, 1],
    aggregate: maps.stats,
  },
  {
    name: "min",
    signatures: ["@m = min(int64 n)"],
    help: "The smallest n seen.",
    arguments: [1, 1],
    aggregate: maps.min,
  },
  {
    name: "max",
    signatures: ["@m = max(int64 n)"],
    help: "The largest n seen.",
    arguments: [1, 1],
    aggregate: maps.max,
  },
  {
    name: "hist",
    signatures: ["@m = hist(int64 n)", "@m = hist(int64 n, const int k)"],
    help: "A histogram of n by powers of two, each split into 2^k buckets (k from 0 to 5).",
    arguments: [1, 2],
    aggregate: maps.hist,
  },
  {
    name: "lhist",
    signatures: ["@m = lhist(int64 n, const int min, const int max, const int step)"],
    help: "A histogram of n in equal steps from min to max, with a bucket for what is below and one for what is above.",
    arguments: [4, 4],
    aggregate: maps.lhist,
  },
  {
    name: "tseries",
    signatures: ["@m = tseries(int64 n, const int interval, const int intervals [, const string agg])"],
    help: "n over time: one value per interval, the last that many intervals kept; agg is avg, max, min or sum.",
    arguments: [3, 4],
    aggregate: maps.tseries,
  },
];
