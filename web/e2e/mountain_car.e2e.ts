import { episodesOf } from "./export";
import { command } from "./sharpie";
import { expect, test } from "./test";

test("a newcomer registers, agrees, and drives the Mountain Car by keys; every input is stored with its source", async ({ server, someone }) => {
  const ada = await someone("ada");

  await test.step("register and agree", async () => {
    await ada.registerFor("mountain-car");
    await expect(ada.page.getByRole("region", { name: "What you agree to" })).toBeVisible();
    await ada.join();
  });

  await test.step("drive until the car has visibly moved", async () => {
    await ada.playing();
    const before = await ada.picture();
    expect(await ada.colours(), "the picture shows something").toBeGreaterThan(2);
    await ada.hold("ArrowLeft", 700);
    await ada.hold("ArrowRight", 900);
    // All that differs is the car, where it was and where it is.
    await expect
      .poll(
        async () => {
          await ada.hold("ArrowRight", 150);
          return (await ada.changed(before)).width;
        },
        { message: "the car moves across the picture", timeout: 8_000 },
      )
      .toBeGreaterThan(0.12);
  });

  await test.step("leave, and be thanked", async () => {
    await ada.page.getByRole("button", { name: "Leave", exact: true }).click();
    await ada.page.getByRole("dialog").getByRole("button", { name: "Leave" }).click();
    await expect(ada.page).toHaveURL(/\/thanks(\?left=1)?$/);
    await expect(ada.page.getByText("What you did so far has been saved.")).toBeVisible();
  });

  await test.step("the stored episode explains every step", async () => {
    expect(await server.stop(), `the server ends cleanly:\n${server.log}`).toBe(0);
    const episodes = await episodesOf(server.place, "mountain-car");
    expect(episodes.length).toBeGreaterThanOrEqual(1);
    const [episode] = episodes;
    const steps = episode!.steps;
    expect(steps.map((s) => s.step), "no step is missing").toEqual(steps.map((_, i) => i));

    const sources = steps.slice(1).map((s) => s.roles["agent_0"]!.source);
    expect(new Set(sources), "every action is the driver's or the default").toEqual(new Set(["human", "default"]));
    const actions = steps.slice(1).map((s) => s.roles["agent_0"]!.action);
    expect(actions.filter((a) => a === 0).length, "pushed left").toBeGreaterThan(5);
    expect(actions.filter((a) => a === 2).length, "pushed right").toBeGreaterThan(10);
    for (const s of steps.slice(1)) {
      const role = s.roles["agent_0"]!;
      expect(role.source === "default", `step ${s.step}: action ${String(role.action)} comes from ${role.source}`).toBe(role.action === 1);
    }

    const inputs = episode!.inputs;
    expect(inputs.length, "presses and releases are stored").toBeGreaterThanOrEqual(4);
    expect(inputs.some((i) => i.keys.includes("ArrowLeft"))).toBe(true);
    expect(inputs.some((i) => i.keys.length === 0), "a release is an input too").toBe(true);
    for (const input of inputs) {
      expect(input.step, "the step that used it comes after the one on screen").toBeGreaterThan(input.step_seen);
      expect(Math.abs(Date.parse(input.client_at) - Date.now()), "with the browser's clock").toBeLessThan(600_000);
    }
  });

  await test.step("the program proves it", async () => {
    expect(await command(server.place, "verify", "--experiment", "mountain-car")).not.toContain("NO");
  });
});

test("the printed link leads the administrator to playing in three clicks", async ({ server, someone }) => {
  expect(server.startup, "start to first page, in ms").toBeLessThan(2_000);
  const admin = await someone("admin");
  await admin.page.goto(server.once);
  await admin.page.getByRole("button", { name: "Log in and go on" }).click(); // 1
  await admin.page.getByRole("link", { name: "Play Mountain Car" }).click(); // 2
  await admin.page.getByRole("button", { name: "I agree and start" }).click(); // 3
  await admin.playing(5);
  expect(await admin.colours()).toBeGreaterThan(2);
});

test("the embedded store can be used while people play", async ({ server, store, someone }) => {
  test.skip(store !== "embedded", "with MongoDB, commands go to the database themselves");
  const ada = await someone("ada");
  await ada.registerFor("mountain-car");
  await ada.join();
  await ada.playing(30);
  expect(await command(server.place, "verify", "--experiment", "mountain-car")).toContain("running");
  await ada.playing(60);
});
