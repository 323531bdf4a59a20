export type Theme = "light" | "dark";

const stored = "sharpie-theme";

interface Memory {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

function remembered(memory: Memory): Theme | undefined {
  try {
    const value = memory.getItem(stored);
    return value === "light" || value === "dark" ? value : undefined;
  } catch {
    return undefined; // a browser that keeps nothing: the system's choice holds
  }
}

// applyTheme sets the theme, and follows the system while nothing was chosen.
export function applyTheme(root: HTMLElement, memory: Memory, dark: Pick<MediaQueryList, "matches" | "addEventListener">): void {
  const set = () => (root.dataset["bsTheme"] = remembered(memory) ?? (dark.matches ? "dark" : "light"));
  set();
  dark.addEventListener("change", set);
}

// toggleTheme changes to the other theme and remembers it.
export function toggleTheme(root: HTMLElement, memory: Memory): Theme {
  const next: Theme = root.dataset["bsTheme"] === "dark" ? "light" : "dark";
  root.dataset["bsTheme"] = next;
  try {
    memory.setItem(stored, next);
  } catch {
    // not remembered: it still holds for this page
  }
  return next;
}
