import { expect, test } from "vitest";
import { Clock } from "../play/clock";
import { rate } from "../play/health";
import { describe as inWords } from "../site/check";

// exchange answers a ping sent at t whose ways took there and back ms, by a
// server whose clock is ahead ms ahead.
function exchange(clock: Clock, t: number, there: number, back: number, ahead: number): void {
  clock.add(t, t + there + back, t + there + ahead);
}

test("nothing is known before the first answer", () => {
  const clock = new Clock();
  expect([clock.offset, clock.rtt, clock.typical, clock.spread]).toEqual([0, undefined, undefined, 0]);
});

test("an even way gives the exact offset", () => {
  const clock = new Clock();
  exchange(clock, 1000, 20, 20, 5000);
  expect(clock.offset).toBe(5000);
  expect(clock.rtt).toBe(40);
});

test("the shortest round trip counts, not the last", () => {
  const clock = new Clock();
  exchange(clock, 0, 5, 5, -700);
  exchange(clock, 2000, 300, 10, -700); // stuck on the way there: off by 145
  expect(clock.offset).toBe(-700);
  expect(clock.rtt).toBe(310);
});

test("a measurement is forgotten after eight newer ones, so that drift is followed", () => {
  const clock = new Clock();
  exchange(clock, 0, 1, 1, 100);
  for (let i = 1; i <= 8; i++) exchange(clock, i * 2000, 10, 10, 140);
  expect(clock.offset).toBe(140);
});

test("a clock that was set back is no measurement", () => {
  const clock = new Clock();
  clock.add(1000, 400, 700);
  expect(clock.rtt).toBeUndefined();
});

test("one stray round trip doesn't make a good connection fair", () => {
  const clock = new Clock();
  for (const back of [10, 12, 11, 400, 10, 12]) exchange(clock, 0, 10, back, 0);
  expect(rate(clock.typical!, clock.spread).level).toBe("good");
});

test.each([
  [30, 5, "good"],
  [90, 60, "good"],
  [120, 5, "fair"],
  [30, 100, "fair"],
  [400, 5, "poor"],
  [30, 500, "poor"],
])("a round trip of %d ms that varies by %d ms is %s", (rtt, spread, level) => {
  expect(rate(rtt, spread).level).toBe(level);
});

test("the check says a word, a number and what to do", () => {
  expect(inWords({ typical: 23.4, spread: 2 }).text).toBe("Good: an answer takes 23 ms. You are ready to play.");
  expect(inWords({ typical: 500, spread: 2 }).text).toMatch(/^Poor: an answer takes 500 ms\. .*Wi-Fi/);
  expect(inWords({ typical: undefined, spread: 0 }).text).toMatch(/^No answer/);
});
