// copyText puts a text on the clipboard. Where the browser refuses (no HTTPS, no
// permission), the text is selected, so that one key copies it; false then.
export async function copyText(source: HTMLElement): Promise<boolean> {
  const text = source instanceof HTMLInputElement ? source.value : (source.textContent ?? "");
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (source instanceof HTMLInputElement) source.select();
    else window.getSelection()?.selectAllChildren(source);
    return false;
  }
}

const labels = new WeakMap<HTMLButtonElement, string>();
const timers = new WeakMap<HTMLButtonElement, number>();

// copyBy copies what the element holds, and has the button say so for a moment.
export async function copyBy(button: HTMLButtonElement, source: HTMLElement): Promise<void> {
  const label = labels.get(button) ?? button.textContent ?? "";
  labels.set(button, label);
  button.setAttribute("aria-live", "polite");
  button.textContent = (await copyText(source)) ? "Copied" : "Press Ctrl+C";
  window.clearTimeout(timers.get(button));
  timers.set(
    button,
    window.setTimeout(() => (button.textContent = label), 2500),
  );
}

// bindCopy makes a button copy what an element holds.
export function bindCopy(button: HTMLButtonElement, source: HTMLElement): void {
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", () => void copyBy(button, source));
}
