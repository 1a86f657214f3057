// @ts-check
import { createRow } from "./row.js";

/** Lines of each kind that are in the page at a time: ten thousand would freeze it. */
const mostWaiting = 40;
const mostSettled = 100;
const mostTroubled = 300;

/** @typedef {import("./queue.js").Item} Item */
/** @typedef {import("./row.js").Row} Row */

/**
 * The lines of the files that matter now: all that move, those next in turn, those that went wrong, the last ones done.
 * The rest is told as numbers.
 *
 * @param {object} options
 * @param {HTMLElement} options.list
 * @param {HTMLElement} options.more where the number of files without a line is told
 * @param {HTMLTemplateElement} options.template
 * @param {string | null} options.filesUrl
 */
export function createRows({ list, more, template, filesUrl }) {
  /** @type {Map<Item, Row>} */
  let rows = new Map();

  return {
    /**
     * Brings the lines to what they should be.
     *
     * @param {readonly Item[]} items
     */
    update(items) {
      let chosen = wanted(items);
      for (let [item, row] of rows) {
        if (chosen.has(item)) continue;
        row.element.remove();
        rows.delete(item);
      }
      /** @type {Element | null} */
      let place = list.firstElementChild;
      for (let item of items) {
        if (!chosen.has(item)) continue;
        let row = rows.get(item);
        if (!row) {
          row = createRow(item, { template, filesUrl });
          rows.set(item, row);
          list.insertBefore(row.element, place);
        }
        row.update();
        place = row.element.nextElementSibling;
      }
      let hidden = items.length - chosen.size;
      more.textContent = hidden > 0 ? `and ${hidden.toLocaleString("en-GB")} more` : "";
      more.hidden = hidden === 0;
    },

    /** @param {Item} item */
    updateOne(item) {
      rows.get(item)?.update();
    },
  };
}

/** @param {readonly Item[]} items @returns {Set<Item>} */
function wanted(items) {
  let waiting = 0;
  let troubled = 0;
  /** @type {Item[]} */
  let settled = [];
  /** @type {Set<Item>} */
  let chosen = new Set();
  for (let item of items) {
    if (item.state === "waiting") {
      if (waiting++ < mostWaiting) chosen.add(item);
    } else if (item.state === "refused" || item.state === "failed") {
      if (troubled++ < mostTroubled) chosen.add(item);
    } else if (item.state === "done" || item.state === "cancelled") {
      settled.push(item);
    } else {
      chosen.add(item);
    }
  }
  for (let item of settled.slice(-mostSettled)) chosen.add(item);
  return chosen;
}
