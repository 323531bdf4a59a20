import { CloseCode } from "./protocol";

// Where a closed connection leaves the player.
export interface Ending {
  // go is where the page goes by itself; empty where it stays.
  go: "" | "thanks" | "login";
  title: string;
  text: string;
  action: "" | "reload" | "home";
  label: string; // of the action
}

// endingOf translates a final close code. Text is the server's own sentence.
export function endingOf(code: number, text: string): Ending {
  const stay = { go: "" as const, action: "reload" as const, label: "Reload the page" };
  switch (code) {
    case CloseCode.replaced:
      return { ...stay, title: "The game is open in another tab", text: "Play goes on there, on your seat.", label: "Play here instead" };
    case CloseCode.notLoggedIn:
      return { ...stay, go: "login", title: "Please log in again", text: "Your seat is kept for a moment." };
    case CloseCode.notYours:
      return { ...stay, title: "This seat isn't yours", text: "Someone else has it, or you gave it up.", action: "home", label: "Back to the experiment" };
    case CloseCode.normal:
    case CloseCode.over:
      return { ...stay, go: "thanks", title: "The game is over", text: "" };
    case CloseCode.tooSlow:
      return { ...stay, title: "Your connection couldn't keep up", text: "Your seat is kept for a moment. Try again, closer to your Wi-Fi if you can." };
    case CloseCode.tooMany:
      return { ...stay, title: "Too many keys at once", text: "A key may be stuck. Your seat is kept for a moment." };
    case CloseCode.foreign:
      return { ...stay, title: "This page can't play", text: "It was opened through another address than the server's own.", action: "home", label: "Back to the experiment" };
    default:
      return { ...stay, title: "The connection was closed", text: text || "Your seat is kept for a moment." };
  }
}

// destination passes what the server names as the next page only where it is a
// web page; else it is undefined.
export function destination(next: string, here: string): string | undefined {
  if (next === "") return undefined;
  try {
    const url = new URL(next, here);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
  } catch {
    return undefined;
  }
}
