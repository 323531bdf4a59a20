const every = 6000; // ms

// Waiting asks now and then whether others wait whom this player can't meet, and
// hands on the server's sentence; "" is nothing to say.
export class Waiting {
  private timer = 0;

  constructor(
    private readonly path: string,
    private readonly tell: (text: string) => void,
  ) {}

  // follow asks for as long as the player waits.
  follow(waits: boolean): void {
    if (waits === (this.timer !== 0)) return;
    window.clearInterval(this.timer);
    this.timer = waits ? window.setInterval(() => void this.ask(), every) : 0;
    if (waits) void this.ask();
  }

  private async ask(): Promise<void> {
    try {
      const answer = await fetch(this.path, { headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected && this.timer !== 0) this.tell((await answer.text()).trim());
    } catch {
      // the next turn tries again
    }
  }
}
