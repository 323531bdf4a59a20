import { expect, type JSHandle, type Locator, type Page } from "@playwright/test";
import type { Sharpie } from "./sharpie";

/** Someone with a browser of their own: what people do, in their words. */
export class Player {
  readonly password = "correct horse battery";

  constructor(
    readonly name: string,
    private readonly server: Sharpie,
    public page: Page,
  ) {}

  get canvas(): Locator {
    return this.page.locator("#picture");
  }

  /** The registration form, from wherever the page is. */
  async register(): Promise<void> {
    await this.page.getByLabel("Name", { exact: true }).fill(this.name);
    await this.page.getByLabel("Password", { exact: true }).fill(this.password);
    await this.page.getByLabel("Password, once more").fill(this.password);
    await this.page.getByLabel("Registration key").fill(this.server.key);
    await this.page.getByRole("button", { name: "Create the account" }).click();
  }

  /** From the experiment's page, logged out, to being registered and back there. */
  async registerFor(link: string): Promise<void> {
    await this.page.goto(`/x/${link}`);
    await this.page.getByRole("link", { name: "Create an account" }).click();
    await this.register();
    await expect(this.page).toHaveURL(new RegExp(`/x/${link}`));
  }

  /** Agrees to what is asked, joins, and is in a session afterwards. */
  async join(role?: string): Promise<void> {
    if (role) await this.page.getByRole("radio", { name: role }).check();
    await this.page.getByRole("button", { name: /^(I agree and start|Start)$/ }).click();
    await expect(this.page).toHaveURL(/\/s\/[^/]+$/);
  }

  /** The id of the session that is on screen. */
  get session(): string {
    return /\/s\/([^/?#]+)/.exec(this.page.url())?.[1] ?? "";
  }

  /** The number of steps that the page shows; -1 before the first. */
  async step(): Promise<number> {
    const text = await this.page.locator("#hud-step").innerText();
    return /^\d+$/.test(text) ? Number(text) : -1;
  }

  /** Waits until an episode runs and at least that many steps are shown. */
  async playing(steps = 1): Promise<void> {
    await expect.poll(() => this.step(), { timeout: 30_000, message: `${this.name} sees step ${steps}` }).toBeGreaterThanOrEqual(steps);
  }

  /** Remembers the picture on the canvas, to be compared with a later one. It stays in the page. */
  picture(): Promise<Picture> {
    return this.canvas.evaluateHandle((canvas: HTMLCanvasElement) => {
      const { data, width, height } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return { width, height, data: new Uint32Array(data.buffer) };
    });
  }

  /** What differs between a remembered picture and the one on the canvas now. */
  changed(before: Picture): Promise<Difference> {
    return this.canvas.evaluate((canvas: HTMLCanvasElement, was) => {
      const { data, width, height } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      if (width !== was.width || height !== was.height) throw new Error("the picture changed its size while playing");
      const now = new Uint32Array(data.buffer);
      let pixels = 0;
      let left = width;
      let right = -1;
      for (let i = 0; i < now.length; i++) {
        if (now[i] === was.data[i]) continue;
        const x = i % width;
        pixels++;
        left = Math.min(left, x);
        right = Math.max(right, x);
      }
      return { pixels, width: right < 0 ? 0 : (right - left + 1) / width };
    }, before);
  }

  /** The number of different colours on the canvas: 1 is a blank one. */
  colours(): Promise<number> {
    return this.canvas.evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
  }

  /** Holds a key down for a while, as a thumb does. */
  async hold(key: string, milliseconds: number): Promise<void> {
    await this.page.keyboard.down(key);
    await this.page.waitForTimeout(milliseconds);
    await this.page.keyboard.up(key);
  }

  /** Steers one way and another until something on the picture has moved. */
  async steers(): Promise<void> {
    const before = await this.picture();
    await expect(async () => {
      for (const key of ["ArrowLeft", "ArrowDown", "ArrowRight", "ArrowUp"]) {
        await this.hold(key, 150);
        if ((await this.changed(before)).pixels > 50) return;
      }
      throw new Error(`nothing moves when ${this.name} steers`);
    }).toPass({ timeout: 10_000 });
  }
}

/** Pixels of a canvas, row by row, kept in the page. */
export type Picture = JSHandle<{ width: number; height: number; data: Uint32Array }>;

/** What differs between two pictures. */
export interface Difference {
  pixels: number;
  /** Width of the box around all that differs, as a share of the picture's. */
  width: number;
}
