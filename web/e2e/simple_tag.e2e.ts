import { episodesOf } from "./export";
import { command } from "./sharpie";
import { expect, test } from "./test";

test("two people play Simple Tag; one reloads and keeps the seat, a second tab takes it over", async ({ server, someone }) => {
  const ada = await someone("ada");
  const ben = await someone("ben");

  await test.step("ada waits in the lobby, ben follows", async () => {
    await ada.registerFor("simple-tag");
    await ada.join("Chaser");
    await expect(ada.page.locator("#overlay")).toContainText(/waiting/i);
    await ben.registerFor("simple-tag");
    await ben.join("Any");
    expect(ben.session, "the same session").toBe(ada.session);
    await Promise.all([ada.playing(0), ben.playing(0)]);
  });

  await test.step("each moves, and both see it", async () => {
    const [seenByAda, seenByBen] = await Promise.all([ada.picture(), ben.picture()]);
    await Promise.all([ada.hold("ArrowRight", 300), ben.hold("ArrowUp", 300)]);
    for (const [who, before] of [[ada, seenByAda], [ben, seenByBen]] as const) {
      await expect.poll(async () => (await who.changed(before)).pixels, { message: `${who.name} sees movement` }).toBeGreaterThan(100);
    }
  });

  await test.step("ben reloads in the middle and has the same seat", async () => {
    const role = await ben.page.locator("#role-name").innerText();
    expect(role).toBe("Runner");
    const before = await ben.step();
    expect(before, "the game is on").toBeGreaterThan(0);
    await ben.page.reload();
    await ben.playing(before);
    await expect(ben.page.locator("#role-name")).toHaveText(role);
    await ben.steers();
  });

  await test.step("a second tab takes the seat, and the first one says so", async () => {
    const first = ben.page;
    const second = await first.context().newPage();
    await second.goto(`/s/${ben.session}`);
    await expect(first.locator("#overlay")).toContainText(/another (tab|window)/i);
    ben.page = second;
    await ben.playing(1);
    await ben.steers();
    await expect(first.locator("#overlay"), "the first tab does not take it back").toContainText(/another (tab|window)/i);
  });

  await test.step("every step names both roles and their sources", async () => {
    expect(await server.stop(), `the server ends cleanly:\n${server.log}`).toBe(0);
    const episodes = await episodesOf(server.place, "simple-tag");
    const { steps, inputs } = episodes[0]!;
    expect(steps.map((s) => s.step), "no step is missing").toEqual(steps.map((_, i) => i));
    for (const role of ["adversary_0", "agent_0"]) {
      const sources = steps.slice(1).map((s) => s.roles[role]!.source);
      expect(new Set(sources), role).toEqual(new Set(["human", "default"]));
    }
    expect(inputs.filter((i) => i.role === "adversary_0" && i.keys.includes("ArrowRight")).length).toBeGreaterThan(0);
    expect(inputs.filter((i) => i.role === "agent_0" && i.keys.includes("ArrowUp")).length).toBeGreaterThan(0);
    const numbers = inputs.filter((i) => i.role === "agent_0").map((i) => i.seq);
    expect(new Set(numbers).size, "no input is stored twice").toBe(numbers.length);
    expect(await command(server.place, "verify", "--experiment", "simple-tag")).not.toContain("NO");
  });
});

test("two who want the same part wait apart, and are told why", async ({ someone }) => {
  const ada = await someone("ada");
  const ben = await someone("ben");
  for (const who of [ada, ben]) {
    await who.registerFor("simple-tag");
    await who.join("Chaser");
  }
  expect(ben.session, "a session of his own").not.toBe(ada.session);
  for (const who of [ada, ben]) await expect(who.page.locator("#overlay")).toContainText("Somebody else is waiting for the part", { timeout: 15_000 });
});
