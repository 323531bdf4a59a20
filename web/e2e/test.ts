import { test as base, type Browser, type Page } from "@playwright/test";
import { noMongo, startMongo } from "./mongod";
import { Player } from "./player";
import { Sharpie, temporary } from "./sharpie";

/** What a project of the configuration sets. */
export interface Options {
  store: "embedded" | "mongodb";
  /** More flags of the server. */
  flags: string[];
}

interface Fixtures {
  /** A fresh server with an empty data folder; it is stopped after the test. */
  server: Sharpie;
  /** Makes someone with a browser of their own, logged out. */
  someone: (name: string, size?: { width: number; height: number }) => Promise<Player>;
}

export const test = base.extend<Options & Fixtures>({
  store: ["embedded", { option: true }],
  flags: [[], { option: true }],

  server: async ({ store, flags }, use, info) => {
    test.skip(store === "mongodb" && noMongo !== "", noMongo);
    const folder = await temporary("e2e");
    const mongo = store === "mongodb" ? await startMongo() : undefined;
    const place = { data: folder.path, mongo: mongo?.uri(`sharpie_e2e_${info.workerIndex}_${Date.now()}`) ?? "" };
    const server = await Sharpie.start(place, "--drain-grace", "2s", ...flags);
    await use(server);
    await server.stop();
    if (info.status !== info.expectedStatus) await info.attach("server log", { body: server.log, contentType: "text/plain" });
    await mongo?.stop();
    await folder.remove();
  },

  someone: async ({ browser, server }, use) => {
    const pages: Page[] = [];
    await use(async (name, size) => {
      const page = await newPage(browser, server.url, size);
      pages.push(page);
      return new Player(name, server, page);
    });
    for (const page of pages) await page.context().close();
  },
});

async function newPage(browser: Browser, baseURL: string, size?: { width: number; height: number }): Promise<Page> {
  const phone = size !== undefined && size.width < 600;
  const context = await browser.newContext({ baseURL, ...(size ? { viewport: size } : {}), ...(phone ? { hasTouch: true, isMobile: true } : {}) });
  return context.newPage();
}

export { expect } from "@playwright/test";
