import { Clock } from "../play/clock";
import { rate, type Level } from "../play/health";
import { now } from "../play/pinger";
import { decode, encode, micros, millis } from "../play/protocol";

export interface Outcome {
  level: Level | "none";
  text: string;
}

const rounds = 10;
const gap = 60; // ms between an answer and the next question
const patience = 8000; // ms for all of it

const failed: Outcome = {
  level: "none",
  text: "No answer. Check that you are online. Some networks of companies and schools block live connections: try another one, or your phone.",
};

// check asks the server ten times over the protocol that play uses, and says
// what the connection is good for.
export async function check(path: string): Promise<Outcome> {
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const clock = await measure(url.href);
  return clock ? describe(clock) : failed;
}

// describe puts a measurement into words.
export function describe(clock: Pick<Clock, "typical" | "spread">): Outcome {
  if (clock.typical === undefined) return failed;
  const health = rate(clock.typical, clock.spread);
  const word = health.word.charAt(0).toUpperCase() + health.word.slice(1);
  return { level: health.level, text: `${word}: an answer takes ${Math.max(1, Math.round(clock.typical))} ms. ${health.advice || "You are ready to play."}` };
}

function measure(url: string): Promise<Clock | undefined> {
  return new Promise((resolve) => {
    const clock = new Clock();
    let count = 0;
    const ws = new WebSocket(url);
    ws.binaryType = "arraybuffer";
    const finish = (result: Clock | undefined) => {
      window.clearTimeout(limit);
      ws.onclose = null;
      ws.close();
      resolve(result);
    };
    const limit = window.setTimeout(() => finish(count > 2 ? clock : undefined), patience);
    const ask = () => ws.readyState === 1 && ws.send(encode({ case: "ping", value: { id: BigInt(++count), clientTimeUs: micros(now()) } }));
    ws.onopen = ask;
    ws.onclose = () => finish(undefined);
    ws.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      const kind = decode(event.data).kind;
      if (kind.case !== "pong") return;
      clock.add(millis(kind.value.clientTimeUs), now(), millis(kind.value.serverTimeUs));
      if (count >= rounds) finish(clock);
      else window.setTimeout(ask, gap);
    };
  });
}
