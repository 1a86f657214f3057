import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createLocalStorage } from "../../src/store/local.ts";
import { reconcileContract } from "./contract.ts";

reconcileContract("local storage", async () => {
  let folder = await mkdtemp(join(tmpdir(), "s3-uploads-local-"));
  return {
    storage: createLocalStorage({ directory: join(folder, "objects") }),
    beginUnfinished: null,
    close: () => rm(folder, { recursive: true }),
  };
});
