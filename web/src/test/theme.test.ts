import { expect, test } from "vitest";
import { applyTheme, toggleTheme } from "../site/theme";

function setting(dark: boolean, kept: string | null = null) {
  const root = { dataset: {} as Record<string, string> } as unknown as HTMLElement;
  const memory = { value: kept, getItem: () => memory.value, setItem: (_: string, v: string) => void (memory.value = v) };
  let change = () => {};
  const query = { matches: dark, addEventListener: (_: string, f: () => void) => (change = f) };
  return { root, memory, query: query as unknown as MediaQueryList, system: (d: boolean) => { query.matches = d; change(); } };
}

test("the system's choice holds, and is followed", () => {
  const s = setting(true);
  applyTheme(s.root, s.memory, s.query);
  expect(s.root.dataset["bsTheme"]).toBe("dark");
  s.system(false);
  expect(s.root.dataset["bsTheme"]).toBe("light");
});

test("the visitor's choice wins and is remembered", () => {
  const s = setting(false);
  applyTheme(s.root, s.memory, s.query);
  expect(toggleTheme(s.root, s.memory)).toBe("dark");
  expect(s.memory.value).toBe("dark");
  s.system(false);
  expect(s.root.dataset["bsTheme"]).toBe("dark");
});

test("a browser that keeps nothing can still be switched", () => {
  const s = setting(false);
  const broken = { getItem: () => { throw new Error("denied"); }, setItem: () => { throw new Error("denied"); } };
  applyTheme(s.root, broken, s.query);
  expect(toggleTheme(s.root, broken)).toBe("dark");
});
