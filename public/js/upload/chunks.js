// @ts-check
const mib = 1024 * 1024;
/** A piece should take about this long: proxies often cut what takes a minute. */
const wantedSeconds = 15;
const firstBytes = 8 * mib;
const leastBytes = 1 * mib;
/** Some proxies refuse what is larger than 100 MB. */
const mostBytes = 90 * mib;

/** How large the next piece of a file should be, by how fast the last one went. */
export function createChunks() {
  let bytes = firstBytes;
  let beganMs = 0;
  return {
    bytes: () => bytes,
    begin() {
      beganMs = performance.now();
    },
    /** @param {number} sentBytes @param {boolean} wentWell */
    end(sentBytes, wentWell) {
      let seconds = (performance.now() - beganMs) / 1000;
      let wanted = wentWell ? (sentBytes / Math.max(seconds, 0.1)) * wantedSeconds : bytes / 2;
      if (wentWell && sentBytes < bytes) return;
      bytes = Math.round(Math.min(mostBytes, bytes * 4, Math.max(leastBytes, wanted)));
    },
  };
}
