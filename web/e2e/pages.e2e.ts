import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Player } from "./player";
import { expect, test } from "./test";

// Every page in both widths and both colour schemes, to be looked at: the
// pictures are in web/e2e/screenshots. What a program can see is checked here.
const widths = { wide: { width: 1280, height: 800 }, narrow: { width: 360, height: 740 } } as const;

for (const [name, size] of Object.entries(widths)) {
  test(`every page, ${name}`, async ({ server, someone }) => {
    test.setTimeout(180_000);
    const folder = join(import.meta.dirname, "screenshots", name);
    await mkdir(folder, { recursive: true });

    const problems: string[] = [];
    const watch = (who: Player): Player => {
      who.page.on("pageerror", (e) => problems.push(`${who.page.url()}: ${e.message}`));
      who.page.on("console", (m) => {
        if (m.type() === "error") problems.push(`${who.page.url()}: ${m.text()}`);
      });
      return who;
    };
    const shoot = async (who: Player, what: string, whole = true): Promise<void> => {
      for (const scheme of ["light", "dark"] as const) {
        await who.page.emulateMedia({ colorScheme: scheme });
        await who.page.screenshot({ path: join(folder, `${what}-${scheme}.png`), fullPage: whole, animations: "disabled" });
      }
      const overflow = await who.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect.soft(overflow, `${what} is too wide by so many pixels`).toBeLessThanOrEqual(0);
    };

    await test.step("accounts", async () => {
      const ada = watch(await someone("ada", size));
      await ada.page.goto("/");
      await shoot(ada, "home");
      await ada.page.goto("/x/mountain-car");
      await shoot(ada, "experiment-logged-out");
      await ada.page.goto("/login");
      await shoot(ada, "login");
      await ada.page.goto("/register");
      await shoot(ada, "register");
      await ada.page.getByLabel("Name", { exact: true }).fill("a");
      await ada.page.getByLabel("Password", { exact: true }).fill("12345678");
      await ada.page.getByLabel("Password, once more").fill("123456789");
      await ada.page.getByLabel("Registration key").fill("wrong");
      await ada.page.getByRole("button", { name: "Create the account" }).click();
      await shoot(ada, "register-errors");
      problems.length = 0; // the browser reports the page's status 4xx as an error
      await ada.register();
      await ada.page.goto("/profile");
      await shoot(ada, "profile");
      await ada.page.goto("/nothing-here");
      await shoot(ada, "not-found");
      problems.length = 0;
    });

    await test.step("a session from lobby to thanks", async () => {
      const [cem, dia] = [watch(await someone("cem", size)), watch(await someone("dia", size))];
      await cem.registerFor("simple-tag");
      await shoot(cem, "experiment");
      await cem.page.goto("/x/simple-tag/consent");
      await shoot(cem, "consent");
      await cem.page.goto("/x/simple-tag");
      await cem.join();
      await shoot(cem, "lobby", false);
      await dia.registerFor("simple-tag");
      await dia.join();
      await shoot(cem, "countdown", false);
      await cem.playing(0);
      await cem.page.keyboard.down("ArrowRight");
      await cem.playing(5);
      await shoot(cem, "play", false);
      await cem.page.keyboard.up("ArrowRight");
      await cem.page.getByRole("button", { name: "Leave", exact: true }).click();
      await shoot(cem, "leave", false);
      await cem.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
      await expect(cem.page).toHaveURL(/\/thanks(\?left=1)?$/);
      await shoot(cem, "thanks");
    });

    for (const link of ["mountain-car", "simple-spread", "frozen-lake", "cart-pole"]) {
      await test.step(`play ${link}`, async () => {
        const eve = watch(await someone(`eve-${link}`, size));
        await eve.registerFor(link);
        await eve.join();
        await eve.playing(0);
        const { session } = eve;
        await shoot(eve, `play-${link}`, false);
        await eve.page.goto("/");
        await expect(eve.page.getByRole("link", { name: /^Continue/ })).toHaveAttribute("href", `/s/${session}`);
        await shoot(eve, `home-${link}`);
        await eve.page.context().close();
      });
    }

    await test.step("Admin", async () => {
      const admin = watch(await someone("admin", size));
      await admin.page.goto(server.once);
      await shoot(admin, "once");
      await admin.page.getByRole("button", { name: "Log in and go on" }).click();
      for (const [page, path] of Object.entries({
        "admin": "/admin",
        "admin-experiments": "/admin/experiments",
        "admin-experiment": "/admin/experiments/mountain-car",
        "admin-sessions": "/admin/sessions",
        "admin-runners": "/admin/runners",
        "admin-users": "/admin/users",
        "admin-events": "/admin/events",
      })) {
        const answer = await admin.page.goto(path);
        expect(answer?.status(), path).toBe(200);
        await shoot(admin, page);
      }
      await admin.page.goto("/admin/runners");
      await admin.page.getByLabel("Name", { exact: true }).fill("A lab with a rather long name, ".repeat(3));
      await admin.page.getByLabel("Labels").fill("gpu, a-label-that-is-nearly-as-long-as-they-may-be-0123456789abcdef");
      await admin.page.getByRole("button", { name: "Make the key" }).click();
      await expect(admin.page.locator("#key")).toBeVisible();
      await shoot(admin, "admin-runners-key");
      await admin.page.getByRole("link", { name: /^Revoke the key/ }).click();
      await expect(admin.page.getByRole("heading", { name: "Revoke this key?" })).toBeVisible();
      await shoot(admin, "admin-runner-key");
      await admin.page.goto("/admin/sessions");
      await admin.page.locator('a[href^="/admin/sessions/"]').first().click();
      await shoot(admin, "admin-session");
      await admin.page.locator('a[href*="/episodes/"]').first().click();
      await expect(admin.page.getByRole("heading", { name: "Who acted" })).toBeVisible();
      await shoot(admin, "admin-episode");
    });

    expect(problems, "the browser complains about nothing").toEqual([]);
  });
}
