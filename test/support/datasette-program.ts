import { join } from "node:path";

import { datasetteLines, environmentOf, isInstalled } from "./datasette-environments.ts";
import { skipUnlessCi } from "./needs.ts";

/** Every Datasette that is there: those of `bun run datasette`, else one on the PATH. */
export const datasettePrograms: readonly string[] = programs();

/** For `describe.skipIf`. */
export const noDatasetteProgram = skipUnlessCi(
  datasettePrograms.length > 0
    ? null
    : "Datasette is not installed: nobody comes from a real one (bun run datasette)",
);

function programs(): string[] {
  let found = datasetteLines.filter(isInstalled).map((line) => join(environmentOf(line), "bin/datasette"));
  let onPath = Bun.which("datasette");
  return found.length > 0 || onPath === null ? found : [onPath];
}
