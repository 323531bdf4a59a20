// Which of a seat's keys are held. Pure: keyboard.ts and touch.ts feed it.

// KeyState follows presses and releases from several sources (keyboard, touch
// buttons), each under a source id, so that letting go of a button doesn't
// release the same key on the keyboard.
export class KeyState {
  private readonly mapped: ReadonlySet<string>;
  private readonly down = new Map<string, string>(); // source id → key, oldest press first
  private closed: ReadonlySet<string> = new Set(); // keys that mean nothing allowed now

  constructor(keys: Iterable<string>) {
    this.mapped = new Set(keys);
  }

  // match finds the mapped key that a pressed one means: itself, or the same
  // letter in the other case (Caps Lock and Shift must not stop a player).
  match(key: string): string | undefined {
    if (this.mapped.has(key)) return key;
    if ([...key].length !== 1) return undefined;
    for (const other of [key.toLowerCase(), key.toUpperCase()]) {
      if (this.mapped.has(other)) return other;
    }
    return undefined;
  }

  // block says which keys mean nothing that is allowed now, until the next call.
  // Those that are held are let go: what is pressed later is a new decision. It
  // returns whether the set of held keys changed.
  block(keys: Iterable<string>): boolean {
    this.closed = new Set(keys);
    let changed = false;
    for (const [source, key] of this.down) {
      if (this.closed.has(key)) changed = this.down.delete(source) || changed;
    }
    return changed;
  }

  // isBlocked says whether pressing this key does nothing now.
  isBlocked(key: string): boolean {
    const mapped = this.match(key);
    return mapped !== undefined && this.closed.has(mapped);
  }

  // press returns whether the set of held keys changed.
  press(source: string, key: string): boolean {
    const mapped = this.match(key);
    if (mapped === undefined || this.closed.has(mapped) || this.down.has(source)) return false;
    const before = this.isHeld(mapped);
    this.down.set(source, mapped);
    return !before;
  }

  // release returns whether the set of held keys changed.
  release(source: string): boolean {
    const key = this.down.get(source);
    if (key === undefined) return false;
    this.down.delete(source);
    return !this.isHeld(key);
  }

  // releaseAll returns whether anything was held.
  releaseAll(): boolean {
    const any = this.down.size > 0;
    this.down.clear();
    return any;
  }

  // keyOf is the key that a source holds.
  keyOf(source: string): string | undefined {
    return this.down.get(source);
  }

  isHeld(key: string): boolean {
    for (const k of this.down.values()) if (k === key) return true;
    return false;
  }

  // held lists the held keys, oldest press first, each once.
  get held(): string[] {
    return [...new Set(this.down.values())];
  }
}
