import { Phase_Name, Seat_State, type Phase } from "../gen/play/play_pb";
import { missing, nameOf, someone } from "./seats";

// What the page says about a phase. Pure, so that every sentence is tested.
export interface Scene {
  kind: "none" | "lobby" | "ready" | "queued" | "between" | "paused" | "ended" | "aborted";
  title: string;
  text: string;
  // until is before the remaining time: "Starts in" 3; empty where there is none.
  until: string;
  urgent: boolean; // read out at once
}

// preparing stands over the picture of a round whose first picture takes its time.
export const preparing: Scene = { kind: "queued", title: "Almost there", text: "The game is being prepared.", until: "", urgent: false };

const none: Scene = { kind: "none", title: "", text: "", until: "", urgent: false };

// sceneOf says what stands over the picture in a phase. Score is the player's
// return of the round that just ended; undefined where there is none.
export function sceneOf(phase: Phase, rounds: number, score: number | undefined): Scene {
  const text = phase.reason;
  switch (phase.name) {
    case Phase_Name.WAITING: {
      const n = missing(phase.seats);
      const title = n === 0 ? "Waiting for the others to arrive" : n === 1 ? "Waiting for one more player" : `Waiting for ${n} more players`;
      return { ...none, kind: "lobby", title, text, until: "Open for another" };
    }
    case Phase_Name.READY:
      return { ...none, kind: "ready", title: "Get ready", text, until: "It starts in" };
    case Phase_Name.QUEUED:
      return { ...none, kind: "queued", title: text ? "Please wait" : "Almost there", text: text || "The game starts as soon as a place is free.", until: "Waiting up to" };
    case Phase_Name.BETWEEN: {
      const over = rounds > 1 && phase.episode > 0 ? `Round ${phase.episode} of ${rounds} is over` : "This round is over";
      const last = phase.episode >= rounds;
      return { ...none, kind: "between", title: over, text: text || (score === undefined ? "" : `Your score: ${formatScore(score)}`), until: last ? "" : "The next round starts in" };
    }
    case Phase_Name.PAUSED: {
      const away = phase.seats.filter((s) => s.state === Seat_State.AWAY && !s.yours).map(nameOf);
      const lost = away.length > 0 ? `${someone(away)} lost the connection.` : "The game waits a moment.";
      return { kind: "paused", title: "Paused", text: text || lost, until: "Waiting up to", urgent: true };
    }
    case Phase_Name.COMPLETED:
      return { ...none, kind: "ended", title: "That was it. Thank you!", text, urgent: true };
    case Phase_Name.ABORTED:
      return { ...none, kind: "aborted", title: "The game has ended", text, urgent: true };
    default:
      return none;
  }
}

// formatScore writes a return shortly: whole numbers whole, others with at most
// two decimals, with a true minus sign.
export function formatScore(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const rounded = Math.abs(value) >= 1000 ? Math.round(value) : Math.round(value * 100) / 100;
  return String(rounded === 0 ? 0 : rounded).replace("-", "−");
}

// formatLeft writes a remaining time: "7 s", "1:05 min", never less than 0.
export function formatLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}
