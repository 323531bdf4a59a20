// Silence notices when a server that should speak has not been heard of. Pure:
// it is told what happens, and asked.

const quiet = 500; // ms without a word until one is asked for
const tooLong = 1500; // ms without a word until the player is told
const patience = 700; // ms that an answer may take

export class Silence {
  private lastHeard: number;
  private askedAt: number | undefined; // the oldest question without an answer

  constructor(private readonly now: () => number) {
    this.lastHeard = now();
  }

  // heard says that anything has arrived.
  heard(): void {
    this.lastHeard = this.now();
    this.askedAt = undefined;
  }

  // asked says that something was sent that the server answers at once.
  asked(): void {
    this.askedAt ??= this.now();
  }

  // worthAsking: it is quiet, and no question is on its way.
  get worthAsking(): boolean {
    return this.askedAt === undefined && this.now() - this.lastHeard > quiet;
  }

  // tooLong: nothing has arrived, although an answer is due.
  get tooLong(): boolean {
    return this.askedAt !== undefined && this.now() - this.askedAt > patience && this.now() - this.lastHeard > tooLong;
  }
}
