// The play page: from the waiting room to the end, drawn from the socket.
import { byId } from "./play/dom";
import { Game } from "./play/game";

const page = byId("play");
const { socket, thanks, home, share, lobby, roles } = page.dataset;
const url = new URL(socket ?? "", window.location.href);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";

new Game(page, { socket: url.href, thanks: thanks ?? "/", home: home ?? "/", share: share ?? "", lobby: lobby ?? "", roles: namesIn(roles) }).start();

// namesIn reads the names of the roles that the page was written with.
function namesIn(list: string | undefined): string[] {
  const names: unknown = JSON.parse(list || "[]");
  return Array.isArray(names) ? names.map(String) : [];
}
