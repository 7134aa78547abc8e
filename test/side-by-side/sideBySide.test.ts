/** The same script on the same work in Debian's bpftrace and in tracedeck gives the same output. */
import { describe } from "vitest";
import { canCompare, sameAnswers } from "./compare.ts";
import { ONE_LINERS } from "./oneLiners.ts";

describe.skipIf(!canCompare)("side by side with bpftrace", () => sameAnswers(ONE_LINERS));
