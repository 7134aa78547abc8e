/** skboutput(): packets into a file, by the kernel's bpf_skb_output (5.5), which takes packets that BTF vouches for only. */
import { programTypeOf } from "../../lower/attach.ts";
import { INT64, UINT64 } from "../../types.ts";
import { findField } from "../access.ts";
import { convert } from "../convert.ts";
import { describe } from "../describe.ts";
import { isUnknown } from "../promote.ts";
import { type CheckValue, integer, literalInteger, literalText, op, value } from "./call.ts";

/** Packets have less. */
const FARTHEST = 65535n;

export const skbOutput: CheckValue = (call, cx) => {
  const path = literalText(call, 0, cx);
  const skb = value(call, 1, cx);
  const length = integer(call, 2, cx);
  const offset = literalInteger(call, 3, cx);
  if (path === undefined || offset === undefined || isUnknown(skb.type) || isUnknown(length.type))
    return cx.unknown(call.span);
  if (path === "")
    return cx.fail("argument-range", call.arguments[0].span, "skboutput() needs the path of a file");
  if (offset < 0n || offset > FARTHEST)
    return cx.fail(
      "argument-range",
      call.arguments[3].span,
      `an offset is from 0 to ${FARTHEST}, and this is ${offset}`,
    );
  const { type } = skb;
  if (type.kind !== "pointer" || type.to.kind !== "struct" || type.to.name !== "sk_buff")
    return cx.fail(
      "argument-type",
      skb.span,
      `argument 2 of skboutput() is struct sk_buff *, and this is ${describe(type)}`,
      type.kind === "int" ? "cast it: (struct sk_buff *)arg0" : undefined,
    );
  const lengthAt = findField(type.to, "len")?.offset;
  if (programTypeOf(cx.group.probes[0].attach, true) !== "tracing" || lengthAt === undefined)
    return cx.fail(
      "not-here",
      call.span,
      "skboutput() needs the types of the kernel (BTF), which this one has not, or not for this probe",
      "fentry, fexit and rawtracepoint have them where /sys/kernel/btf/vmlinux is",
    );
  return op("skboutput", [skb, convert(length, UINT64) ?? length], INT64, call.span, {
    path,
    offset: Number(offset),
    lengthAt,
  });
};
