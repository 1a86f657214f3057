import type { FileRecord } from "../domain.ts";
import type { Storage } from "../store/storage.ts";
import { drawInProcess, type DrawOptions } from "./draw-process.ts";
import { drawingOf } from "./drawing.ts";
import { createQueue } from "./queue.ts";
import type { ThumbnailCache } from "./thumbnail-cache.ts";

/** Each may take a core and a gigabyte. */
const maxAtOnce = 2;
/** A page of the grid asks for a hundred. */
const maxWaiting = 300;

export interface Thumbnails {
  /**
   * WebP, at most 320 pixels wide and high; null for a file of which none can be made.
   *
   * @param signal of the one who asks; when nobody asks any more, the work is dropped
   * @throws AppError `server_busy` when too many are waiting, and what the storage throws
   */
  get(record: FileRecord, signal: AbortSignal): Promise<Uint8Array | null>;
}

export interface ThumbnailsDeps {
  storageFor: (record: FileRecord) => Pick<Storage, "open">;
  cache: ThumbnailCache;
  /** What starts this program. */
  program: readonly string[];
  limits?: DrawOptions["limits"];
}

/** One drawing, and those who wait for it. */
interface Work {
  bytes: Promise<Uint8Array | null>;
  stop: AbortController;
  askers: number;
}

/** Made on first sight, two at a time, and the same one once however often it is asked for. */
export function createThumbnails({ storageFor, cache, program, limits }: ThumbnailsDeps): Thumbnails {
  let underWay = new Map<string, Work>();
  let queue = createQueue({ atOnce: maxAtOnce, maxWaiting });

  async function draw(record: FileRecord, signal: AbortSignal): Promise<Uint8Array | null> {
    let wanted = drawingOf(record);
    if (!wanted) return null;
    let cached = await cache.get(record.uid);
    if (cached) return cached.byteLength === 0 ? null : cached;
    return await queue.run(async () => {
      let { body } = await storageFor(record).open(record.s3_key, undefined, signal);
      let bytes = await drawInProcess(wanted, { program, body, signal, ...(limits && { limits }) });
      await cache.put(record.uid, bytes ?? new Uint8Array());
      return bytes;
    }, signal);
  }

  function begin(record: FileRecord): Work {
    let stop = new AbortController();
    let bytes = draw(record, stop.signal).finally(() => underWay.delete(record.uid));
    let work: Work = { bytes, stop, askers: 0 };
    underWay.set(record.uid, work);
    return work;
  }

  return {
    async get(record, signal) {
      signal.throwIfAborted();
      let work = underWay.get(record.uid);
      if (!work || work.stop.signal.aborted) work = begin(record);
      let mine = work;
      mine.askers++;
      let leave = () => {
        mine.askers--;
        if (mine.askers === 0) mine.stop.abort(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      try {
        return await mine.bytes;
      } finally {
        signal.removeEventListener("abort", leave);
      }
    },
  };
}
