// What every page has: the theme button, copy buttons, questions before
// something is ended, and the focus on a form's faults.
import { copyBy } from "./site/copy";
import { toggleTheme } from "./site/theme";

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.addEventListener("click", () => toggleTheme(document.documentElement, window.localStorage));
}

// Delegated, as what follows: parts of Admin's pages are replaced while they are open.
document.addEventListener("click", (event) => {
  const button = (event.target as Element).closest<HTMLButtonElement>("button[data-copy]");
  const source = document.getElementById(button?.dataset["copy"] ?? "");
  if (button && source) void copyBy(button, source);
});

document.addEventListener("submit", (event) => {
  const form = event.target as HTMLElement;
  const question = form.dataset["confirm"];
  if (question && !window.confirm(question)) event.preventDefault();
});

document.querySelector<HTMLElement>("[data-error-summary]")?.focus();
