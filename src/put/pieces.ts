import { MIB, SECOND_MS } from "../units.ts";

/** A piece should take about this long: proxies often cut what takes a minute. */
const wantedSeconds = 15;
const firstBytes = 8 * MIB;
/** What nginx lets pass when nobody has told it otherwise. */
const leastBytes = MIB;
/** Proxies such as Cloudflare's let 100 MB pass in one request. */
const mostBytes = 90 * MIB;
/** The server stores a file in parts of this size; what ends between two of them costs it more. */
const partBytes = 8 * MIB;

/** `too large`: something on the way has refused it. */
export type PieceEnd = "arrived" | "cut" | "too large";

/** How large the next piece of a file should be, by how the last ones went, of whichever file. */
export interface Pieces {
  /** Where a piece that begins at the offset should end. */
  endOf(offset: number, size: number): number;
  /** Whether a smaller one may get past what has refused the last. */
  canBeLess(): boolean;
  /** To be called when a piece leaves. */
  begin(): { end(sentBytes: number, how: PieceEnd): void };
}

/** As public/js/upload/chunks.js has it for the page. */
export function createPieces(): Pieces {
  let bytes = firstBytes;
  let limit = mostBytes;
  return {
    endOf(offset, size) {
      let end = offset + bytes;
      if (bytes >= partBytes) end -= end % partBytes;
      return Math.min(end, size);
    },
    canBeLess: () => bytes > leastBytes,
    begin() {
      let beganMs = performance.now();
      return {
        end(sentBytes, how) {
          let seconds = (performance.now() - beganMs) / SECOND_MS;
          let wanted =
            how === "arrived" ? (sentBytes / Math.max(seconds, 0.1)) * wantedSeconds : sentBytes / 4;
          if (how === "too large") limit = Math.max(leastBytes, wanted);
          // The end of a file tells little of the line.
          if (how === "arrived" && sentBytes < bytes / 2) return;
          bytes = Math.round(Math.min(limit, bytes * 4, Math.max(leastBytes, wanted)));
        },
      };
    },
  };
}
