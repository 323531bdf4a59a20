import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { episodesOf } from "./export";
import { noPython, python } from "./python";
import { command, temporary } from "./sharpie";
import { expect, test } from "./test";

test.skip(noPython !== "", noPython);
test.use({ flags: ["--python", python] });

/** The link of the experiment that an import made, from what it printed. */
function linkIn(printed: string): string {
  const row = printed.split("\n").find((line) => /\s(new|new version|unchanged|ready)\b/.test(line));
  const link = row?.split(/\s{2,}/)[1];
  if (!link) throw new Error(`the import printed no link:\n${printed}`);
  return link;
}

test("a Gymnasium id becomes an experiment that a person plays by keys", async ({ server, someone }) => {
  test.setTimeout(120_000);
  let link = "";
  await test.step("one command makes it", async () => {
    link = linkIn(await command(server.place, "import", "gymnasium:MountainCar-v0", "--python", python));
  });
  const ada = await someone("ada");

  await test.step("the page proposes controls", async () => {
    await ada.registerFor(link);
    const keys = ada.page.getByRole("article").locator("li:has(kbd)");
    await expect(keys).not.toHaveCount(0);
    await expect(ada.page.locator("kbd", { hasText: "←" })).toBeVisible();
    await expect(ada.page.locator("kbd", { hasText: "→" })).toBeVisible();
    for (const words of await keys.allInnerTexts()) expect(words.replace(/\s/g, "").length, `${words}: what the key does`).toBeGreaterThan(1);
    await ada.join();
  });

  await test.step("the car moves where the keys push it", async () => {
    await ada.playing(3);
    const before = await ada.picture();
    expect(await ada.colours(), "the environment's own picture").toBeGreaterThan(2);
    await expect
      .poll(
        async () => {
          await ada.hold("ArrowLeft", 500);
          await ada.hold("ArrowRight", 500);
          return (await ada.changed(before)).pixels;
        },
        { message: "pixels of the picture change", timeout: 15_000 },
      )
      .toBeGreaterThan(100);
  });

  await test.step("the episode is stored with who decided", async () => {
    expect(await server.stop(), `the server ends cleanly:\n${server.log}`).toBe(0);
    const [episode] = await episodesOf(server.place, link);
    const roles = episode!.steps.slice(1).map((s) => Object.values(s.roles)[0]!);
    expect(episode!.steps.map((s) => s.step), "no step is missing").toEqual(episode!.steps.map((_, i) => i));
    const human = roles.filter((r) => r.source === "human").map((r) => r.action);
    expect(human.filter((a) => a === 0).length, "pushed left").toBeGreaterThan(2);
    expect(human.filter((a) => a === 2).length, "pushed right").toBeGreaterThan(2);
    expect(episode!.inputs.some((i) => i.keys.includes("ArrowLeft"))).toBe(true);
  });
});

const tictactoe = `environment:
  name: Tic-tac-toe
  source: "pettingzoo:pettingzoo.classic.tictactoe_v3"
policies:
  - {name: Guesser, source: "go:random"}
agents:
  - role: player_1
    name: You
    participant: true
    inputs_type: actions
    keyboard_inputs: {"1": 0, "2": 1, "3": 2, "4": 3, "5": 4, "6": 5, "7": 6, "8": 7, "9": 8, default: -1}
  - role: player_2
    name: The guesser
    policy: Guesser
    participant: false
experiment:
  link: tictactoe
  name: Tic-tac-toe
  short_description: Three in a row, against a program that guesses.
  enabled: true
  number_of_episodes: 1
  target_fps: 1
  wait_for_inputs: true
  input_timeout: 60s
`;

test("people and programs take turns, and cells that are taken are closed", async ({ server, someone }) => {
  test.setTimeout(120_000);
  const folder = await temporary("tictactoe");
  try {
    await writeFile(join(folder.path, "tictactoe.yaml"), tictactoe);
    await command(server.place, "import", join(folder.path, "tictactoe.yaml"), "--python", python);
  } finally {
    await folder.remove();
  }
  const ada = await someone("ada", { width: 360, height: 740 });
  await ada.registerFor("tictactoe");
  await ada.join();
  await ada.playing(0);
  const line = ada.page.locator("#hud-who");
  const cell = (key: string) => ada.page.locator(`#touch [data-key="${key}"]`);

  await test.step("it is her turn, and all nine cells are open", async () => {
    await expect(line).toHaveText("Your turn");
    await expect(ada.page.locator("#touch .touch-key")).toHaveCount(9);
    await expect(ada.page.locator("#touch .touch-key[aria-disabled]")).toHaveCount(0);
    const wide = await ada.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, "the page fits a phone").toBeLessThanOrEqual(0);
  });

  await test.step("a key puts her mark, and the program's turn is named", async () => {
    const before = await ada.picture();
    await ada.page.keyboard.press("5");
    await expect(line).toHaveText("Waiting for The guesser");
    await expect.poll(async () => (await ada.changed(before)).pixels, { message: "the mark is drawn" }).toBeGreaterThan(100);
    await expect(line).toHaveText("Your turn");
  });

  await test.step("two cells are closed now; pressing one does nothing and says so", async () => {
    await expect(cell("5")).toHaveAttribute("aria-disabled", "true");
    await expect(ada.page.locator("#touch .touch-key[aria-disabled]")).toHaveCount(2);
    const step = await ada.step();
    await ada.page.keyboard.press("5");
    await expect(ada.page.getByText("That isn't possible right now.")).toBeVisible();
    expect(await ada.step(), "the game waits").toBe(step);
  });

  await test.step("she plays to the end", async () => {
    const over = async () => /\/thanks$/.test(ada.page.url()) || (await ada.page.locator("#overlay:not([hidden])").count()) > 0;
    for (let round = 0; round < 4 && !(await over()); round++) {
      await expect.poll(async () => (await over()) || (await line.innerText()) === "Your turn", { message: "her turn, or the end", timeout: 20_000 }).toBe(true);
      if (await over()) break;
      const key = await ada.page.locator("#touch .touch-key:not([aria-disabled])").first().getAttribute("data-key");
      await ada.page.keyboard.press(key!);
      await expect.poll(async () => (await over()) || (await cell(key!).getAttribute("aria-disabled")) === "true", { message: `cell ${key} is hers` }).toBe(true);
    }
    await expect(ada.page).toHaveURL(/\/thanks$/, { timeout: 30_000 });
    expect(await server.stop(), `the server ends cleanly:\n${server.log}`).toBe(0);
    const [episode] = await episodesOf(server.place, "tictactoe");
    expect(episode!.status).toBe("terminated");
    const mine = episode!.steps.flatMap((s) => (s.roles["player_1"]?.source === "human" ? [s.roles["player_1"]!.action] : []));
    expect(mine[0], "the middle, first").toBe(4);
    expect(new Set(mine).size, "no cell twice").toBe(mine.length);
  });
});
