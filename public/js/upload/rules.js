// @ts-check
import { shortBytes } from "./format.js";

/**
 * @typedef {object} Rules what the server says of itself in the form's data attributes
 * @property {number} maxFileBytes
 * @property {string[]} allowed extensions; none: every extension
 * @property {string[]} blocked
 */

/**
 * @param {HTMLElement} form
 * @returns {Rules}
 */
export function rulesOf(form) {
  return {
    maxFileBytes: Number(form.dataset["maxBytes"] ?? Infinity),
    allowed: list(form.dataset["allowed"]),
    blocked: list(form.dataset["blocked"]),
  };
}

/**
 * Why the server would refuse a file, as far as name and size tell; null when nothing is known against it. The server
 * looks again, and at the content.
 *
 * @param {File} file
 * @param {Rules} rules
 * @returns {string | null}
 */
export function obviousRefusal(file, { maxFileBytes, allowed, blocked }) {
  if (file.size > maxFileBytes) {
    return `The file is larger than ${shortBytes(maxFileBytes)}, the most that is taken here.`;
  }
  let extensions = extensionsOf(file.name);
  let bad = blocked.find((one) => `.${extensions.join(".")}.`.includes(`.${one}.`));
  if (bad !== undefined) return `Files with the extension .${bad} are not accepted.`;
  if (allowed.length === 0 || allowed.some((one) => `.${extensions.join(".")}`.endsWith(`.${one}`)))
    return null;
  let last = extensions.at(-1);
  return last
    ? `Files with the extension .${last} are not accepted.`
    : "Files without an extension are not accepted.";
}

/**
 * @param {string} filename
 * @returns {string[]}
 */
function extensionsOf(filename) {
  let parts = filename.toLowerCase().split(".").slice(1);
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** @param {string | undefined} text */
function list(text) {
  let names = (text ?? "").toLowerCase().split(",");
  return names.map((name) => name.trim().replace(/^\.+/, "")).filter(Boolean);
}
