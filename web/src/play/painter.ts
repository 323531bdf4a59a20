import { Codec, type Frame } from "../gen/play/play_pb";
import { fit } from "./layout";

const types: Partial<Record<Codec, string>> = { [Codec.PNG]: "image/png", [Codec.JPEG]: "image/jpeg" };

export interface PainterEvents {
  // painted is called after a picture reached the screen.
  painted(episode: number, step: bigint): void;
  // failed is called for a picture that can't be shown.
  failed(): void;
}

// Painter shows pictures on a canvas as they come: while one is decoded, only
// the newest of those that arrive is kept.
export class Painter {
  private next: Frame | undefined;
  private busy = false;
  private readonly ink: CanvasRenderingContext2D;
  private shown = { episode: 0, step: 0n };
  private size = { width: 0, height: 0 };

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly room: HTMLElement,
    private readonly events: PainterEvents,
  ) {
    const ink = canvas.getContext("2d", { alpha: false });
    if (!ink) throw new Error("this browser has no canvas");
    this.ink = ink;
    new ResizeObserver(() => this.lay()).observe(room);
    this.watchRatio();
  }

  // seen is the step of the picture on screen.
  get seen(): { episode: number; step: bigint } {
    return this.shown;
  }

  // expect makes room for pictures of a size before the first one is here.
  expect(width: number, height: number): void {
    if (width === 0 || height === 0 || (this.size.width === width && this.size.height === height)) return;
    this.size = { width, height };
    this.canvas.width = width;
    this.canvas.height = height; // clears it
    this.canvas.classList.remove("has-picture");
    this.lay();
  }

  show(frame: Frame): void {
    this.next = frame;
    if (!this.busy) void this.work();
  }

  private async work(): Promise<void> {
    this.busy = true;
    while (this.next) {
      const frame = this.next;
      this.next = undefined;
      const type = types[frame.codec];
      try {
        if (!type) throw new Error(`codec ${frame.codec}`);
        this.paint(frame, await createImageBitmap(new Blob([frame.data as Uint8Array<ArrayBuffer>], { type })));
      } catch {
        this.events.failed();
      }
    }
    this.busy = false;
  }

  private paint(frame: Frame, picture: ImageBitmap): void {
    this.expect(picture.width, picture.height);
    this.ink.drawImage(picture, 0, 0);
    picture.close();
    this.canvas.classList.add("has-picture");
    this.shown = { episode: frame.episode, step: frame.step };
    requestAnimationFrame(() => this.events.painted(frame.episode, frame.step));
  }

  private lay(): void {
    const { width, height, pixelated } = fit(this.size.width, this.size.height, this.room.clientWidth, this.room.clientHeight, window.devicePixelRatio);
    if (width === 0) return;
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.canvas.classList.toggle("pixelated", pixelated);
  }

  // The ratio changes with the browser's zoom and between screens.
  private watchRatio(): void {
    matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`).addEventListener("change", () => {
      this.lay();
      this.watchRatio();
    }, { once: true });
  }
}
