/**
 * skboutput(): the kernel copies a packet's bytes behind a header of ours into this CPU's buffer (engine/packets/capture.ts).
 *
 *   u32 capture  u32 bytes asked for  u32 the packet's own length  u32 zero  u64 boot-clock nanoseconds
 */
import { constant, reg, type Value, ZERO } from "../ir/types.ts";
import type { TypedExpression } from "../typed.ts";
import { builtin } from "./builtins.ts";
import type { Cx } from "./context.ts";
import { countGlobal } from "./errors.ts";
import { scalar } from "./expressions.ts";
import { vouchedFor } from "./kfuncs.ts";

const HEADER = 24;
/** A record's size has 16 bits, and is not checked by the kernel: header, sizes, padding. */
const LONGEST = 65536 - HEADER - 64;
const CURRENT_CPU = 0xffffffffn;
/** What a full buffer and a CPU without one give. */
const [ENOSPC, ENOENT] = [-28, -2];

export function skbOutput(cx: Cx, e: Extract<TypedExpression, { op: "call" }>): Value {
  const { b } = cx;
  const [skb, length] = e.arguments;
  const { path, offset, lengthAt } = e.data!;
  const packet = vouchedFor(cx, skb);
  const bytes = b.fresh();
  b.assign(bytes, scalar(cx, length));
  b.when("gt", reg(bytes), constant(LONGEST), () => b.assign(bytes, constant(LONGEST)));
  const header = b.slot(HEADER, "packet");
  const capture = cx.layout.capture({ path: String(path), offset: Number(offset), span: e.span });
  b.store(header, 0, 4, constant(capture));
  b.store(header, 4, 4, reg(bytes));
  b.store(header, 8, 4, b.load(packet, Number(lengthAt), 4));
  b.store(header, 12, 4, ZERO);
  b.store(header, 16, 8, builtin(cx, "nsecs", e.type));
  const flags = b.alu("or", b.alu("lsh", reg(bytes), constant(32)), constant(CURRENT_CPU));
  const map: Value = { kind: "map", map: cx.layout.packetsMap() };
  const status = b.call("skb_output", packet, map, flags, header, constant(HEADER));
  const { packetsLost } = cx.layout.globals;
  for (const error of [ENOSPC, ENOENT])
    b.when("eq", status, constant(error), () => countGlobal(cx, packetsLost), true);
  return status;
}
