// The golden messages of docs/PROTOCOL.md, which the Go tests read too.
import { create, fromBinary, fromJson, toBinary, toJson, type JsonValue } from "@bufbuild/protobuf";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { ClientMessageSchema, ServerMessageSchema } from "../gen/play/play_pb";
import { decode, encode, type Outgoing } from "../play/protocol";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../../actors/play/testdata");

interface Golden { name: string; from: "server" | "browser"; note: string; json: JsonValue }
const all = JSON.parse(readFileSync(join(folder, "golden.json"), "utf8")) as Golden[];
const bytesOf = (name: string) => new Uint8Array(readFileSync(join(folder, `${name}.bin`)));

test("every golden file is listed", () => {
  const files = readdirSync(folder).filter((f) => f.endsWith(".bin")).map((f) => f.replace(".bin", ""));
  expect(all.map((g) => g.name).sort()).toEqual(files.sort());
});

test.each(all.filter((g) => g.from === "server"))("from the server: $name", ({ name, json }) => {
  const bytes = bytesOf(name);
  const message = decode(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
  expect(toJson(ServerMessageSchema, message)).toEqual(toJson(ServerMessageSchema, fromJson(ServerMessageSchema, json)));
  expect(message.kind.case, "a kind that the page knows").toBeDefined();
});

test.each(all.filter((g) => g.from === "browser"))("from the browser: $name", ({ name, json }) => {
  const message = fromJson(ClientMessageSchema, json);
  const kind = message.kind.case ? ({ case: message.kind.case, value: message.kind.value } as Outgoing) : undefined;
  expect(kind).toBeDefined();
  expect([...encode(kind!)], "the same bytes as the server's own encoder writes").toEqual([...bytesOf(name)]);
  expect(toJson(ClientMessageSchema, fromBinary(ClientMessageSchema, bytesOf(name)))).toEqual(toJson(ClientMessageSchema, message));
});

test("kinds and fields that a newer server adds are ignored", () => {
  const known = toBinary(ServerMessageSchema, create(ServerMessageSchema, { kind: { case: "notice", value: { text: "hello" } } }));
  const extra = [0xf2, 0x01, 0x02, 0x08, 0x01]; // field 30, a message
  const both = new Uint8Array([...extra, ...known]);
  expect(decode(both.buffer).kind.case).toBe("notice");
  expect(decode(new Uint8Array(extra).buffer).kind.case).toBeUndefined();
});
