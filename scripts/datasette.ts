/**
 * Installs Datasette for the tests, once: the stable line and the newest alpha of 1.0, each with the plugins that the
 * catalog is made for, in a virtual environment of its own. Needs python3 with venv.
 */
import { mkdirSync, rmSync } from "node:fs";

import {
  completionOf,
  datasetteLines,
  environmentOf,
  isInstalled,
  packagesOf,
} from "../test/support/datasette-environments.ts";

for (let line of datasetteLines) {
  let folder = environmentOf(line);
  if (isInstalled(line)) continue;
  console.log(`installing Datasette (${line})`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  run("python3", "-m", "venv", folder);
  run(`${folder}/bin/python`, "-m", "pip", "install", "--quiet", ...packagesOf[line]);
  run(`${folder}/bin/datasette`, "--version");
  let { path, text } = completionOf(line);
  await Bun.write(path, text);
}

function run(...command: string[]): void {
  let { exitCode } = Bun.spawnSync(command, { stdout: "inherit", stderr: "inherit" });
  if (exitCode !== 0) process.exit(exitCode ?? 1);
}
