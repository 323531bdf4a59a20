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

// bindCopy makes a button copy what the element with the given id holds, and say so.
export function bindCopy(button: HTMLButtonElement, source: HTMLElement): void {
  const label = button.textContent ?? "";
  button.setAttribute("aria-live", "polite");
  let back: number | undefined;
  button.addEventListener("click", async () => {
    button.textContent = (await copyText(source)) ? "Copied" : "Press Ctrl+C";
    window.clearTimeout(back);
    back = window.setTimeout(() => (button.textContent = label), 2500);
  });
}
