import { byId } from "./dom";

// bindPanel wires what surrounds the game: the leave dialog, the help panel on
// narrow screens, Escape, and the first touch, which brings the touch buttons.
export function bindPanel(page: HTMLElement, picture: HTMLElement, isMapped: (key: string) => boolean): void {
  const dialog = byId<HTMLDialogElement>("leave-dialog");
  const leave = byId("leave");
  leave.addEventListener("click", () => dialog.showModal());
  byId("leave-stay").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => picture.focus({ preventScroll: true }));

  const help = byId("help");
  const showHelp = (open: boolean) => {
    page.classList.toggle("help-open", open);
    help.setAttribute("aria-expanded", String(open));
    if (open) byId("side-close").focus();
    else help.focus();
  };
  help.addEventListener("click", () => showHelp(!page.classList.contains("help-open")));
  byId("side-close").addEventListener("click", () => showHelp(false));

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || dialog.open) return;
    if (page.classList.contains("help-open")) showHelp(false);
    else if (!isMapped("Escape")) leave.focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "touch") page.classList.add("has-touch");
  });
}
