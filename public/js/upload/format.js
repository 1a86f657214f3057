// @ts-check
const units = ["bytes", "KB", "MB", "GB", "TB"];

/**
 * `3.4 MB`, as the pages of the server write it.
 *
 * @param {number} bytes
 * @returns {string}
 */
export function shortBytes(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  if (unit === 0) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  return `${value.toFixed(value < 10 ? 1 : 0).replace(/\.0$/, "")} ${units[unit]}`;
}

/**
 * `40 s`, `3 min`, `2 h`: nobody believes more digits.
 *
 * @param {number} seconds
 * @returns {string}
 */
export function shortTime(seconds) {
  if (seconds < 1) return "a moment";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/**
 * @param {number} count
 * @param {string} noun
 * @returns {string}
 */
export function counted(count, noun) {
  return `${count.toLocaleString("en-GB")} ${count === 1 ? noun : `${noun}s`}`;
}
