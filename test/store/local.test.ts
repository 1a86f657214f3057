import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createLocalStorage } from "../../src/store/local.ts";
import { KIB } from "../../src/units.ts";
import { smallestPartBytes, storageContract } from "./storage-contract.ts";

storageContract("local storage", async () => {
  let folder = await mkdtemp(join(tmpdir(), "s3-uploads-local-"));
  return {
    storage: createLocalStorage({ directory: join(folder, "objects"), syncEveryBytes: 512 * KIB }),
    partBytes: smallestPartBytes,
    manyObjects: 300,
    countUnfinished: async () => readdirSync(join(folder, "objects", ".tmp")).length,
    close: () => rm(folder, { recursive: true }),
  };
});
