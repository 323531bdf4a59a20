import { Seat_State, type Seat } from "../gen/play/play_pb";
import { el } from "./dom";

const words: Record<Seat_State, string> = {
  [Seat_State.FREE]: "free",
  [Seat_State.TAKEN]: "on the way",
  [Seat_State.HERE]: "here",
  [Seat_State.AWAY]: "connection lost",
  [Seat_State.AI]: "played by a program",
};

const classes: Record<Seat_State, string> = {
  [Seat_State.FREE]: "free", [Seat_State.TAKEN]: "taken", [Seat_State.HERE]: "here", [Seat_State.AWAY]: "away", [Seat_State.AI]: "ai",
};

export function nameOf(seat: Seat): string {
  return seat.name || seat.role;
}

// seatList shows who sits where, with words and not by colour alone.
export function seatList(seats: readonly Seat[]): HTMLElement[] {
  return seats.map((seat) =>
    el("li", { class: `seat seat-${classes[seat.state]}` },
      el("span", { class: "seat-mark", "aria-hidden": "true" }),
      el("span", { class: "seat-name" }, nameOf(seat), seat.yours && el("span", { class: "seat-you" }, "you")),
      el("span", { class: "seat-state" }, seat.yours && seat.state === Seat_State.HERE ? "ready" : words[seat.state])),
  );
}

// missing counts the seats that nobody has taken yet.
export function missing(seats: readonly Seat[]): number {
  return seats.filter((s) => s.state === Seat_State.FREE).length;
}

// someone joins names: "Ann", "Ann and Bo", "Ann, Bo and Cy".
export function someone(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? "";
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
