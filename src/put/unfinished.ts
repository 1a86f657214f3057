import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Source } from "./sources.ts";

/** Uploads that were begun, so that a later run goes on with them. */
export interface Unfinished {
  /** Address of the upload, or null when none of this very file is remembered. */
  find(source: Source): Promise<string | null>;
  remember(source: Source, uploadUrl: string): Promise<void>;
  forget(source: Source): Promise<void>;
}

/**
 * One small file for each upload, named by what makes the file the same: server, path, length and time of change. A folder
 * that can't be written to makes uploads start anew, and is no error.
 *
 * @param folder made with mode 0700 when the first upload is remembered: an address is as good as the file
 */
export function createUnfinished(folder: string, baseUrl: string): Unfinished {
  let fileOf = ({ file }: Source) => {
    let same = JSON.stringify([baseUrl, file?.path, file?.sizeBytes, file?.modifiedMs]);
    return join(folder, `${new Bun.CryptoHasher("sha256").update(same).digest("hex")}.url`);
  };
  return {
    async find(source) {
      let text = source.file && (await readFile(fileOf(source), "utf8").catch(() => null));
      let url = text && URL.parse(text.trim());
      // The token goes where this address says: nowhere but to the server that gave it.
      return url && url.origin === new URL(baseUrl).origin ? url.href : null;
    },
    async remember(source, uploadUrl) {
      if (!source.file) return;
      let path = fileOf(source);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(`${path}.new`, `${uploadUrl}\n`, { mode: 0o600 });
        await rename(`${path}.new`, path);
      } catch {
        // The upload itself does not need it.
      }
    },
    forget: (source) =>
      source.file ? rm(fileOf(source), { force: true }).catch(() => {}) : Promise.resolve(),
  };
}
