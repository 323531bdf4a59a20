import type { Key } from "../gen/play/play_pb";
import { el } from "./dom";

// How long a cap stays lit after the server used the key.
const glow = 180;

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

// Controls is the list of keys beside the picture. A cap is pressed while its
// key is held, and lights up once more when the server has used it.
export class Controls {
  private readonly caps = new Map<string, HTMLElement>();
  private readonly timers = new Map<string, number>();

  constructor(list: HTMLElement, keys: readonly Key[]) {
    list.replaceChildren(
      ...keys.map((key) => {
        const cap = el("kbd", { class: "cap" }, symbolOf(key));
        this.caps.set(key.key, cap);
        return el("li", {}, cap, " ", el("span", {}, labelOf(key)));
      }),
    );
  }

  held(keys: readonly string[]): void {
    for (const [key, cap] of this.caps) cap.classList.toggle("is-held", keys.includes(key));
  }

  used(keys: readonly string[]): void {
    for (const key of keys) {
      const cap = this.caps.get(key);
      if (!cap) continue;
      cap.classList.add("is-used");
      window.clearTimeout(this.timers.get(key));
      this.timers.set(key, window.setTimeout(() => cap.classList.remove("is-used"), glow));
    }
  }
}
