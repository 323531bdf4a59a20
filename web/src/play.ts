// The play page: from the waiting room to the end, drawn from the socket.
import { byId } from "./play/dom";
import { Game } from "./play/game";

const page = byId("play");
const { socket, thanks, home, share } = page.dataset;
const url = new URL(socket ?? "", window.location.href);
url.protocol = url.protocol === "https:" ? "wss:" : "ws:";

new Game(page, { socket: url.href, thanks: thanks ?? "/", home: home ?? "/", share: share ?? "" }).start();
