// How long to wait before the next attempt to connect: doubling from a quarter
// of a second to five seconds, with jitter so that many browsers that lost the
// same server don't come back in one instant.

const first = 250;
const longest = 5000;

// delay is in ms; attempt counts from 0; random is in [0, 1).
export function delay(attempt: number, random: number): number {
  const full = Math.min(longest, first * 2 ** Math.min(attempt, 10));
  return full * (0.5 + random / 2);
}
