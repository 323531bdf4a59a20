import type { Outgoing } from "./protocol";

// What an Input says beside the keys.
export interface Seen {
  episode: number;
  step: bigint;
}

export interface InputContext {
  send(kind: Outgoing): boolean;
  seen(): Seen; // the picture on screen
  now(): bigint; // the browser's clock, µs
  later(f: () => void, ms: number): void;
}

// Below the server's limit, so that a clock that runs a little fast is no offence.
const margin = 10;
// Inputs that the server has not used after so many newer ones never light up.
const remembered = 64;

// Inputs numbers what the player does and sends it, and remembers it until the
// server says that a step has used it.
export class Inputs {
  private seq = 1n;
  private limit = 110;
  private sentAt: number[] = []; // ms, of the last second
  private later = false; // a state of the keys waits for its turn
  private readonly pending = new Map<bigint, string[]>();

  constructor(
    private readonly context: InputContext,
    private readonly held: () => string[],
  ) {}

  // welcome continues the numbering as the server has it.
  welcome(nextSeq: bigint, maxPerSecond: number): void {
    this.seq = nextSeq > 0n ? nextSeq : 1n;
    if (maxPerSecond > 0) this.limit = Math.max(1, maxPerSecond - margin);
    this.pending.clear();
    this.sentAt = [];
  }

  // keysChanged sends what is held now. More changes than the server takes are
  // merged: the last state goes out as soon as there is room.
  keysChanged(): void {
    if (this.later) return;
    if (!this.room()) {
      this.later = true;
      this.context.later(() => {
        this.later = false;
        this.keysChanged();
      }, 50);
      return;
    }
    this.deliver(this.held(), undefined);
  }

  // text returns whether it was sent.
  text(text: string): boolean {
    return this.room() && this.deliver(this.held(), text);
  }

  // used returns the keys of the inputs that the server has used by now and
  // that were not reported before.
  used(newest: bigint): string[] {
    const keys = new Set<string>();
    for (const [seq, held] of this.pending) {
      if (seq > newest) break;
      held.forEach((k) => keys.add(k));
      this.pending.delete(seq);
    }
    return [...keys];
  }

  private room(): boolean {
    const now = Number(this.context.now() / 1000n);
    // a clock that was set back must not lock the player out
    this.sentAt = this.sentAt.filter((t) => t <= now && now - t < 1000);
    return this.sentAt.length < this.limit;
  }

  private deliver(keys: string[], text: string | undefined): boolean {
    const { step, episode } = this.context.seen();
    const now = this.context.now();
    const value = { seq: this.seq, stepSeen: step, keys, clientTimeUs: now, episode };
    if (!this.context.send({ case: "input", value: text === undefined ? value : { ...value, text } })) return false;
    this.pending.set(this.seq, keys);
    if (this.pending.size > remembered) this.pending.delete(this.pending.keys().next().value as bigint);
    this.seq++;
    this.sentAt.push(Number(now / 1000n));
    return true;
  }
}
