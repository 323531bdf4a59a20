import type { Status } from "../gen/play/play_pb";
import { byId, setText } from "./dom";
import type { Health } from "./health";
import { formatLeft, formatScore } from "./phases";
import { someone } from "./seats";

type Turns = Pick<Status, "waitingFor" | "live" | "turn">;

// waitingLine says whose turn it is, and whom a turn waits for. Roles are named
// by index. Where roles take turns, that is said whether or not the game waits.
export function waitingLine(status: Turns, me: number, nameOf: (index: number) => string | undefined): string {
  if (!status.live) return "This round is over for you.";
  const { turn, waitingFor } = status;
  const open = waitingFor.length > 0 ? waitingFor : turn;
  if (open.length === 0) return "";
  if (open.includes(me)) return yourTurn;
  const names = open.map(nameOf).filter((n): n is string => n !== undefined && n !== "");
  return names.length > 0 ? `Waiting for ${someone(names)}` : "Waiting for the others";
}

// refusalLine says why a blocked key did nothing.
export function refusalLine(status: Pick<Status, "turn">, me: number): string {
  return status.turn.length > 0 && !status.turn.includes(me) ? "It isn't your turn yet." : "That isn't possible right now.";
}

export const yourTurn = "Your turn";

// Hud is the line under the picture: round, step, score, and what is waited for.
export class Hud {
  private readonly round = byId("hud-round");
  private readonly step = byId("hud-step");
  private readonly score = byId("hud-score");
  private readonly wait = byId("hud-wait");
  private readonly who = byId("hud-who");
  private readonly left = byId("hud-left");
  private readonly stage = byId("stage");
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
    const mine = line === yourTurn;
    this.wait.classList.toggle("is-mine", mine);
    this.stage.classList.toggle("is-mine", mine);
    setText(this.who, line);
    setText(this.left, line !== "" && left !== undefined && left < 60_000 ? ` · ${formatLeft(left)}` : "");
  }

  connection(health: Health | undefined, rtt: number | undefined): void {
    this.health.dataset["level"] = health?.level ?? "none";
    setText(this.healthWord, health && rtt !== undefined ? health.word : "no connection");
    setText(this.healthTime, health && rtt !== undefined ? `${Math.max(1, Math.round(rtt))} ms` : "");
    this.health.title = health ? `Connection: ${health.word}. ${health.advice}` : "";
  }

  // slow shows that the server has not been heard of for a moment.
  slow(): void {
    this.health.dataset["level"] = "slow";
    setText(this.healthWord, "slow");
    setText(this.healthTime, "");
    this.health.title = "Slow connection: nothing has arrived for a moment. Your seat is kept.";
  }
}
