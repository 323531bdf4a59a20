// What every page has: the theme button, copy buttons, questions before
// something is ended, and the focus on a form's faults.
import { bindCopy } from "./site/copy";
import { toggleTheme } from "./site/theme";

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.addEventListener("click", () => toggleTheme(document.documentElement, window.localStorage));
}

for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
  const source = document.getElementById(button.dataset["copy"] ?? "");
  if (source) bindCopy(button, source);
}

// Delegated: Admin's tables are replaced while the page is open.
document.addEventListener("submit", (event) => {
  const form = event.target as HTMLElement;
  const question = form.dataset["confirm"];
  if (question && !window.confirm(question)) event.preventDefault();
});

document.querySelector<HTMLElement>("[data-error-summary]")?.focus();
