// The play socket's messages: every WebSocket message is one of these in binary
// protobuf. docs/PROTOCOL.md is the specification.
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { ClientMessageSchema, ServerMessageSchema, type ServerMessage } from "../gen/play/play_pb";

export const protocolVersion = 1;

// A message that the browser can send, without its envelope.
export type Outgoing = NonNullable<MessageInitShape<typeof ClientMessageSchema>["kind"]>;

export function encode(kind: Outgoing): Uint8Array<ArrayBuffer> {
  return toBinary(ClientMessageSchema, create(ClientMessageSchema, { kind }));
}

// decode throws on what is no message.
export function decode(data: ArrayBuffer): ServerMessage {
  return fromBinary(ServerMessageSchema, new Uint8Array(data));
}

// Why a socket was closed, beyond the codes of the WebSocket protocol itself.
export const CloseCode = {
  normal: 1000,
  goingAway: 1001,
  lost: 1006,
  serverError: 1011,
  replaced: 4001,
  notLoggedIn: 4002,
  notYours: 4003,
  over: 4004,
  tooLarge: 4005,
  malformed: 4006,
  tooMany: 4007,
  stopping: 4008,
  foreign: 4009,
  tooSlow: 4010,
} as const;

// worthReconnecting says whether the same seat may be had again by trying: yes
// after trouble on the way, no after a refusal.
export function worthReconnecting(code: number): boolean {
  return (code < 4000 && code !== CloseCode.normal) || code === CloseCode.stopping;
}

// micros turns a browser's time in milliseconds into the protocol's microseconds.
export function micros(ms: number): bigint {
  return BigInt(Math.round(ms * 1000));
}

// millis is the reverse. Times of this century fit a double to the microsecond.
export function millis(us: bigint): number {
  return Number(us) / 1000;
}
