import { Notice_Level, type Notice } from "../gen/play/play_pb";
import { el } from "./dom";

const shown = 6000; // ms
const most = 3;

const classes: Record<Notice_Level, string> = { [Notice_Level.INFO]: "info", [Notice_Level.WARNING]: "warning", [Notice_Level.ERROR]: "danger" };

// Notices shows short messages at the edge of the page, the newest below. The
// same message again only stays longer.
export class Notices {
  private readonly timers = new Map<string, number>();

  constructor(private readonly host: HTMLElement) {}

  // show takes how long it stays, in ms.
  show(notice: Pick<Notice, "level" | "text">, stays = shown): void {
    const old = [...this.host.children].find((n) => n.textContent === notice.text);
    if (!old) {
      this.host.append(el("p", { class: `toast-line notice notice-${classes[notice.level]}` }, notice.text));
      while (this.host.children.length > most) this.host.firstElementChild?.remove();
    }
    window.clearTimeout(this.timers.get(notice.text));
    this.timers.set(notice.text, window.setTimeout(() => this.drop(notice.text), stays));
  }

  private drop(text: string): void {
    this.timers.delete(text);
    [...this.host.children].find((n) => n.textContent === text)?.remove();
  }
}
