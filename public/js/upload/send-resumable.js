// @ts-check
import { creationHeaders, terminate, tusRequest } from "./tus.js";
import { fingerprintOf } from "./unfinished.js";

/** @typedef {import("./explain.js").Answer} Answer */
/** @typedef {import("./tus.js").Reply} Reply */

/** What a window that is being left gets to let go of a file. */
const otherWindowMs = 2_000;

/** @type {Answer} */
const stillWorking = {
  outcome: "failed",
  message: "The server is still putting the file together.",
  again: true,
};

/**
 * Sends one file in pieces, and goes on where an earlier try, or an earlier visit of the page, has stopped.
 *
 * @param {object} request
 * @param {File} request.file
 * @param {string} request.tusUrl
 * @param {import("./unfinished.js").UnfinishedStore} request.unfinished
 * @param {import("./chunks.js").Chunks} request.chunks
 * @param {(sentBytes: number) => void} request.onProgress falls when something has to be sent again
 * @param {(keptBytes: number) => void} request.onKept
 * @param {() => void} request.onSent every byte has left; the server looks at the file now
 * @returns {{ answer: Promise<Answer | null>, stop: (forGood: boolean) => void }} null when it was stopped; what was
 *   stopped for good is given up on the server as well
 */
export function sendResumable({ file, tusUrl, unfinished, chunks, onProgress, onKept, onSent }) {
  let fingerprint = fingerprintOf(file);
  /** @type {string | null} */
  let url = null;
  let isMine = false;
  let stopped = false;
  /** @type {(() => void) | null} */
  let cancel = null;

  /** @param {Parameters<typeof tusRequest>} request @returns {Promise<Reply | null>} */
  async function ask(...request) {
    if (stopped) return null;
    let asked = tusRequest(...request);
    cancel = asked.cancel;
    return asked.reply;
  }

  /** @returns {Promise<Answer | null>} */
  async function send() {
    let known = isMine ? unfinished.find(fingerprint) : null;
    url = known?.url ?? null;
    let reply = url === null ? null : await ask("HEAD", url, {});
    if (stopped) return null;
    if (url === null || reply?.status === 404 || reply?.status === 410) {
      reply = await ask("POST", tusUrl, { headers: creationHeaders(file) });
      if (!reply || reply.status !== 201 || !reply.location) return reply && reply.answer;
      url = new URL(reply.location, location.origin + tusUrl).pathname;
      reply.offset ??= 0;
    }
    while (reply && reply.status >= 200 && reply.status < 300 && reply.offset !== null) {
      if (reply.fileId !== null) return done(reply);
      onKept(reply.offset);
      if (isMine)
        unfinished.keep(fingerprint, { name: file.name, size: file.size, url, sentBytes: reply.offset });
      reply = await sendChunk(url, reply.offset);
    }
    let answer = reply && answerOf(reply);
    // The same bytes will be refused again.
    if (answer?.outcome === "refused") unfinished.forget(fingerprint);
    return answer;
  }

  /** @param {string} to @param {number} offset @returns {Promise<Reply | null>} */
  async function sendChunk(to, offset) {
    let end = chunks.endOf(offset, file.size);
    let reply = ask("PATCH", to, {
      headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) },
      body: file.slice(offset, end),
      onProgress(sent) {
        onProgress(Math.min(offset + sent, end));
        if (end === file.size && sent >= end - offset) onSent();
      },
    });
    onProgress(offset);
    if (offset === file.size) onSent();
    let chunk = chunks.begin();
    let couldBeLess = chunks.canBeLess();
    let said = await reply;
    let isTooLarge = said?.status === 413 && !said.isOurs;
    // What our server refuses tells nothing of the line.
    if (said && (!said.isOurs || said.status < 300)) {
      chunk.end(end - offset, said.isOurs ? "arrived" : isTooLarge ? "too large" : "cut");
    }
    if (isTooLarge && couldBeLess) return sendChunk(to, offset);
    if (said && said.offset === offset && said.fileId === null && end === offset) {
      return { ...said, status: 0, answer: stillWorking };
    }
    return said;
  }

  /** @param {Reply} reply @returns {Answer} */
  function done(reply) {
    unfinished.forget(fingerprint);
    let { answer } = reply;
    return answer.outcome === "done"
      ? answer
      : { outcome: "done", message: "", page: reply.fileId ?? undefined };
  }

  /** @returns {Promise<Answer | null>} */
  async function sendAlone() {
    if (!navigator.locks) {
      isMine = true;
      return send();
    }
    // A second window with the same file begins an upload of its own: the two would push each other aside. The window
    // that was there before a reload lets go in a moment.
    let held = navigator.locks.request(
      `${tusUrl} ${fingerprint}`,
      { signal: AbortSignal.timeout(otherWindowMs) },
      () => {
        isMine = true;
        return send();
      },
    );
    return held.catch((error) => {
      if (isMine) throw error;
      return send();
    });
  }

  return {
    answer: sendAlone(),
    stop(forGood) {
      stopped = true;
      cancel?.();
      if (!forGood || url === null) return;
      if (isMine) unfinished.forget(fingerprint);
      terminate(url);
    },
  };
}

/**
 * The server has another number of bytes than we thought, or does not know the upload any more: it is asked, and the file
 * goes on.
 *
 * @param {Reply} reply
 * @returns {Answer}
 */
function answerOf({ status, answer }) {
  return [404, 409, 410, 423].includes(status)
    ? { outcome: "failed", message: answer.message, again: true }
    : answer;
}
