// @ts-check
import { shortBytes } from "./format.js";
import { terminate } from "./tus.js";
import { fingerprintOf } from "./unfinished.js";

/** Names that are told; the rest is a number. */
const mostNames = 3;

/**
 * Tells of uploads that an earlier visit has not finished: they go on when the same files are chosen again.
 *
 * @param {object} options
 * @param {HTMLElement} options.box
 * @param {HTMLElement} options.text
 * @param {HTMLElement} options.button
 * @param {import("./unfinished.js").UnfinishedStore} options.unfinished
 */
export function createOffer({ box, text, button, unfinished }) {
  /** @type {[fingerprint: string, upload: import("./unfinished.js").Unfinished][]} */
  let offered = [];

  function show() {
    box.hidden = offered.length === 0;
    let names = offered.slice(0, mostNames).map(([, { name, size, sentBytes }]) => {
      return `${name} (${shortBytes(sentBytes)} of ${shortBytes(size)} sent)`;
    });
    let others = offered.length > mostNames ? ` and ${offered.length - mostNames} more` : "";
    let [subject, object] =
      offered.length === 1 ? ["It goes", "the same file"] : ["They go", "the same files"];
    button.textContent = offered.length === 1 ? "Forget it" : "Forget them";
    text.textContent = `Not finished the last time: ${names.join(", ")}${others}. ${subject} on where it stopped when you choose ${object} again.`;
  }

  return {
    /** @param {File[]} chosen files that are on their way by now */
    update(chosen) {
      let underWay = new Set(chosen.map(fingerprintOf));
      offered = unfinished.all().filter(([fingerprint]) => !underWay.has(fingerprint));
      show();
    },

    forget() {
      for (let [fingerprint, { url }] of offered) {
        unfinished.forget(fingerprint);
        terminate(url);
      }
      offered = [];
      show();
    },
  };
}
