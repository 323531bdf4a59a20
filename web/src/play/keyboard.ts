import type { KeyState } from "./keys";

// What may take a key press before the game does.
const textFields = "input:not([readonly]), textarea, select, [contenteditable]";
const operable = "button, a[href], summary, [role=button]";

// isForGame says whether a press belongs to the game: not while someone types,
// not with Ctrl, Alt or the system key held (those are the browser's), not while
// a dialog is open, and not the keys that operate a focused button.
export function isForGame(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey" | "target">): boolean {
  if (event.ctrlKey || event.altKey || event.metaKey) return false;
  const target = event.target;
  if (!(target instanceof Element)) return true;
  if (target.closest(textFields) || target.closest("dialog[open]")) return false;
  return !(target.closest(operable) && (event.key === "Enter" || event.key === " "));
}

// bindKeyboard feeds the keyboard into the key state and calls changed after
// every press and release that made a difference. While playing() is false keys
// are followed, but they do what they always do on a page. A blocked key that is
// pressed, and not only still held, is reported to refused.
export function bindKeyboard(state: KeyState, playing: () => boolean, changed: () => void, refused: (key: string) => void): () => void {
  const stop = new AbortController();
  const options = { signal: stop.signal };
  document.addEventListener("keydown", (event) => {
    if (!isForGame(event) || state.match(event.key) === undefined) return;
    if (playing()) event.preventDefault(); // the arrows would scroll the page
    if (state.isBlocked(event.key)) {
      if (playing() && !event.repeat) refused(state.match(event.key) ?? event.key);
      return;
    }
    // A repetition is no change, unless the press went elsewhere: it is held, then.
    if (state.press(event.code || event.key, event.key)) changed();
  }, options);
  // A release always counts, wherever the focus is by now.
  document.addEventListener("keyup", (event) => {
    if (state.release(event.code || event.key)) changed();
  }, options);
  const all = () => {
    if (state.releaseAll()) changed();
  };
  window.addEventListener("blur", all, options);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && all(), options);
  document.addEventListener("focusin", (event) => {
    if (event.target instanceof Element && event.target.closest(textFields)) all();
  }, options);
  return () => stop.abort();
}
