// Admin's live regions: the element #live is asked for again every two seconds
// while somebody looks at the page, and morphed, so that focus stays where it is.
import htmx from "htmx.org/dist/htmx.esm.js";

const every = 2000;

document.addEventListener("htmx:config:request", (event) => {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf"]')?.content;
  const detail = (event as CustomEvent<{ ctx: { request: { headers: Record<string, string> } } }>).detail;
  if (token) detail.ctx.request.headers["X-CSRF-Token"] = token;
});

window.setInterval(() => {
  const live = document.getElementById("live");
  if (live?.hasAttribute("hx-get") && document.visibilityState === "visible") htmx.trigger(live, "refresh");
}, every);

// A key that was shown once does not come back with the page, out of the browser's memory.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelector(".fresh-key")?.remove();
});
