import { beforeEach, expect, test } from "vitest";
import { Inputs } from "../play/inputs";
import type { Outgoing } from "../play/protocol";

interface Sent { seq: bigint; keys: string[]; stepSeen: bigint; episode: number; text?: string; clientTimeUs: bigint }

let sent: Sent[], held: string[], online: boolean, clock: bigint, waiting: (() => void)[], inputs: Inputs;

beforeEach(() => {
  sent = []; held = []; online = true; clock = 1_700_000_000_000_000n; waiting = [];
  inputs = new Inputs({
    send: (kind: Outgoing) => { if (online) sent.push(kind.value as unknown as Sent); return online; },
    seen: () => ({ episode: 2, step: 41n }),
    now: () => clock,
    later: (f) => waiting.push(f),
  }, () => held);
  inputs.welcome(7n, 120);
});

function hold(...keys: string[]): void {
  held = keys;
  inputs.keysChanged();
}

test("every change is sent with the number, the picture seen and the time", () => {
  hold("ArrowLeft");
  hold();
  expect(sent).toEqual([
    { seq: 7n, keys: ["ArrowLeft"], stepSeen: 41n, episode: 2, clientTimeUs: clock },
    { seq: 8n, keys: [], stepSeen: 41n, episode: 2, clientTimeUs: clock },
  ]);
});

test("nothing is queued while the connection is away", () => {
  online = false;
  hold("a");
  hold();
  online = true;
  inputs.welcome(9n, 120);
  expect(sent).toEqual([]);
  hold("b");
  expect(sent.map((s) => [s.seq, s.keys])).toEqual([[9n, ["b"]]]);
});

test("keys light up when the server has used them, each input once", () => {
  hold("a");
  hold("a", "b");
  hold();
  expect(inputs.used(7n)).toEqual(["a"]);
  expect(inputs.used(7n)).toEqual([]);
  expect(inputs.used(9n)).toEqual(["a", "b"]);
});

test("more changes than the server takes are merged into the last state", () => {
  for (let i = 0; i < 150; i++) hold(...(i % 2 === 0 ? ["a"] : []));
  expect(sent.length).toBe(110);
  expect(waiting.length).toBe(1);
  held = ["b"];
  clock += 1_100_000n;
  waiting.pop()!();
  expect(sent.at(-1)!.keys).toEqual(["b"]);
  expect(sent.at(-1)!.seq).toBe(117n);
});

test("a clock that is set back doesn't lock the player out", () => {
  for (let i = 0; i < 110; i++) hold("a");
  clock -= 3_600_000_000n;
  hold("b");
  expect(sent.at(-1)!.keys).toEqual(["b"]);
});

test("a text goes out with the keys that are held", () => {
  held = ["a"];
  expect(inputs.text("hello")).toBe(true);
  expect(sent[0]).toMatchObject({ text: "hello", keys: ["a"] });
  online = false;
  expect(inputs.text("lost")).toBe(false);
});
