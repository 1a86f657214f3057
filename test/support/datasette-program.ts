import { existsSync } from "node:fs";
import { join } from "node:path";

import { skipUnlessCi } from "./needs.ts";

const installed = ["stable", "alpha"].map((line) =>
  join(import.meta.dir, "../../node_modules/.cache/datasette", line, "bin/datasette"),
);

/** Every Datasette that is there: those that the tests install for themselves, else one on the PATH. */
export const datasettePrograms: readonly string[] = programs();

/** For `describe.skipIf`. */
export const noDatasetteProgram = skipUnlessCi(
  datasettePrograms.length > 0
    ? null
    : "Datasette is not installed: nobody comes from a real one (pip install datasette, on the PATH)",
);

function programs(): string[] {
  let found = installed.filter((path) => existsSync(path));
  let onPath = Bun.which("datasette");
  return found.length > 0 || onPath === null ? found : [onPath];
}
