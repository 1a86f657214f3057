// @ts-check
import { explainAnswer, explainSilence } from "./explain.js";

/** @typedef {import("./explain.js").Answer} Answer */

/**
 * Sends one file as the body of a PUT. XMLHttpRequest, because fetch tells nothing of what has left.
 *
 * @param {object} request
 * @param {File} request.file
 * @param {string} request.url of uploads, without a slash at its end
 * @param {string} request.key the same for each try, so that a file whose answer was lost is not stored twice
 * @param {(sentBytes: number) => void} request.onProgress
 * @param {() => void} request.onSent every byte has left; the server looks at the file now
 * @returns {{ answer: Promise<Answer | null>, stop: () => void }} null when it was stopped
 */
export function sendFile({ file, url, key, onProgress, onSent }) {
  let xhr = new XMLHttpRequest();
  /** @type {Promise<Answer | null>} */
  let answer = new Promise((resolve) => {
    let silent = () => resolve(explainSilence(navigator.onLine));
    xhr.upload.addEventListener("progress", ({ loaded }) => onProgress(loaded));
    xhr.upload.addEventListener("load", onSent);
    xhr.addEventListener("load", () => {
      resolve(explainAnswer(xhr.status, xhr.responseText, xhr.getResponseHeader("Retry-After")));
    });
    xhr.addEventListener("error", silent);
    xhr.addEventListener("timeout", silent);
    xhr.addEventListener("abort", () => resolve(null));
  });
  xhr.open("PUT", `${url}/${encodeURIComponent(file.name)}`);
  xhr.setRequestHeader("Accept", "application/json");
  xhr.setRequestHeader("Idempotency-Key", key);
  xhr.setRequestHeader("Content-Type", file.type || "application/octet-stream");
  xhr.send(file);
  return { answer, stop: () => xhr.abort() };
}
