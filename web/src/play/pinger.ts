import { Clock } from "./clock";
import { micros, millis, type Outgoing } from "./protocol";
import type { Pong } from "../gen/play/play_pb";

const fast = 3; // the first few come quickly, so that countdowns are right at once
const fastEvery = 250; // ms
const every = 2000;

// now is UTC in ms by the browser's clock, finer than Date.now and never set
// back while the page is open.
export function now(): number {
  return performance.timeOrigin + performance.now();
}

// Pinger measures the connection for as long as it lives.
export class Pinger {
  readonly clock = new Clock();
  private id = 0n;
  private timer = 0;

  constructor(
    private readonly send: (kind: Outgoing) => void,
    private readonly measured: () => void,
  ) {}

  // start begins anew with the fast exchanges.
  start(): void {
    this.stop();
    let left = fast;
    const beat = () => {
      this.ping();
      this.timer = window.setTimeout(beat, --left > 0 ? fastEvery : every);
    };
    beat();
  }

  stop(): void {
    window.clearTimeout(this.timer);
  }

  pong(pong: Pong): void {
    this.clock.add(millis(pong.clientTimeUs), now(), millis(pong.serverTimeUs));
    this.measured();
  }

  // ask sends one exchange more, out of turn.
  ask(): void {
    this.ping();
  }

  private ping(): void {
    const { offset, rtt } = this.clock;
    const value = { id: ++this.id, clientTimeUs: micros(now()), offsetUs: micros(offset), rttUs: Math.round((rtt ?? 0) * 1000) };
    this.send({ case: "ping", value });
  }
}
