// Chooses light or dark before the first paint: what the visitor chose here, or
// what their system prefers.
import { applyTheme } from "./site/theme";

document.documentElement.dataset["scripted"] = "";
applyTheme(document.documentElement, window.localStorage, window.matchMedia("(prefers-color-scheme: dark)"));
