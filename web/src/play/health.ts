// What a connection is good for, in words.

export type Level = "good" | "fair" | "poor";

export interface Health {
  level: Level;
  word: string;
  advice: string; // one sentence; empty where nothing needs doing
}

// rate judges a round trip and its spread, both in ms, against what players
// notice: about 100 ms from key to picture, and jerks of about 50 ms.
export function rate(rtt: number, spread: number): Health {
  if (rtt <= 90 && spread <= 60) return { level: "good", word: "good", advice: "" };
  if (rtt <= 220 && spread <= 180) {
    return { level: "fair", word: "fair", advice: "You can play. If the picture jerks, close other downloads or move closer to your Wi-Fi." };
  }
  return { level: "poor", word: "poor", advice: "The game will feel slow. Use a cable or move closer to your Wi-Fi, and close other programs that use the network." };
}
