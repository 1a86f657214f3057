// @ts-check
const mib = 1024 * 1024;
/** A piece should take about this long: proxies often cut what takes a minute. */
const wantedSeconds = 15;
const firstBytes = 8 * mib;
/** What nginx lets pass when nobody has told it otherwise. */
const leastBytes = 1 * mib;
/** Some proxies refuse what is larger than 100 MB. */
const mostBytes = 90 * mib;
/** The server stores a file in parts of this size; what ends between two of them costs it more. */
const partBytes = 8 * mib;

/** How large the next piece of a file should be, by how the last ones went, of whichever file. */
export function createChunks() {
  let bytes = firstBytes;
  let limit = mostBytes;
  return {
    /** @param {number} offset @param {number} size of the file @returns {number} where the piece should end */
    endOf(offset, size) {
      let end = offset + bytes;
      if (bytes >= partBytes) end -= end % partBytes;
      return Math.min(end, size);
    },
    /** Whether a smaller one may get past what has refused the last. */
    canBeLess: () => bytes > leastBytes,
    /** To be called when a piece leaves. */
    begin() {
      let beganMs = performance.now();
      return {
        /** @param {number} sentBytes @param {"arrived" | "cut" | "too large"} how the last: something on the way refused it */
        end(sentBytes, how) {
          let seconds = (performance.now() - beganMs) / 1000;
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

/** @typedef {ReturnType<typeof createChunks>} Chunks */
