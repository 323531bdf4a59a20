import type { Status } from "../gen/play/play_pb";
import { byId, setText } from "./dom";
import type { Health } from "./health";
import { formatLeft, formatScore } from "./phases";
import { someone } from "./seats";

// waitingLine says whom a turn waits for. Roles are named by index.
export function waitingLine(status: Pick<Status, "waitingFor" | "live">, me: number, nameOf: (index: number) => string | undefined): string {
  if (!status.live) return "You are out of this round. Watch how it goes on.";
  if (status.waitingFor.length === 0) return "";
  if (status.waitingFor.includes(me)) return "Your turn";
  const names = status.waitingFor.map(nameOf).filter((n): n is string => n !== undefined);
  return names.length > 0 ? `Waiting for ${someone(names)}` : "Waiting for the others";
}

// Hud is the line under the picture: round, step, score, and what is waited for.
export class Hud {
  private readonly round = byId("hud-round");
  private readonly step = byId("hud-step");
  private readonly score = byId("hud-score");
  private readonly wait = byId("hud-wait");
  private readonly health = byId("health");
  private readonly healthWord = byId("health-word");
  private readonly healthTime = byId("health-rtt");

  progress(round: number, rounds: number): void {
    setText(this.round, rounds > 0 ? `${round || "–"} of ${rounds}` : String(round || "–"));
  }

  steps(step: bigint): void {
    setText(this.step, String(step));
  }

  total(score: number): void {
    setText(this.score, formatScore(score));
  }

  // waiting shows a line from waitingLine with the time that is left, in ms.
  waiting(line: string, left: number | undefined): void {
    const mine = line === "Your turn";
    this.wait.classList.toggle("is-mine", mine);
    setText(this.wait, line !== "" && left !== undefined && left < 60_000 ? `${line} · ${formatLeft(left)}` : line);
  }

  connection(health: Health | undefined, rtt: number | undefined): void {
    this.health.dataset["level"] = health?.level ?? "none";
    setText(this.healthWord, health && rtt !== undefined ? health.word : "no connection");
    setText(this.healthTime, health && rtt !== undefined ? `${Math.max(1, Math.round(rtt))} ms` : "");
    this.health.title = health ? `Connection: ${health.word}. ${health.advice}` : "";
  }
}
