import { defineConfig } from "@playwright/test";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Options } from "./test";

// A Chromium of the system: Playwright's own is not downloaded.
const chromium =
  process.env["SHARPIE_TEST_CHROMIUM"] ??
  (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "chromium")).find(existsSync) ??
  "chromium";

// Every test boots the real program with an empty data folder, once on the
// embedded store and once on a real MongoDB server, and plays in Debian's
// Chromium, headless. `.ci/e2e` finds the browser and names it here.
export default defineConfig<Options>({
  testDir: ".",
  testMatch: "*.e2e.ts",
  outputDir: "../test-results",
  globalSetup: "./setup.ts",
  // One at a time: a machine of two cores plays games at 24 frames a second.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 10_000 },
  reporter: [["list"]],
  projects: [
    { name: "embedded", use: { store: "embedded" } },
    { name: "mongodb", use: { store: "mongodb" }, testIgnore: "pages.e2e.ts" },
  ],
  use: {
    locale: "en-GB",
    timezoneId: "UTC",
    viewport: { width: 1280, height: 800 },
    actionTimeout: 10_000,
    navigationTimeout: 15_000,
    screenshot: "only-on-failure",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: chromium,
      args: [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--disable-dev-shm-usage",
      ],
    },
  },
});
