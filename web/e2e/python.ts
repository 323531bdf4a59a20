import { existsSync } from "node:fs";
import { resolve } from "node:path";

const own = resolve(import.meta.dirname, "../../.cache/python");

/** The Python with Gymnasium and PettingZoo to test with, as `make python` builds it. */
export const python: string = process.env["SHARPIE_TEST_PYTHON"] || (existsSync(`${own}/ready`) ? `${own}/bin/python` : "");

/** Why nothing in Python can be tested; empty where it can. */
export const noPython: string = python || process.env["CI"] ? "" : "no Python with Gymnasium: run make python";
