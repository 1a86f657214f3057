// @ts-check
import { explainAnswer, explainSilence } from "./explain.js";

/** @typedef {import("./explain.js").Answer} Answer */

/**
 * @typedef {object} Reply of the server; status 0 when none came
 * @property {number} status
 * @property {boolean} isOurs our server has answered, and nothing in between
 * @property {number | null} offset
 * @property {string | null} location
 * @property {string | null} fileId set when the whole file is stored
 * @property {Answer} answer what to tell people
 */

/**
 * One request of the tus protocol (tus.io, version 1.0.0).
 *
 * @param {string} method
 * @param {string} url
 * @param {object} options
 * @param {Record<string, string>} [options.headers]
 * @param {Blob} [options.body]
 * @param {(sentBytes: number) => void} [options.onProgress]
 * @returns {{ reply: Promise<Reply | null>, cancel: () => void }} null when it was cancelled
 */
export function tusRequest(method, url, { headers = {}, body, onProgress }) {
  let xhr = new XMLHttpRequest();
  /** @type {Promise<Reply | null>} */
  let reply = new Promise((resolve) => {
    let silent = () =>
      resolve({
        status: 0,
        isOurs: false,
        offset: null,
        location: null,
        fileId: null,
        answer: explainSilence(navigator.onLine),
      });
    xhr.upload.addEventListener("progress", ({ loaded }) => onProgress?.(loaded));
    xhr.addEventListener("load", () => {
      let offset = xhr.getResponseHeader("Upload-Offset");
      resolve({
        status: xhr.status,
        isOurs: xhr.getResponseHeader("Tus-Resumable") !== null,
        offset: offset === null ? null : Number(offset),
        location: xhr.getResponseHeader("Location"),
        fileId: xhr.getResponseHeader("S3-Uploads-File-Id"),
        answer: explainAnswer(xhr.status, xhr.responseText, xhr.getResponseHeader("Retry-After")),
      });
    });
    xhr.addEventListener("error", silent);
    xhr.addEventListener("timeout", silent);
    xhr.addEventListener("abort", () => resolve(null));
  });
  xhr.open(method, url);
  xhr.setRequestHeader("Accept", "application/json");
  xhr.setRequestHeader("Tus-Resumable", "1.0.0");
  for (let [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
  xhr.send(body ?? null);
  return { reply, cancel: () => xhr.abort() };
}

/** @param {string} text */
function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

/** @param {File} file @returns {Record<string, string>} */
export function creationHeaders({ name, size, type }) {
  let metadata = `filename ${base64(name)}`;
  if (type) metadata += `,filetype ${base64(type)}`;
  return { "Upload-Length": String(size), "Upload-Metadata": metadata };
}

/** Tells the server that nobody will go on with an upload. @param {string} url */
export function terminate(url) {
  void tusRequest("DELETE", url, {}).reply;
}
