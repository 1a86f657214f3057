import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createLocalStorage } from "../../src/store/local.ts";
import { KIB } from "../../src/units.ts";
import { smallestPartBytes, storageContract } from "./storage-contract.ts";

storageContract("local storage", async () => {
  let folder = await mkdtemp(join(tmpdir(), "s3-uploads-local-"));
  let temporary = new Bun.Glob("objects/{.tmp/*,.unfinished/**/*.*}");
  return {
    storage: createLocalStorage({ directory: join(folder, "objects"), syncEveryBytes: 512 * KIB }),
    partBytes: smallestPartBytes,
    manyObjects: 300,
    countUnfinished: async () => (await Array.fromAsync(temporary.scan({ cwd: folder, dot: true }))).length,
    close: () => rm(folder, { recursive: true }),
  };
});
