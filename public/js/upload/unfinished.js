// @ts-check

/** As long as the server keeps an upload that nobody goes on with. */
const keptMs = 24 * 60 * 60 * 1000;
const prefix = "s3-uploads unfinished ";

/**
 * @typedef {object} Unfinished an upload that was begun in this browser
 * @property {string} name of the file
 * @property {number} size
 * @property {string} url
 * @property {number} sentBytes as far as was known last
 * @property {number} atMs
 */

/** @param {string} key @returns {Unfinished | null} */
function read(key) {
  try {
    let entry = JSON.parse(localStorage.getItem(key) ?? "null");
    if (entry && Date.now() - entry.atMs < keptMs) return entry;
    localStorage.removeItem(key);
  } catch {
    // As if there were none.
  }
  return null;
}

/**
 * What makes a file the same one when it is chosen again.
 *
 * @param {File} file
 */
export function fingerprintOf({ name, size, lastModified, type }) {
  return JSON.stringify([name, size, lastModified, type]);
}

/**
 * Uploads that were begun and not finished, kept in the browser. Storage that is full or forbidden only means that nothing
 * is remembered.
 *
 * @param {string} tusUrl uploads of another server are none of ours
 */
export function createUnfinished(tusUrl) {
  let base = `${prefix}${tusUrl} `;

  return {
    /** @param {string} fingerprint */
    find: (fingerprint) => read(base + fingerprint),

    /** @returns {[fingerprint: string, upload: Unfinished][]} */
    all() {
      try {
        let keys = Object.keys(localStorage).filter((key) => key.startsWith(base));
        return keys.flatMap((key) => {
          let entry = read(key);
          return entry ? [/** @type {[string, Unfinished]} */ ([key.slice(base.length), entry])] : [];
        });
      } catch {
        return [];
      }
    },

    /** @param {string} fingerprint @param {Omit<Unfinished, "atMs">} upload */
    keep(fingerprint, upload) {
      try {
        localStorage.setItem(base + fingerprint, JSON.stringify({ ...upload, atMs: Date.now() }));
      } catch {
        // The upload itself does not need it.
      }
    },

    /** @param {string} fingerprint */
    forget(fingerprint) {
      try {
        localStorage.removeItem(base + fingerprint);
      } catch {
        // It was never kept.
      }
    },
  };
}

/** @typedef {ReturnType<typeof createUnfinished>} UnfinishedStore */
