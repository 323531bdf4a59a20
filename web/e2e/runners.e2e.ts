import { Runner } from "./runner";
import { expect, test } from "./test";

test.use({ flags: ["--slots", "0"] });

test("an administrator makes a key, a node joins with it, somebody plays there, and the key is revoked", async ({ server, someone }) => {
  const admin = await someone("admin");
  const { page } = admin;
  const row = page.getByRole("region", { name: "Runners" }).getByRole("row").filter({ hasText: "box." });
  const keys = page.getByRole("region", { name: "Keys" });
  let command: string[] = [];
  let node: Runner | undefined;

  try {
    await test.step("the page says that nobody can play, and what to do", async () => {
      await page.goto(server.once);
      await page.getByRole("button", { name: "Log in and go on" }).click();
      await page.goto("/admin/runners");
      await expect(page.getByText("There is nobody to play on, so no session can start.")).toBeVisible();
    });

    await test.step("a key is made, shown once, and copied", async () => {
      await page.getByLabel("Name", { exact: true }).fill("GPU box");
      await page.getByLabel("Labels").fill("gpu, lab");
      await page.getByRole("button", { name: "Make the key" }).click();
      await expect(page.getByRole("heading", { name: "The key “GPU box” is made" })).toBeVisible();
      command = (await page.locator("#join").innerText()).split(" ");
      expect(command.slice(0, 4)).toEqual(["sharpie", "runner", "--join", server.url]);
      expect(command.at(-1)).toMatch(/^shk_/);
      await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
      await page.getByRole("button", { name: "Copy with the key" }).click();
      await expect(page.getByRole("button", { name: "Copied" })).toBeVisible();
      expect(await page.evaluate(() => navigator.clipboard.readText()), "what the button copies").toBe(command.join(" "));
      expect(page.url(), "the key is in no address").not.toContain("shk_");
    });

    await test.step("the node appears by itself, and the key stays in sight meanwhile", async () => {
      node = await Runner.start(...command.slice(2), "--name", "box", "--slots", "2");
      await expect(row).toContainText("connected", { timeout: 20_000 });
      await expect(row).toContainText("0 of 2 busy");
      await expect(row).toContainText("gpu lab");
      await expect(keys.getByRole("row").filter({ hasText: "GPU box" })).toContainText("box.");
      await expect(page.locator("#key")).toBeVisible();
    });

    await test.step("a reload makes no second key, and shows this one no more", async () => {
      await page.reload();
      await expect(page.locator("#key")).toHaveCount(0);
      expect(await page.content()).not.toContain(command.at(-1));
      await expect(keys.getByRole("row")).toHaveCount(2); // with the head
    });

    await test.step("somebody plays there, and the page shows on which slot", async () => {
      const ada = await someone("ada");
      await ada.registerFor("mountain-car");
      await ada.join();
      await ada.playing(5);
      expect(await ada.colours(), "pictures come from the node").toBeGreaterThan(2);
      await expect(row).toContainText("1 of 2 busy");
      await expect(row.getByRole("link")).toHaveAttribute("href", `/admin/sessions/${ada.session}`);
    });

    await test.step("the key is revoked after a question, by keys alone", async () => {
      await keys.getByRole("link", { name: "Revoke the key GPU box" }).focus();
      await page.keyboard.press("Enter");
      await expect(page.getByText("1 node is cut within a second; 1 session that plays there looks for another runner.")).toBeVisible();
      await page.getByRole("button", { name: "Revoke the key" }).focus();
      await page.keyboard.press("Enter");
      await expect(page.getByText("The key GPU box is revoked.")).toBeVisible();
    });

    await test.step("the node is gone from the page, and has ended with the reason", async () => {
      await expect(row).toHaveCount(0, { timeout: 10_000 });
      await expect(page.getByText("No runner node is connected")).toBeVisible();
      await page.getByRole("button", { name: "Copy the command" }).click(); // a button that came with a refresh
      await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(`sharpie runner --join ${server.url} --key-file runner.key`);
      await expect(keys.getByRole("row").filter({ hasText: "GPU box" })).toContainText("revoked");
      await expect.poll(() => node?.code, { message: `the node ends:\n${node?.log}`, timeout: 15_000 }).toBeGreaterThan(0);
      expect(node?.log).toContain("The key was revoked.");
      await expect(page.getByText("no runner that takes sessions is connected"), "the player's session waits").toBeVisible({ timeout: 15_000 });
    });

    await test.step("who did what with the key is an event", async () => {
      await page.goto("/admin/events?kind=admin.runner_key.revoked");
      await expect(page.getByRole("region", { name: "Events" })).toContainText("admin");
      await expect(page.getByRole("region", { name: "Events" })).toContainText("GPU box");
    });
  } finally {
    await node?.stop();
  }
});

test("without scripts a key can be made and revoked all the same", async ({ server, browser }) => {
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(server.once);
  await page.getByRole("button", { name: "Log in and go on" }).click();
  await page.goto("/admin/runners");
  await page.getByLabel("Name", { exact: true }).fill("lab");
  await page.getByRole("button", { name: "Make the key" }).click();
  await expect(page.locator("#key")).toHaveText(/^shk_/);
  await expect(page.getByRole("button", { name: /^Copy/ })).toHaveCount(0);
  await page.reload(); // here it sends the form again
  await expect(page.getByText("That key was made already, and is not shown again.")).toBeVisible();
  await expect(page.locator("#key")).toHaveCount(0);
  await expect(page.getByRole("region", { name: "Keys" }).getByRole("row")).toHaveCount(2); // with the head
  await page.getByRole("link", { name: "Revoke the key lab" }).click();
  await page.getByRole("button", { name: "Revoke the key" }).click();
  await expect(page.getByText("The key lab is revoked.")).toBeVisible();
  await context.close();
});
