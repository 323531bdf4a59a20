import { create, toBinary } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, test } from "vitest";
import { ServerMessageSchema } from "../gen/play/play_pb";
import { delay } from "../play/backoff";
import { CloseCode, worthReconnecting } from "../play/protocol";
import { PlaySocket, silenceTimeout, type Surroundings } from "../play/socket";

describe("backoff", () => {
  test.each([[0, 250], [1, 500], [2, 1000], [3, 2000], [4, 4000], [5, 5000], [50, 5000]])("attempt %d waits at most %d ms and at least half", (attempt, most) => {
    expect(delay(attempt, 0)).toBe(most / 2);
    expect(delay(attempt, 0.999999)).toBeCloseTo(most, 0);
  });
});

test("only trouble on the way is worth another attempt", () => {
  const worth = Object.entries(CloseCode).filter(([, code]) => worthReconnecting(code)).map(([name]) => name);
  expect(worth.sort()).toEqual(["goingAway", "lost", "serverError", "stopping"]);
});

// FakeSocket is a WebSocket of which the test plays the server.
class FakeSocket {
  readyState = 0;
  sent: unknown[] = [];
  closed = false;
  onopen = () => {};
  onmessage = (_: { data: unknown }) => {};
  onclose = (_: { code: number; reason: string }) => {};
  send(data: unknown) { this.sent.push(data); }
  close() { this.closed = true; this.readyState = 2; }
  open() { this.readyState = 1; this.onopen(); }
  say() {
    const m = toBinary(ServerMessageSchema, create(ServerMessageSchema, { kind: { case: "welcome", value: { protocol: 1 } } }));
    this.onmessage({ data: m.buffer.slice(m.byteOffset, m.byteOffset + m.byteLength) });
  }
  drop(code: number, reason = "") { this.readyState = 3; this.onclose({ code, reason }); }
}

describe("the play socket", () => {
  let made: FakeSocket[], timers: Map<number, { f: () => void; ms: number }>, log: string[], socket: PlaySocket, id = 0;
  const last = () => made.at(-1)!;
  // pass runs the timers that wait exactly ms.
  const pass = (ms: number) => {
    for (const [id, t] of [...timers]) if (t.ms === ms) { timers.delete(id); t.f(); }
  };
  beforeEach(() => {
    made = []; timers = new Map(); log = [];
    const around: Surroundings = {
      open: () => { made.push(new FakeSocket()); return last() as unknown as WebSocket; },
      later: (f, ms) => { timers.set(++id, { f, ms }); return id; },
      cancel: (timer) => void timers.delete(timer),
      random: () => 0,
    };
    socket = new PlaySocket("ws://x", {
      opened: () => log.push("opened"),
      message: (m) => log.push(m.kind.case ?? "?"),
      lost: (attempt, wait) => log.push(`lost ${attempt} ${wait}`),
      refused: (code) => log.push(`refused ${code}`),
    }, around);
    socket.connect();
  });

  test("comes back after a loss, and waits longer each time it fails", () => {
    last().open();
    last().say();
    last().drop(1006);
    pass(125);
    last().drop(1006);
    pass(250);
    last().open();
    last().say();
    last().drop(1006);
    expect(log).toEqual(["opened", "welcome", "lost 1 125", "lost 2 250", "opened", "welcome", "lost 1 125"]);
  });

  test("a refusal ends it", () => {
    last().open();
    last().drop(CloseCode.replaced, "another tab");
    expect(log).toEqual(["opened", "refused 4001"]);
    expect(timers.size).toBe(0);
  });

  test("silence counts as a loss even if the close is never confirmed", () => {
    last().open();
    pass(silenceTimeout);
    expect(made[0]!.closed).toBe(true);
    expect(log).toEqual(["opened", "lost 1 125"]);
    made[0]!.drop(1006); // the late confirmation changes nothing
    expect(log.length).toBe(2);
  });

  test("a network that the browser knows to be gone is a loss at once", () => {
    last().open();
    socket.lostNetwork();
    expect(made[0]!.closed).toBe(true);
    expect(log).toEqual(["opened", "lost 1 125"]);
    socket.lostNetwork(); // there is nothing left to lose
    expect(log.length).toBe(2);
  });

  test("what is sent while there is no connection is dropped", () => {
    expect(socket.send({ case: "leave", value: {} })).toBe(false);
    last().open();
    expect(socket.send({ case: "leave", value: {} })).toBe(true);
    expect(made[0]!.sent.length).toBe(1);
  });

  test("close says nothing and tries nothing", () => {
    last().open();
    socket.close();
    last().drop(1000);
    expect(log).toEqual(["opened"]);
    expect(timers.size).toBe(0);
  });

  test("the network coming back doesn't wait for the timer", () => {
    last().open();
    last().drop(1006);
    socket.retryNow();
    expect(made.length).toBe(2);
    expect(timers.size).toBe(1); // the open timeout alone
  });
});
