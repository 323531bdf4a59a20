import { describe, expect, test } from "vitest";
import { KeyState } from "../play/keys";

describe("keys", () => {
  test("held keys are listed oldest press first", () => {
    const k = new KeyState(["ArrowLeft", "ArrowRight", " "]);
    expect(k.press("KeyR", "ArrowRight")).toBe(true);
    expect(k.press("Space", " ")).toBe(true);
    expect(k.press("KeyL", "ArrowLeft")).toBe(true);
    expect(k.held).toEqual(["ArrowRight", " ", "ArrowLeft"]);
    expect(k.release("Space")).toBe(true);
    expect(k.held).toEqual(["ArrowRight", "ArrowLeft"]);
  });

  test("a repeated press changes nothing", () => {
    const k = new KeyState(["a"]);
    expect(k.press("KeyA", "a")).toBe(true);
    expect(k.press("KeyA", "a")).toBe(false);
    expect(k.held).toEqual(["a"]);
  });

  test("keys that are not mapped are ignored", () => {
    const k = new KeyState(["a"]);
    expect(k.press("KeyB", "b")).toBe(false);
    expect(k.release("KeyB")).toBe(false);
    expect(k.held).toEqual([]);
  });

  test("Caps Lock and Shift don't stop a player", () => {
    const k = new KeyState(["a", "W"]);
    expect(k.press("KeyA", "A")).toBe(true);
    expect(k.press("KeyW", "w")).toBe(true);
    expect(k.held).toEqual(["a", "W"]);
    // Shift was let go in between: the release names another character
    expect(k.release("KeyA")).toBe(true);
    expect(k.held).toEqual(["W"]);
  });

  test("a mapped key in both cases stays apart", () => {
    const k = new KeyState(["a", "A"]);
    k.press("KeyA", "A");
    expect(k.held).toEqual(["A"]);
  });

  test("letting go of a touch button leaves the same key on the keyboard held", () => {
    const k = new KeyState(["ArrowLeft"]);
    expect(k.press("KeyL", "ArrowLeft")).toBe(true);
    expect(k.press("pointer-1", "ArrowLeft")).toBe(false);
    expect(k.release("pointer-1")).toBe(false);
    expect(k.held).toEqual(["ArrowLeft"]);
    expect(k.release("KeyL")).toBe(true);
  });

  test("losing the window releases everything once", () => {
    const k = new KeyState(["a", "b"]);
    k.press("KeyA", "a");
    k.press("KeyB", "b");
    expect(k.releaseAll()).toBe(true);
    expect(k.releaseAll()).toBe(false);
    expect(k.held).toEqual([]);
  });

  test("a blocked key does nothing until it is free again", () => {
    const k = new KeyState(["1", "2"]);
    expect(k.block(["1"])).toBe(false);
    expect(k.isBlocked("1")).toBe(true);
    expect(k.isBlocked("2")).toBe(false);
    expect(k.press("Digit1", "1")).toBe(false);
    expect(k.held).toEqual([]);
    expect(k.release("Digit1")).toBe(false);
    k.block([]);
    expect(k.press("Digit1", "1")).toBe(true);
  });

  test("a held key that becomes blocked is let go, once", () => {
    const k = new KeyState(["1", "2"]);
    k.press("Digit1", "1");
    k.press("pointer-1", "1");
    k.press("Digit2", "2");
    expect(k.block(["1"])).toBe(true);
    expect(k.held).toEqual(["2"]);
    expect(k.block(["1"])).toBe(false);
    expect(k.release("Digit1")).toBe(false);
  });
});
