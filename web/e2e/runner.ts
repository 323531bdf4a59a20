import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { program, temporary } from "./sharpie";

/** A real runner node, as its operator starts it. */
export class Runner {
  private constructor(
    private readonly process: ChildProcess,
    private readonly output: () => string,
    private readonly remove: () => Promise<void>,
  ) {}

  /** Starts `sharpie runner` with what stands behind these two words, and a folder of its own. */
  static async start(...flags: string[]): Promise<Runner> {
    const folder = await temporary("runner");
    const child = spawn(program, ["runner", ...flags, "--data", folder.path], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    child.stdout.on("data", (d: Buffer) => (text += d.toString()));
    child.stderr.on("data", (d: Buffer) => (text += d.toString()));
    return new Runner(child, () => text, folder.remove);
  }

  /** Everything that it said so far. */
  get log(): string {
    return this.output();
  }

  /** Its exit code; undefined while it runs. */
  get code(): number | undefined {
    return this.process.exitCode ?? undefined;
  }

  /** Ends it, if it has not ended yet, and removes its folder. */
  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = once(this.process, "exit");
      this.process.kill("SIGKILL");
      await ended;
    }
    await this.remove();
  }
}
