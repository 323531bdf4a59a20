import type { Key } from "../gen/play/play_pb";
import { el, setText } from "./dom";

// How long a cap stays lit after the server used the key.
const glow = 180;
// More keys than these are listed in two columns.
const many = 8;

// What a key is called where the experiment says nothing.
const symbols: Record<string, string> = {
  ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", " ": "Space", Enter: "Enter", Escape: "Esc", Backspace: "⌫", Tab: "Tab",
};

export function symbolOf(key: Pick<Key, "key" | "symbol">): string {
  return key.symbol || symbols[key.key] || (key.key.length === 1 ? key.key.toUpperCase() : key.key);
}

export function labelOf(key: Pick<Key, "key" | "symbol" | "label">): string {
  return key.label || symbolOf(key);
}

// named fills in what the server's message leaves out with what the page was
// written with: the list beside the picture.
export function named(keys: readonly Key[], list: HTMLElement): Key[] {
  const written = new Map([...list.querySelectorAll<HTMLElement>("[data-key]")].map((li) => [li.dataset["key"], li]));
  return keys.map((key) => {
    const li = written.get(key.key);
    const text = (part: string) => li?.querySelector(part)?.textContent ?? "";
    return { ...key, symbol: key.symbol || text("kbd"), label: key.label || text("span") };
  });
}

// Controls is the list of keys beside the picture. A cap is pressed while its
// key is held, and lights up once more when the server has used it.
export class Controls {
  private readonly caps = new Map<string, HTMLElement>();
  private readonly notes = new Map<string, HTMLElement>(); // what is read out of a blocked key
  private readonly timers = new Map<string, number>();

  constructor(list: HTMLElement, keys: readonly Key[]) {
    list.replaceChildren(
      ...keys.map((key) => {
        const cap = el("kbd", { class: "cap" }, symbolOf(key));
        const note = el("span", { class: "visually-hidden" });
        this.caps.set(key.key, cap);
        this.notes.set(key.key, note);
        return el("li", {}, cap, " ", el("span", {}, labelOf(key)), note);
      }),
    );
    list.classList.toggle("keys-many", keys.length > many);
  }

  // block dims the keys that mean nothing allowed now.
  block(keys: ReadonlySet<string>): void {
    for (const [key, note] of this.notes) {
      note.parentElement?.classList.toggle("is-blocked", keys.has(key));
      setText(note, keys.has(key) ? ", not possible now" : "");
    }
  }

  // refuse shows that a blocked key was pressed.
  refuse(key: string): void {
    this.light(key, "is-refused");
  }

  held(keys: readonly string[]): void {
    for (const [key, cap] of this.caps) cap.classList.toggle("is-held", keys.includes(key));
  }

  used(keys: readonly string[]): void {
    for (const key of keys) this.light(key, "is-used");
  }

  private light(key: string, as: "is-used" | "is-refused"): void {
    const cap = this.caps.get(key);
    if (!cap) return;
    cap.classList.remove("is-used", "is-refused");
    cap.classList.add(as);
    window.clearTimeout(this.timers.get(key));
    this.timers.set(key, window.setTimeout(() => cap.classList.remove(as), glow));
  }
}
