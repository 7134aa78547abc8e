/** An engine in this process, behind the same link: messages are handed over as they are, one turn later. */
import { Engine } from "../engine.ts";
import { liveKernel } from "../kernel/live.ts";
import { PROTOCOL_VERSION } from "../protocol.ts";
import type { EngineEvents, EngineLink } from "./client.ts";

export function localEngine(events: Pick<EngineEvents, "message">): EngineLink {
  let closed = false;
  const engine = new Engine({
    kernel: liveKernel(),
    send: (message) =>
      setImmediate(() => {
        if (!closed) events.message(message);
      }),
    ready: () => true,
  });
  const link: EngineLink = {
    send: (message) => setImmediate(() => engine.receive(message)),
    close: () => {
      closed = true;
      engine.close();
    },
  };
  link.send({ kind: "hello", version: PROTOCOL_VERSION });
  return link;
}
