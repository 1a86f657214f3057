import type { FileMetadata, MediaType } from "../domain.ts";
import { AppError, toAppError } from "../errors.ts";
import type { ByteSource } from "../inspect/byte-source.ts";
import { extractMetadata, tellsFacts } from "../inspect/extract-metadata.ts";
import type { FetchRange } from "../inspect/fetched-pages.ts";
import { defaultHeadBytes, defaultTailBytes, sourceOfPieces } from "../inspect/head-tail.ts";
import { measureBody } from "../inspect/measure.ts";
import { detectMediaType } from "../inspect/media-type.ts";
import type { Storage } from "../store/storage.ts";
import { SECOND_MS } from "../units.ts";
import { createLimit } from "./in-order.ts";

/** Whole reads of large objects; more of them would not be faster. */
const largeReadsAtOnce = 2;
/** A body may come slowly, but it has to come. */
const defaultStallMs = 60 * SECOND_MS;
/** How often in a row a body may break off; calls without a body storage itself tries again. */
const tries = 3;

/** What the bytes of an object turned out to be. */
export interface Inspected {
  media: MediaType;
  facts: FileMetadata;
  sizeBytes: number;
  /** Of the bytes as they are now; null where they were not read as a whole. */
  sha256: string | null;
}

/** An object before its bytes are inspected. */
export interface FoundObject {
  userMetadata: Record<string, string>;
  /**
   * @param filename decides what the content leaves open
   * @param isDigestKnown then some ranges of a large object suffice
   */
  inspect(filename: string, isDigestKnown: boolean): Promise<Inspected>;
}

export interface ListedObject {
  key: string;
  /** Null when it was not listed but named. */
  sizeBytes: number | null;
}

export interface ObjectReader {
  /**
   * Looks the object up and gives it to `work`. Rejects with `gone` when it is not there,
   * `storage_unavailable` when nobody can tell, `storage_error`, or the signal's reason.
   */
  read<T>(listed: ListedObject, work: (found: FoundObject) => Promise<T>): Promise<T>;
}

/** The same inspection as an upload's: a small object costs one call, a large one two or three, or is read as a whole. */
export function createObjectReader(
  storage: Storage,
  options: { keepPosition: boolean; signal: AbortSignal; stallMs?: number },
): ObjectReader {
  let { keepPosition, signal, stallMs = defaultStallMs } = options;
  let withinLarge = createLimit(largeReadsAtOnce);

  async function once<T>(listed: ListedObject, work: (found: FoundObject) => Promise<T>) {
    let { key, sizeBytes } = listed;
    // The whole head of a small object: metadata and bytes come in one answer, where the storage does that.
    if (sizeBytes !== null && sizeBytes > 0 && sizeBytes < defaultHeadBytes) {
      return withBody(key, undefined, async (chunks, opened) => {
        let userMetadata = opened.userMetadata ?? (await headOf(key)).userMetadata ?? {};
        return work({ userMetadata, inspect: (filename) => inspectWhole(key, chunks, filename) });
      });
    }
    let { userMetadata = {}, sizeBytes: foundBytes } = await headOf(key);
    return work({
      userMetadata,
      inspect(filename, isDigestKnown) {
        if (foundBytes === 0) return inspectWhole(key, nothing(), filename);
        let isLarge = foundBytes >= defaultHeadBytes;
        if (isDigestKnown && isLarge) return inspectRanges(key, foundBytes, filename);
        let whole = () => withBody(key, undefined, (chunks) => inspectWhole(key, chunks, filename));
        return isLarge ? withinLarge(whole) : whole();
      },
    });
  }

  async function headOf(key: string) {
    let info = await storage.head(key);
    if (!info) throw new AppError("gone", `${key} is not there any more.`);
    return info;
  }

  async function inspectWhole(
    key: string,
    chunks: AsyncIterable<Uint8Array>,
    filename: string,
  ): Promise<Inspected> {
    let measured = measureBody(chunks, Number.POSITIVE_INFINITY, filename, null);
    let head = await measured.readHead();
    let media = await detectMediaType(head.bytes, head.isWhole, filename);
    for await (let chunk of measured.body) void chunk;
    let { headTail } = measured;
    let facts = await factsOf(key, media, (fetch) => headTail.source(fetch));
    return { media, facts, sizeBytes: headTail.sizeBytes, sha256: measured.sha256() };
  }

  async function inspectRanges(key: string, sizeBytes: number, filename: string): Promise<Inspected> {
    let head = await readBytes(key, 0, defaultHeadBytes);
    let media = await detectMediaType(head, false, filename);
    let tailBytes = tellsFacts(media.contentType)
      ? Math.min(defaultTailBytes, sizeBytes - head.byteLength)
      : 0;
    let tail = tailBytes > 0 ? await readBytes(key, sizeBytes - tailBytes, tailBytes) : new Uint8Array();
    let facts = await factsOf(key, media, (fetch) => sourceOfPieces({ sizeBytes, head, tail }, fetch));
    return { media, facts, sizeBytes, sha256: null };
  }

  /** An upload goes on without the facts that it could not read; here there is time to look again. */
  async function factsOf(
    key: string,
    media: MediaType,
    sourceWith: (fetch: FetchRange) => ByteSource,
  ): Promise<FileMetadata> {
    let failures: unknown[] = [];
    let source = sourceWith(async (offset, length) => {
      try {
        return await readBytes(key, offset, length);
      } catch (error) {
        failures.push(error);
        throw error;
      }
    });
    let facts = await extractMetadata(source, media, { keepPosition });
    if (failures.length > 0) throw failures[0];
    return facts;
  }

  function readBytes(key: string, offset: number, length: number): Promise<Uint8Array> {
    return withBody(key, { first: offset, last: offset + length - 1 }, async (chunks) => {
      let pieces: Uint8Array[] = [];
      for await (let chunk of chunks) pieces.push(chunk);
      return Buffer.concat(pieces);
    });
  }

  /** Lets go of what `work` has not read. */
  async function withBody<T>(
    key: string,
    range: Range | undefined,
    work: (
      chunks: AsyncIterable<Uint8Array>,
      opened: { userMetadata?: Record<string, string> },
    ) => Promise<T>,
  ): Promise<T> {
    let body = await openBody(key, range);
    let first = range?.first ?? 0;
    let last = range?.last ?? body.sizeBytes - 1;

    /** Of a terabyte the last bytes may break off: what has come before is not read again. */
    async function* chunks(): AsyncGenerator<Uint8Array> {
      let position = first;
      for (let attempt = 1; ;) {
        try {
          // To its end, which the last byte alone does not tell: only then can the connection be used again.
          let chunk = await body.next();
          if (!chunk && position > last) return;
          if (!chunk) throw new Error(`it ended after ${position} of ${last + 1} bytes`);
          attempt = 1;
          position += chunk.byteLength;
          yield chunk;
        } catch (error) {
          if (signal.aborted || attempt++ >= tries) throw error;
          await body.close();
          body = await openBody(key, { first: position, last });
        }
      }
    }
    try {
      return await work(chunks(), body);
    } finally {
      await body.close();
    }
  }

  /** A body whose chunks have to come in time; one that falls silent ends with `storage_unavailable`. */
  async function openBody(key: string, range: Range | undefined) {
    let stall = new AbortController();
    let opened = await storage.open(key, range, AbortSignal.any([signal, stall.signal]));
    let reader = opened.body.getReader();
    return {
      ...opened,
      async next(): Promise<Uint8Array | null> {
        let timer = setTimeout(() => stall.abort(silent(key, stallMs)), stallMs);
        try {
          return (await reader.read()).value ?? null;
        } finally {
          clearTimeout(timer);
        }
      },
      close: () => reader.cancel().catch(() => {}),
    };
  }

  return {
    async read(listed, work) {
      signal.throwIfAborted();
      try {
        return await once(listed, work);
      } catch (thrown) {
        if (signal.aborted) throw signal.reason;
        throw asStorageError(thrown, listed.key);
      }
    },
  };
}

interface Range {
  first: number;
  last: number;
}

function silent(key: string, stallMs: number): AppError {
  return new AppError("storage_unavailable", `${key} broke off: nothing came for ${stallMs / SECOND_MS} s.`);
}

/** A body that breaks off rejects with whatever the network says. */
function asStorageError(thrown: unknown, key: string): AppError {
  if (thrown instanceof AppError) return thrown;
  let reason = toAppError(thrown).message;
  return new AppError("storage_unavailable", `${key} broke off while it was read: ${reason}`, {
    cause: thrown,
  });
}

// oxlint-disable-next-line require-yield -- an empty body
async function* nothing(): AsyncGenerator<Uint8Array> {}
