import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { Phase_Name, PhaseSchema, Seat_State } from "../gen/play/play_pb";
import { destination, endingOf } from "../play/ending";
import { refusalLine, waitingLine } from "../play/hud";
import { formatLeft, formatScore, sceneOf } from "../play/phases";
import { someone } from "../play/seats";
import { tooLong } from "../play/text";
import { arrange, columns } from "../play/touch";

const phase = (init: MessageInitShape<typeof PhaseSchema>) => create(PhaseSchema, init);
const seat = (name: string, state: Seat_State, yours = false) => ({ role: name, name, state, yours });

describe("what stands over the picture", () => {
  test("running: nothing", () => {
    expect(sceneOf(phase({ name: Phase_Name.RUNNING }), 3, 0).kind).toBe("none");
  });
  test.each([[1, "Waiting for one more player"], [2, "Waiting for 2 more players"], [0, "Waiting for the others to arrive"]])("a lobby with %d free seats", (free, title) => {
    const seats = [seat("you", Seat_State.HERE, true), ...Array.from({ length: free }, (_, i) => seat(`s${i}`, Seat_State.FREE))];
    expect(sceneOf(phase({ name: Phase_Name.WAITING, seats }), 3, undefined).title).toBe(title);
  });
  test("paused names who is away, and is read out at once", () => {
    const seats = [seat("You", Seat_State.HERE, true), seat("Chaser", Seat_State.AWAY), seat("Helper", Seat_State.AWAY)];
    const scene = sceneOf(phase({ name: Phase_Name.PAUSED, seats }), 3, undefined);
    expect(scene).toMatchObject({ text: "Chaser and Helper lost the connection.", until: "Waiting up to", urgent: true });
  });
  test("the server's own sentence wins", () => {
    expect(sceneOf(phase({ name: Phase_Name.PAUSED, reason: "Chaser left." }), 3, undefined).text).toBe("Chaser left.");
  });
  test("a queue promises nothing where the server has a sentence about it", () => {
    expect(sceneOf(phase({ name: Phase_Name.QUEUED }), 3, undefined).title).toBe("Almost there");
    const scene = sceneOf(phase({ name: Phase_Name.QUEUED, reason: "No computer that can run this is connected right now." }), 3, undefined);
    expect(scene).toMatchObject({ title: "Please wait", text: "No computer that can run this is connected right now." });
  });
  test("between rounds: the score, and when it goes on", () => {
    const scene = sceneOf(phase({ name: Phase_Name.BETWEEN, episode: 1 }), 3, -133);
    expect(scene).toMatchObject({ title: "Round 1 of 3 is over", text: "Your score: −133", until: "The next round starts in" });
  });
  test("after the last round nothing is promised", () => {
    expect(sceneOf(phase({ name: Phase_Name.BETWEEN, episode: 3 }), 3, 1).until).toBe("");
  });
  test("every phase but running has a title", () => {
    for (const name of Object.values(Phase_Name)) {
      if (typeof name !== "number" || name === Phase_Name.NAME_UNSPECIFIED || name === Phase_Name.RUNNING) continue;
      expect(sceneOf(phase({ name }), 3, undefined).title, Phase_Name[name]).not.toBe("");
    }
  });
});

describe("whom a turn waits for", () => {
  const name = (i: number) => ["You", "Chaser"][i];
  test.each([
    [{ live: true, waitingFor: [], turn: [] }, ""],
    [{ live: true, waitingFor: [0, 1], turn: [] }, "Your turn"],
    [{ live: true, waitingFor: [1], turn: [] }, "Waiting for Chaser"],
    [{ live: true, waitingFor: [9], turn: [] }, "Waiting for the others"],
    [{ live: true, waitingFor: [], turn: [0] }, "Your turn"],
    [{ live: true, waitingFor: [], turn: [1] }, "Waiting for Chaser"],
    [{ live: true, waitingFor: [1], turn: [0, 1] }, "Waiting for Chaser"],
    [{ live: false, waitingFor: [0], turn: [0] }, "This round is over for you."],
  ])("%o: %s", (status, line) => expect(waitingLine(status, 0, name)).toBe(line));
});

test("a key that does nothing says why", () => {
  expect(refusalLine({ turn: [1] }, 0)).toBe("It isn't your turn yet.");
  expect(refusalLine({ turn: [0] }, 0)).toBe("That isn't possible right now.");
  expect(refusalLine({ turn: [] }, 0)).toBe("That isn't possible right now.");
});

test.each([[0, "0"], [-0.0001, "0"], [-133, "−133"], [0.126, "0.13"], [1234.56, "1235"], [Number.NaN, "–"]])("a score of %d reads %s", (value, text) => {
  expect(formatScore(value)).toBe(text);
});

test.each([[-50, "0 s"], [1, "1 s"], [59_001, "1:00 min"], [272_000, "4:32 min"]])("%d ms left reads %s", (ms, text) => {
  expect(formatLeft(ms)).toBe(text);
});

test.each([[[], ""], [["Ann"], "Ann"], [["Ann", "Bo"], "Ann and Bo"], [["Ann", "Bo", "Cy"], "Ann, Bo and Cy"]])("%j reads %s", (names, text) => {
  expect(someone(names)).toBe(text);
});

test("only another tab's game can be taken back from here", () => {
  expect(endingOf(4001, "").label).toBe("Play here instead");
  expect(endingOf(4002, "").go).toBe("login");
  expect(endingOf(4004, "").go).toBe("thanks");
  expect(endingOf(4003, "").action).toBe("home");
  expect(endingOf(4999, "Because.").text).toBe("Because.");
});

test("the next page is a web page or none", () => {
  const here = "https://lab.example/s/1";
  expect(destination("/s/1/thanks", here)).toBe("https://lab.example/s/1/thanks");
  expect(destination("https://panel.example/done?c=1", here)).toBe("https://panel.example/done?c=1");
  for (const bad of ["", "javascript:alert(1)", "data:text/html,x", "https://"]) expect(destination(bad, here)).toBeUndefined();
});

test("a text is measured in bytes", () => {
  expect(tooLong("héé", 5)).toBe(0);
  expect(tooLong("hééé", 5)).toBe(2);
  expect(tooLong("anything", 0)).toBe(0);
});

describe("touch buttons", () => {
  test("four arrows form a pad, the rest a row", () => {
    const { pad, row } = arrange(["ArrowUp", " ", "ArrowDown", "ArrowLeft", "ArrowRight"]);
    expect(pad.get("ArrowUp")).toBe("up");
    expect(row).toEqual([" "]);
  });
  test("twenty buttons stand in at most six columns, without a lonely last one", () => {
    for (let n = 1; n <= 20; n++) {
      const across = columns(n);
      if (across === 0) continue;
      expect(across, `${n} buttons`).toBeLessThanOrEqual(n <= 7 ? 7 : 6);
      expect(Math.ceil(n / across), `rows of ${n} buttons`).toBeLessThanOrEqual(4);
      expect(n % across === 0 || n % across >= across / 2, `the last row of ${n}`).toBe(true);
    }
    expect([columns(3), columns(7), columns(9), columns(18), columns(20)]).toEqual([0, 7, 5, 6, 5]);
  });
  test("two arrows stand side by side in the author's order", () => {
    expect(arrange(["ArrowRight", "ArrowLeft"])).toEqual({ pad: new Map(), row: ["ArrowRight", "ArrowLeft"] });
  });
});
