import { expect, test } from "vitest";
import { fit } from "../play/layout";

test("a picture takes the whole width or the whole height", () => {
  expect(fit(600, 400, 960, 700, 1)).toEqual({ width: 960, height: 640, pixelated: false });
  expect(fit(600, 400, 960, 320, 1)).toEqual({ width: 480, height: 320, pixelated: false });
});

test("a large picture shrinks to fit a phone", () => {
  expect(fit(1024, 1024, 390, 500, 3)).toEqual({ width: 390, height: 390, pixelated: false });
});

test("a small picture is enlarged in whole device pixels where that costs little", () => {
  expect(fit(64, 64, 400, 400, 1)).toEqual({ width: 384, height: 384, pixelated: true });
  expect(fit(64, 64, 390, 600, 2)).toEqual({ width: 384, height: 384, pixelated: true }); // 12 device pixels each
});

test("it keeps its size where whole pixels would cost too much", () => {
  expect(fit(160, 160, 300, 300, 1)).toEqual({ width: 300, height: 300, pixelated: true });
});

test("without room or picture there is nothing to show", () => {
  for (const [w, h, rw, rh] of [[0, 10, 5, 5], [10, 10, 0, 5], [10, 10, 5, -1]] as const) {
    expect(fit(w, h, rw, rh, 1)).toEqual({ width: 0, height: 0, pixelated: false });
  }
});

test("the picture never exceeds its room", () => {
  for (const ratio of [1, 1.25, 2, 2.625]) {
    for (const room of [311, 390, 721, 1003]) {
      const { width, height } = fit(84, 63, room, room, ratio);
      expect(Math.max(width, height)).toBeLessThanOrEqual(room);
    }
  }
});
