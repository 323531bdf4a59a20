import { beforeEach, expect, test } from "vitest";
import { Silence } from "../play/silence";

let at: number, silence: Silence;

beforeEach(() => {
  at = 10_000;
  silence = new Silence(() => at);
});

test("who speaks is neither asked nor slow", () => {
  for (let i = 0; i < 20; i++) {
    at += 400;
    silence.heard();
    expect(silence.worthAsking).toBe(false);
    expect(silence.tooLong).toBe(false);
  }
});

test("a quiet server is asked once, and is slow when no answer comes", () => {
  at += 600;
  expect(silence.worthAsking).toBe(true);
  silence.asked();
  expect(silence.worthAsking).toBe(false);
  at += 800;
  expect(silence.tooLong, "1.4 s without a word").toBe(false);
  at += 200;
  expect(silence.tooLong, "1.6 s without a word").toBe(true);
  silence.heard();
  expect(silence.tooLong).toBe(false);
});

test("a page that slept blames nobody before it has asked", () => {
  at += 60_000;
  expect(silence.tooLong).toBe(false);
  silence.asked();
  expect(silence.tooLong).toBe(false);
  at += 701;
  expect(silence.tooLong).toBe(true);
});
