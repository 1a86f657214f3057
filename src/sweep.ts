import type { Clock } from "./clock.ts";
import { isRefusal } from "./errors.ts";
import type { Log } from "./log.ts";
import type { FileRepository } from "./record/file-repository.ts";
import type { Journal } from "./state/journal.ts";
import { uidInKey } from "./store/key-kinds.ts";
import type { Storage, UnfinishedUpload } from "./store/storage.ts";
import { HOUR_MS } from "./units.ts";

const everyMs = HOUR_MS;

export interface SweepDeps {
  journal: Pick<Journal, "find">;
  repository: Pick<FileRepository, "get">;
  /** Where new files go. */
  storage: Pick<Storage, "head" | "listUnfinished" | "abortMultipart">;
  /** What our keys begin with. */
  prefix: string;
  clock: Clock;
  log: Log;
}

/**
 * Ends unfinished multipart uploads beside files that are complete, at most once an hour; rejects when storage can't be
 * reached. They come from a Create that the network has delivered twice, or long after its sender had tried again: no
 * intent knows them. A row with the very key proves that one is ours, and its whole object that it is of no use; whatever
 * else is unfinished under the prefix may be another program's, or all that is left of a file, and stays.
 */
export type Sweep = () => Promise<void>;

export function createSweep({ journal, repository, storage, prefix, clock, log }: SweepDeps): Sweep {
  let sweptAtMs: number | null = null;

  async function isStray({ key }: UnfinishedUpload): Promise<boolean> {
    let uid = uidInKey(key);
    if (uid === null || journal.find("upload", uid)) return false;
    let row = await repository.get(uid);
    return row?.s3_key === key && (await storage.head(key))?.sizeBytes === row.size_bytes;
  }

  async function run(): Promise<void> {
    let ended = 0;
    for await (let upload of storage.listUnfinished(prefix)) {
      if (!(await isStray(upload))) continue;
      await storage.abortMultipart(upload.key, upload.uploadId);
      ended++;
    }
    if (ended > 0) log.info({ ended }, "ended multipart uploads that nobody needs");
  }

  return async function sweep() {
    let nowMs = clock.nowMs();
    if (sweptAtMs !== null && Math.abs(nowMs - sweptAtMs) < everyMs) return;
    try {
      await run();
    } catch (error) {
      // Servers without that list, and policies that forbid it or the ending.
      if (!isRefusal(error)) throw error;
      log.debug({ reason: (error as Error).message }, "unfinished uploads can't be swept");
    }
    sweptAtMs = nowMs;
  };
}
