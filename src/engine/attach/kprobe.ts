/** Kernel functions: one perf event each, or many by one kprobe_multi link. */
import { attachKprobe, attachKprobeMulti } from "libbpf-ts";
import { type Attacher, attachOf, each } from "./attached.ts";
import { withPerfLinks } from "./tracepoint.ts";

export const kprobe = each(true, (probe, { program }, cookie) => {
  const { function: symbol, offset, address, return: ret } = attachOf(probe, "kprobe");
  return attachKprobe(program, {
    symbol: address === undefined ? symbol : undefined,
    address,
    offset: BigInt(offset),
    ret,
    cookie: withPerfLinks(cookie),
  });
});

export const kprobeMulti: Attacher = ({ program, probes, indexes, cookies }) => {
  const targets = probes.map((probe) => attachOf(probe, "kprobe"));
  const link = attachKprobeMulti(program, {
    symbols: targets.map((target) => target.function),
    cookies: cookies.map(BigInt),
    ret: targets[0].return,
  });
  return [{ link, probes: indexes, slowToClose: false }];
};
