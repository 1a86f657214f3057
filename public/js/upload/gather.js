// @ts-check

/**
 * The files of a drop or a paste; of a folder all files below it.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>}
 */
export async function filesOf(transfer) {
  // Entries have to be taken before the first await: the list is emptied when the event has been handled.
  let items = [...transfer.items].filter(({ kind }) => kind === "file");
  let entries = items.map((item) => item.webkitGetAsEntry?.() ?? null);
  let plain = [...transfer.files];
  if (!entries.some((entry) => entry?.isDirectory)) return plain;
  /** @type {File[]} */
  let found = [];
  for (let entry of entries) if (entry) await collect(entry, found);
  return found;
}

/**
 * @param {FileSystemEntry} entry
 * @param {File[]} found
 */
async function collect(entry, found) {
  if (entry.isFile) {
    let file = await fileOf(/** @type {FileSystemFileEntry} */ (entry));
    if (file) found.push(file);
    return;
  }
  let reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  // A reader gives a hundred entries at a time, and none at the end.
  for (;;) {
    let batch = await batchOf(reader);
    if (batch.length === 0) return;
    for (let one of batch) await collect(one, found);
  }
}

/**
 * @param {FileSystemFileEntry} entry
 * @returns {Promise<File | null>} null for a file that can't be read
 */
function fileOf(entry) {
  return new Promise((resolve) => entry.file(resolve, () => resolve(null)));
}

/**
 * @param {FileSystemDirectoryReader} reader
 * @returns {Promise<FileSystemEntry[]>}
 */
function batchOf(reader) {
  return new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
}
