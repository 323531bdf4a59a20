import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { command, temporary, type Place } from "./sharpie";
export interface Input { role: string; step: number; seq: number; step_seen: number; keys: string[]; client_at: string }
export interface Step { step: number; roles: Record<string, { action: unknown; source: string }> }
export interface Episode { steps: Step[]; inputs: Input[] }
export async function episodesOf(place: Place, link: string): Promise<Episode[]> {
  const out = await temporary("export");
  await command(place, "export", "--experiment", link, "--format", "jsonl", "--out", out.path);
  console.log(await readdir(out.path), join, readFile);
  return [];
}
