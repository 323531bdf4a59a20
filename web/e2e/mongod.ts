import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { temporary } from "./sharpie";

const server = resolve(import.meta.dirname, "../../.cache/mongod/mongod");

/** Whether there is a MongoDB server to test with, and why not. */
export const noMongo: string =
  process.env["SHARPIE_TEST_MONGO"] || existsSync(server) ? "" : "no MongoDB server: make test fetches one";

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}

/** Starts a MongoDB server of its own, or takes the one of SHARPIE_TEST_MONGO. */
export async function startMongo(): Promise<{ uri: (database: string) => string; stop: () => Promise<void> }> {
  const given = process.env["SHARPIE_TEST_MONGO"];
  if (given) {
    return {
      uri: (database) => {
        const url = new URL(given);
        url.pathname = `/${database}`;
        return url.href;
      },
      stop: async () => {},
    };
  }
  const port = await freePort();
  const folder = await temporary("mongod");
  const child = spawn(server, ["--port", `${port}`, "--bind_ip", "127.0.0.1", "--dbpath", folder.path, "--nounixsocket", "--quiet"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
    await folder.remove();
  };
  await new Promise<void>((ready, fail) => {
    child.stdout.on("data", (d: Buffer) => {
      if (text.includes("Waiting for connections")) return;
      text += d.toString();
      if (text.includes("Waiting for connections")) ready();
    });
    child.on("exit", () => fail(new Error(`mongod ended:\n${text.slice(-2000)}`)));
    setTimeout(() => fail(new Error(`mongod is not up after 30 s:\n${text.slice(-2000)}`)), 30_000).unref();
  });
  return { uri: (database) => `mongodb://127.0.0.1:${port}/${database}`, stop };
}
