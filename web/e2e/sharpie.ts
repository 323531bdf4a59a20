import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

export const program = process.env["SHARPIE_TEST_BINARY"] ?? resolve(import.meta.dirname, "../../bin/sharpie");

const run = promisify(execFile);

/** Where a server keeps its data: a folder, and a MongoDB URI or "". */
export interface Place {
  data: string;
  mongo: string;
}

/** A folder that is gone after the test. */
export async function temporary(name: string): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `sharpie-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

function at(place: Place): string[] {
  return place.mongo ? ["--data", place.data, "--mongo", place.mongo] : ["--data", place.data];
}

/** Runs one command of the program to its end and returns what it printed. */
export async function command(place: Place, ...args: string[]): Promise<string> {
  const { stdout } = await run(program, [...args, ...at(place)], { maxBuffer: 256 << 20, timeout: 60_000 });
  return stdout;
}

/** The real server, as `make run` starts it, but on a free port. */
export class Sharpie {
  private constructor(
    readonly place: Place,
    readonly url: string,
    /** What people type to register. */
    readonly key: string,
    /** The administrator's one-time link. */
    readonly once: string,
    /** From start to the first page that was served, in milliseconds. */
    readonly startup: number,
    private readonly process: ChildProcess,
    private readonly output: () => string,
  ) {}

  static async start(place: Place, ...flags: string[]): Promise<Sharpie> {
    const began = Date.now();
    const child = spawn(program, ["serve", "--addr", "127.0.0.1:0", ...at(place), ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    child.stdout.on("data", (d: Buffer) => (text += d.toString()));
    child.stderr.on("data", (d: Buffer) => (text += d.toString()));
    const find = (what: string, pattern: RegExp): string => {
      const found = pattern.exec(text)?.[1];
      if (!found) throw new Error(`the server printed no ${what}:\n${text}`);
      return found;
    };
    for (;;) {
      if (/Ctrl-C/.test(text)) break;
      if (child.exitCode !== null || Date.now() - began > 30_000) {
        child.kill("SIGKILL");
        throw new Error(`the server did not start:\n${text}`);
      }
      await new Promise((done) => setTimeout(done, 10));
    }
    const url = find("address", /Open it\s+(http:\/\/\S+)/);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`the first page has status ${response.status}:\n${text}`);
    const server = new Sharpie(
      place,
      url,
      find("registration key", /Registration key\s+(\S+)/),
      /Administrator\s+(http:\/\/\S+)/.exec(text)?.[1] ?? "",
      Date.now() - began,
      child,
      () => text,
    );
    return server;
  }

  /** Everything the server said so far. */
  get log(): string {
    return this.output();
  }

  /** Asks the server to end, as Ctrl-C and `docker stop` do, and returns its exit code. */
  async stop(): Promise<number> {
    if (this.process.exitCode === null) {
      const ended = once(this.process, "exit");
      this.process.kill("SIGTERM");
      const timer = setTimeout(() => this.process.kill("SIGKILL"), 40_000);
      await ended;
      clearTimeout(timer);
    }
    return this.process.exitCode ?? -1;
  }
}
