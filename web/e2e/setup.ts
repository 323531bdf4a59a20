import { existsSync } from "node:fs";
import { program } from "./sharpie";

// Says what is missing once, instead of once per test.
export default function setup(): void {
  if (!existsSync(program)) throw new Error(`${program} is not built: run make build`);
}
