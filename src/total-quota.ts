import type { ByteStream } from "./domain.ts";
import { AppError } from "./errors.ts";

/** The room that a file on its way has taken. */
export interface QuotaShare {
  /**
   * The same bytes; whatever goes beyond what was taken is taken as it comes. Its reader gets `storage_full`.
   * @param before bytes of the file that are here already, and for which room was taken
   */
  tap(body: ByteStream, before?: number): ByteStream;
  /** Right before the catalog counts the file, or when it is given up. Harmless when it was called before. */
  release(): void;
}

/** Room for all files together, those on their way included. */
export interface TotalQuota {
  /**
   * Takes room for one file. Rejects with `storage_full` when there is not as much.
   * @param declaredBytes null where nobody knows: then room is taken as the bytes come
   */
  take(declaredBytes: number | null): Promise<QuotaShare>;
}

export const noQuota: TotalQuota = { take: async () => ({ tap: (body) => body, release() {} }) };

/**
 * @param maxBytes null for no limit
 * @param storedBytes what is stored already, without the files on their way
 */
export function createTotalQuota(maxBytes: number | null, storedBytes: () => Promise<number>): TotalQuota {
  if (maxBytes === null) return noQuota;
  let limit = maxBytes;
  /** Of all files on their way. */
  let takenBytes = 0;

  return {
    async take(declaredBytes) {
      let mineBytes = 0;

      function grow(bytes: number, stored: number): void {
        if (stored + takenBytes + bytes > limit) {
          throw new AppError(
            "storage_full",
            `No room for a file: max_total_mb allows ${limit} bytes in all.`,
          );
        }
        takenBytes += bytes;
        mineBytes += bytes;
      }

      async function* tapped(body: ByteStream, before = 0): ByteStream {
        let seenBytes = before;
        for await (let chunk of body) {
          seenBytes += chunk.byteLength;
          if (seenBytes > mineBytes) grow(seenBytes - mineBytes, await storedBytes());
          yield chunk;
        }
      }

      grow(declaredBytes ?? 0, await storedBytes());
      return {
        tap: tapped,
        release() {
          takenBytes -= mineBytes;
          mineBytes = 0;
        },
      };
    },
  };
}
