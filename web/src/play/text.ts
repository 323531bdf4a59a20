import { byId, setText } from "./dom";

const bytes = new TextEncoder();

// tooLong says by how many bytes a text is over the limit; 0 or less: it fits.
export function tooLong(text: string, most: number): number {
  return most > 0 ? bytes.encode(text).length - most : 0;
}

// TextForm is the field for typed input, where an experiment has one.
export class TextForm {
  private readonly form = byId<HTMLFormElement>("text-form");
  private readonly input = byId<HTMLInputElement>("text-input");
  private readonly note = byId("text-note");
  private most = 0;

  constructor(send: (text: string) => boolean) {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.input.value.trim();
      if (text === "") return;
      if (tooLong(text, this.most) > 0) return setText(this.note, "That is too long. Please shorten it.");
      const sent = send(text);
      setText(this.note, sent ? `Sent: ${text}` : "Not sent: the game isn't running right now. Try again in a moment.");
      if (sent) this.input.value = "";
    });
    this.input.addEventListener("input", () => {
      setText(this.note, tooLong(this.input.value, this.most) > 0 ? "That is too long. Please shorten it." : "");
    });
  }

  // offer shows the form; most is bytes.
  offer(offered: boolean, most: number): void {
    this.form.hidden = !offered;
    this.most = most;
  }
}
