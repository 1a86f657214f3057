// @ts-check

/**
 * @typedef {object} Answer what became of one attempt
 * @property {"done" | "refused" | "failed"} outcome refused: the same file will be refused again
 * @property {string} message in words for people; empty when it is done
 * @property {string} [page] where the stored file is
 * @property {number} [duplicateOf]
 * @property {boolean} [again] whether it is worth trying again without being asked
 * @property {number} [afterSeconds] the server's own wish for when
 */

/** Statuses with which the server itself, or something between, says: not now. */
const passing = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * The words for an answer. Our server answers in JSON, whatever it says; anything else comes from something in between.
 *
 * @param {number} status
 * @param {string} body
 * @param {string | null} retryAfter
 * @returns {Answer}
 */
export function explainAnswer(status, body, retryAfter) {
  let said = parse(body);
  if (status >= 200 && status < 300 && said?.success === true) {
    let page = typeof said.file?.id === "number" ? String(said.file.id) : undefined;
    return { outcome: "done", message: "", page, duplicateOf: said.duplicate_of };
  }
  let ours = typeof said?.error?.message === "string" ? said.error.message : null;
  if (status === 401 || (status === 403 && ours === null)) {
    return { outcome: "failed", message: ours ?? "You are not signed in any more: reload the page." };
  }
  let afterSeconds = Number(retryAfter) || undefined;
  if (passing.has(status) || status >= 500) {
    return { outcome: "failed", message: ours ?? proxySentence(status), again: true, afterSeconds };
  }
  if (ours !== null) return { outcome: "refused", message: ours };
  if (status >= 200 && status < 400) {
    return { outcome: "failed", message: "Something between you and the server answered in its place." };
  }
  return { outcome: "failed", message: proxySentence(status) };
}

/**
 * @param {boolean} online
 * @returns {Answer}
 */
export function explainSilence(online) {
  let message = online
    ? "The connection was closed before the upload was complete."
    : "You are offline. The upload goes on when the line is back.";
  return { outcome: "failed", message, again: true };
}

/**
 * @param {number} status
 * @returns {string}
 */
function proxySentence(status) {
  if (status === 413) {
    return "Something between you and the server (a proxy) refuses files of this size: ask whoever runs it to raise its limit.";
  }
  if (status === 408 || status === 504) {
    return "Something between you and the server (a proxy) did not want to wait any longer for the upload.";
  }
  if (status === 502 || status === 503) {
    return "The server can't be reached just now: something in between answered in its place.";
  }
  return `Something between you and the server answered with ${status}.`;
}

/**
 * @param {string} body
 * @returns {any} what a server of ours says; any other JSON has none of its fields
 */
function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
