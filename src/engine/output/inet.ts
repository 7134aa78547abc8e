/** Network addresses as inet_ntop(3) writes them. */

const AF_INET6 = 10;

const ipv4 = (view: DataView, offset: number): string =>
  `${view.getUint8(offset)}.${view.getUint8(offset + 1)}.${view.getUint8(offset + 2)}.${view.getUint8(offset + 3)}`;

/** RFC 5952: the longest run of two or more zero groups is "::"; mapped and compatible addresses end in IPv4. */
function ipv6(view: DataView, offset: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(offset + i * 2));
  let best = { start: -1, length: 1 };
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > best.length) best = { start: i, length: end - i };
  }
  const embedsIpv4 = best.start === 0 && (best.length === 6 || (best.length === 5 && groups[5] === 0xffff));
  const parts = groups.map((group) => group.toString(16));
  if (embedsIpv4) parts.splice(6, 2, ipv4(view, offset + 12));
  if (best.start < 0) return parts.join(":");
  return `${parts.slice(0, best.start).join(":")}::${parts.slice(best.start + best.length).join(":")}`;
}

/** An inet value: u32 address family, then 16 bytes. */
export const inetText = (view: DataView, offset: number): string =>
  view.getUint32(offset, true) === AF_INET6 ? ipv6(view, offset + 4) : ipv4(view, offset + 4);

/** Six bytes, as macaddr() shows them: "0A:1B:2C:3D:4E:5F". */
export const macText = (view: DataView, offset: number): string =>
  Array.from({ length: 6 }, (_, i) =>
    view
      .getUint8(offset + i)
      .toString(16)
      .toUpperCase()
      .padStart(2, "0"),
  ).join(":");
