import type { Phase } from "../gen/play/play_pb";
import { bindCopy } from "../site/copy";
import { el, setText } from "./dom";
import { formatLeft, type Scene } from "./phases";
import { seatList } from "./seats";

interface Parts {
  phase?: Phase; // shows its seats
  share?: string; // link for partners
  instructions?: HTMLElement | undefined;
  action?: { label: string; done?: string; run(): void }; // done: what the button says afterwards
}

// Overlay is the card over the picture. It keeps its elements while the scene
// stays the same, so that focus and a half-read text survive an update.
export class Overlay {
  private kind = "connecting";
  private readonly title = el("h2", { class: "overlay-title" });
  private readonly text = el("p", { class: "overlay-text" });
  private readonly big = el("p", { class: "overlay-big", "aria-hidden": "true" });
  private readonly left = el("p", { class: "overlay-left" });
  private readonly seats = el("ul", { class: "seats" });
  private readonly hint = el("p", { class: "overlay-hint", role: "status" });
  private until = "";

  constructor(
    private readonly host: HTMLElement,
    private readonly card: HTMLElement,
  ) {}

  get showing(): boolean {
    return !this.host.hidden;
  }

  hide(): void {
    this.host.hidden = true;
    this.kind = "none";
  }

  show(scene: Pick<Scene, "title" | "text" | "until"> & { kind: string }, parts: Parts = {}): void {
    this.host.hidden = false;
    this.host.dataset["kind"] = scene.kind;
    this.until = scene.until;
    setText(this.title, scene.title);
    setText(this.text, scene.text);
    this.text.hidden = scene.text === "";
    const seats = parts.phase?.seats ?? [];
    this.seats.hidden = seats.length < 2;
    if (!this.seats.hidden) this.seats.replaceChildren(...seatList(seats));
    if (this.kind === scene.kind) return;
    this.kind = scene.kind;
    this.left.textContent = "";
    this.big.textContent = "";
    this.note("");
    this.card.replaceChildren(this.title, this.big, this.text, this.seats, this.hint, this.left, ...this.extras(parts));
  }

  // note writes a sentence below the seats; "" takes it away.
  note(text: string): void {
    setText(this.hint, text);
  }

  // tick writes the remaining time; undefined where there is no deadline.
  tick(ms: number | undefined): void {
    if (!this.showing) return;
    const timed = ms !== undefined && this.until !== "";
    const big = this.kind === "ready" || this.kind === "between";
    setText(this.left, timed ? `${this.until} ${formatLeft(ms)}` : "");
    setText(this.big, timed && big && ms < 10_000 ? String(Math.max(1, Math.ceil(ms / 1000))) : "");
    this.left.classList.toggle("visually-hidden", this.big.textContent !== "");
  }

  private extras(parts: Parts): HTMLElement[] {
    const out: HTMLElement[] = [];
    if (parts.share) out.push(this.share(parts.share));
    if (parts.instructions) out.push(el("div", { class: "overlay-help prose" }, parts.instructions));
    if (parts.action) {
      const { label, done, run } = parts.action;
      const button = el("button", { type: "button", class: "btn btn-primary" }, label);
      button.addEventListener("click", () => {
        run();
        if (!done) return;
        button.textContent = done;
        button.disabled = true;
      });
      out.push(el("p", { class: "actions" }, button));
    }
    return out;
  }

  private share(link: string): HTMLElement {
    const input = el("input", { class: "form-control", id: "share", value: link, readonly: "" });
    const button = el("button", { type: "button", class: "btn btn-quiet" }, "Copy");
    bindCopy(button, input);
    return el("div", { class: "overlay-share" }, el("label", { class: "form-label", for: "share" }, "Link for the people you want to play with"), el("div", { class: "copy-row" }, input, button));
  }
}
