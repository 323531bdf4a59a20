// Clock measures how far the server's clock is from the browser's, and how long
// a message travels both ways. After Cristian (1989): the sample with the
// shortest round trip bounds the offset best, so it is the one that counts.

interface Sample {
  offset: number; // ms, server minus client
  rtt: number; // ms
}

const kept = 8;

export class Clock {
  private samples: Sample[] = [];

  // add takes one exchange: when the Ping was sent and its Pong came, by the
  // browser's clock, and what the server's clock said in between; all in ms.
  add(sent: number, received: number, server: number): void {
    const rtt = received - sent;
    if (!Number.isFinite(rtt) || rtt < 0) return; // the browser's clock was set back meanwhile
    this.samples.push({ offset: server - (sent + received) / 2, rtt });
    if (this.samples.length > kept) this.samples.shift();
  }

  // offset is server minus client in ms; 0 before the first exchange.
  get offset(): number {
    return this.best()?.offset ?? 0;
  }

  // rtt is the last measured round trip in ms; undefined before the first.
  get rtt(): number | undefined {
    return this.samples.at(-1)?.rtt;
  }

  // spread is how much the round trips differ, in ms: what players feel as jerks.
  // It is the third quartile less the shortest, so that one stray doesn't count.
  get spread(): number {
    const all = this.sorted();
    return (all[Math.floor((all.length - 1) * 0.75)] ?? 0) - (all[0] ?? 0);
  }

  // typical is the median round trip in ms; undefined before the first.
  get typical(): number | undefined {
    const all = this.sorted();
    return all[Math.floor(all.length / 2)];
  }

  private sorted(): number[] {
    return this.samples.map((s) => s.rtt).sort((a, b) => a - b);
  }

  private best(): Sample | undefined {
    return this.samples.reduce<Sample | undefined>((best, s) => (best && best.rtt <= s.rtt ? best : s), undefined);
  }
}
