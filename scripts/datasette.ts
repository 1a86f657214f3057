/**
 * Installs Datasette for the tests, once: the stable line and the newest alpha of 1.0, each with the plugins that the
 * catalog is made for, in a virtual environment of its own. Needs python3 with venv.
 */
import { mkdirSync, rmSync } from "node:fs";

import {
  type DatasetteLine,
  datasetteLines,
  environmentOf,
  isInstalled,
} from "../test/support/datasette-environments.ts";

const packages = {
  stable: ["datasette<1", "sqlite-utils"],
  alpha: ["--pre", "datasette>=1.0a37"],
} as const satisfies Record<DatasetteLine, readonly string[]>;
const plugins = ["datasette-cluster-map", "datasette-json-html"];

for (let line of datasetteLines) {
  let folder = environmentOf(line);
  if (isInstalled(line)) continue;
  console.log(`installing Datasette (${line})`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run("python3", "-m", "venv", folder);
  run(`${folder}/bin/python`, "-m", "pip", "install", "--quiet", ...packages[line], ...plugins);
  run(`${folder}/bin/datasette`, "--version");
  await Bun.write(`${folder}/complete`, "");
}

function run(...command: string[]): void {
  let { exitCode } = Bun.spawnSync(command, { stdout: "inherit", stderr: "inherit" });
  if (exitCode !== 0) process.exit(exitCode ?? 1);
}
