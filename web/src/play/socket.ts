import { delay } from "./backoff";
import { decode, encode, worthReconnecting, type Outgoing } from "./protocol";
import type { ServerMessage } from "../gen/play/play_pb";

export interface SocketEvents {
  // opened: connected; nothing was said yet.
  opened(): void;
  message(m: ServerMessage): void;
  // lost: the connection broke, and the next attempt is in wait ms.
  lost(attempt: number, wait: number): void;
  // refused: closed for good, with the server's code and text.
  refused(code: number, text: string): void;
}

// What PlaySocket needs of its surroundings; tests bring their own.
export interface Surroundings {
  open(url: string): WebSocket;
  later(f: () => void, ms: number): number;
  cancel(timer: number): void;
  random(): number;
}

export const browser: Surroundings = {
  open: (url) => new WebSocket(url),
  later: (f, ms) => window.setTimeout(f, ms),
  cancel: (timer) => window.clearTimeout(timer),
  random: Math.random,
};

// How long an attempt may take before it counts as failed, and how long a
// connection may be silent: the server answers every Ping, and there is one every
// 2 s, so silence is loss.
const openTimeout = 8000;
export const silenceTimeout = 4500;

// PlaySocket keeps one connection to the server and makes a new one when it
// breaks. While there is none, what is sent is dropped: nothing is queued, since
// an old key press must not reach a later moment of the game.
export class PlaySocket {
  private ws: WebSocket | undefined;
  private attempt = 0;
  private timer = 0;
  private watchdog = 0;
  private done = false;

  constructor(
    private readonly url: string,
    private readonly events: SocketEvents,
    private readonly around: Surroundings = browser,
  ) {}

  get connected(): boolean {
    return this.ws?.readyState === 1;
  }

  connect(): void {
    this.around.cancel(this.timer);
    const ws = this.around.open(this.url);
    this.ws = ws;
    ws.binaryType = "arraybuffer";
    this.watch(ws, openTimeout);
    ws.onopen = () => {
      if (this.ws !== ws) return;
      this.watch(ws, silenceTimeout);
      this.events.opened();
    };
    ws.onmessage = (event: MessageEvent<unknown>) => {
      if (this.ws !== ws || !(event.data instanceof ArrayBuffer)) return;
      this.watch(ws, silenceTimeout);
      this.attempt = 0; // a server that speaks is back
      this.events.message(decode(event.data));
    };
    ws.onclose = (event: CloseEvent) => this.closed(ws, event.code, event.reason);
  }

  // send returns whether there was a connection to send on.
  send(kind: Outgoing): boolean {
    if (!this.ws || this.ws.readyState !== 1) return false;
    this.ws.send(encode(kind));
    return true;
  }

  // retryNow tries again at once, where an attempt is being waited for: the
  // browser says that the network is back.
  retryNow(): void {
    if (!this.done && !this.ws) this.connect();
  }

  // lostNetwork takes the connection for lost at once: the browser says so.
  lostNetwork(): void {
    const ws = this.ws;
    if (!ws) return;
    ws.close();
    this.closed(ws, 1006, "");
  }

  // close ends it for good, without an event.
  close(): void {
    this.done = true;
    this.around.cancel(this.timer);
    this.around.cancel(this.watchdog);
    const ws = this.ws;
    this.ws = undefined;
    ws?.close(1000);
  }

  private watch(ws: WebSocket, ms: number): void {
    this.around.cancel(this.watchdog);
    this.watchdog = this.around.later(() => {
      ws.close();
      this.closed(ws, 1006, ""); // a dead network never confirms the close
    }, ms);
  }

  private closed(ws: WebSocket, code: number, text: string): void {
    if (this.done || this.ws !== ws) return;
    this.ws = undefined;
    this.around.cancel(this.watchdog);
    if (!worthReconnecting(code)) {
      this.done = true;
      this.events.refused(code, text);
      return;
    }
    const wait = delay(this.attempt++, this.around.random());
    this.timer = this.around.later(() => this.connect(), wait);
    this.events.lost(this.attempt, wait);
  }
}
