import type { Key } from "../gen/play/play_pb";
import { labelOf, symbolOf } from "./controls";
import { el } from "./dom";
import type { KeyState } from "./keys";

// Where the arrows stand on the pad; WASD means the same to those who use it.
const places: Record<string, string> = {
  ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right", w: "up", s: "down", a: "left", d: "right",
};

// arrange decides which keys form a pad of four directions and which stand
// beside it in a row. The keys of a pad must be of one family, and three or four;
// fewer are easier to hit side by side.
export function arrange(keys: readonly string[]): { pad: Map<string, string>; row: string[] } {
  for (const family of [["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"], ["w", "s", "a", "d"]]) {
    const present = family.filter((k) => keys.includes(k));
    if (present.length < 3) continue;
    return { pad: new Map(present.map((k) => [k, places[k] ?? ""])), row: keys.filter((k) => !present.includes(k)) };
  }
  return { pad: new Map(), row: [...keys] };
}

// columns is how many buttons of a row stand side by side, so that twenty of
// them fit on a phone and none stands alone; 0 lets them flow.
export function columns(keys: number): number {
  if (keys <= 4) return 0;
  return keys <= 7 ? keys : Math.ceil(keys / Math.ceil(keys / 6));
}

// Touch is the buttons for fingers. Each finger is a source of its own, and may
// slide from one button to the next without lifting.
export class Touch {
  private readonly buttons = new Map<string, HTMLElement>();

  constructor(
    private readonly host: HTMLElement,
    keys: readonly Key[],
    private readonly state: KeyState,
    private readonly changed: () => void,
    private readonly refused: (key: string) => void,
  ) {
    const { pad, row } = arrange(keys.map((k) => k.key));
    const button = (key: Key) => {
      const alone = symbolOf(key) === labelOf(key);
      const b = el("button", { type: "button", class: "touch-key", "data-key": key.key, "aria-label": labelOf(key), tabindex: "-1" },
        el("span", { class: "touch-symbol" }, symbolOf(key)), !alone && el("span", { class: "touch-label" }, labelOf(key)));
      const place = pad.get(key.key);
      if (place) b.classList.add(`pad-${place}`);
      this.buttons.set(key.key, b);
      return b;
    };
    const padded = keys.filter((k) => pad.has(k.key)).map(button);
    const beside = keys.filter((k) => row.includes(k.key)).map(button);
    host.replaceChildren();
    if (padded.length > 0) host.append(el("div", { class: "touch-pad" }, ...padded));
    if (beside.length > 0) {
      const across = columns(beside.length);
      const group = el("div", { class: across > 0 ? "touch-row touch-grid" : "touch-row" }, ...beside);
      if (across > 0) group.style.setProperty("--across", String(across));
      host.append(group);
    }
    host.classList.toggle("touch-many", columns(beside.length) > 0);
    this.listen();
  }

  held(keys: readonly string[]): void {
    for (const [key, b] of this.buttons) b.classList.toggle("is-held", keys.includes(key));
  }

  // block dims the buttons that mean nothing allowed now. They stay where they
  // are and can be reached, so that nothing moves and everything is read out.
  block(keys: ReadonlySet<string>): void {
    for (const [key, b] of this.buttons) {
      if (keys.has(key)) b.setAttribute("aria-disabled", "true");
      else b.removeAttribute("aria-disabled");
    }
  }

  private listen(): void {
    const source = (e: PointerEvent) => `pointer-${e.pointerId}`;
    const under = (e: PointerEvent) => {
      const node = document.elementFromPoint(e.clientX, e.clientY)?.closest<HTMLElement>("[data-key]");
      return node && this.host.contains(node) ? node.dataset["key"] : undefined;
    };
    const move = (e: PointerEvent, down: boolean) => {
      const key = under(e);
      const now = this.state.keyOf(source(e));
      if (key === now || (now === undefined && !down && e.buttons === 0)) return;
      if (key !== undefined && this.state.isBlocked(key)) {
        if (down) this.refused(key);
        if (this.state.release(source(e))) this.changed();
        return;
      }
      let different = this.state.release(source(e));
      if (key !== undefined) different = this.state.press(source(e), key) || different;
      if (different) this.changed();
    };
    this.host.addEventListener("pointerdown", (e) => {
      e.preventDefault(); // no focus, no text selection, no mouse events after it
      if (e.target instanceof Element && e.target.hasPointerCapture(e.pointerId)) e.target.releasePointerCapture(e.pointerId);
      move(e, true);
    });
    this.host.addEventListener("pointermove", (e) => this.state.keyOf(source(e)) !== undefined && move(e, false));
    for (const type of ["pointerup", "pointercancel"] as const) {
      window.addEventListener(type, (e) => this.state.release(source(e)) && this.changed());
    }
    this.host.addEventListener("contextmenu", (e) => e.preventDefault());
  }
}
