import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { command, temporary, type Place } from "./sharpie";

// What `sharpie export --format jsonl` writes, as docs/DATA.md explains it: the
// part that these tests look at.

/** A raw input of a participant, and the step that used it. */
export interface Input {
  role: string;
  step: number;
  seq: number;
  step_seen: number;
  keys: string[];
  client_at: string;
}

/** One step, all roles. */
export interface Step {
  step: number;
  roles: Record<string, { action: unknown; source: string }>;
}

/** One episode with all that is stored of it. */
export interface Episode {
  id: string;
  status: string;
  steps: Step[];
  inputs: Input[];
}

interface Row {
  episode_id: string;
  step: number;
  role: string;
  source: string;
  action: unknown;
  inputs: Omit<Input, "role" | "step">[] | null;
}

/** Exports an experiment and reads its episodes back, oldest first. */
export async function episodesOf(place: Place, link: string): Promise<Episode[]> {
  const folder = await temporary("export");
  try {
    await command(place, "export", "--experiment", link, "--format", "jsonl", "--out", folder.path);
    const read = async <T>(name: string): Promise<T[]> =>
      (await readFile(join(folder.path, name), "utf8")).split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as T);
    const episodes = (await read<{ episode_id: string; status: string }>("episodes.jsonl")).map(
      (e): Episode => ({ id: e.episode_id, status: e.status, steps: [], inputs: [] }),
    );
    for (const row of await read<Row>("steps.jsonl")) {
      const episode = episodes.find((e) => e.id === row.episode_id);
      if (!episode) throw new Error(`steps of ${row.episode_id}, which is no episode`);
      let step = episode.steps.at(-1);
      if (step?.step !== row.step) {
        step = { step: row.step, roles: {} };
        episode.steps.push(step);
      }
      step.roles[row.role] = { action: row.action, source: row.source };
      for (const input of row.inputs ?? []) episode.inputs.push({ ...input, role: row.role, step: row.step });
    }
    return episodes;
  } finally {
    await folder.remove();
  }
}
