// @ts-check
import { counted, shortBytes, shortTime } from "./format.js";
import { isOpen } from "./queue.js";
import { createRate } from "./rate.js";

/** News for screen readers are gathered, so that a hundred small files are one sentence. */
const newsEveryMs = 3_000;

/** @typedef {import("./queue.js").Item} Item */

/**
 * All uploads together: a bar, a sentence, the document's title, and what screen readers are told.
 *
 * @param {object} parts
 * @param {HTMLElement} parts.box
 * @param {HTMLElement} parts.text
 * @param {HTMLProgressElement} parts.bar
 * @param {HTMLElement} parts.news
 * @param {HTMLButtonElement} parts.cancelAll
 * @param {HTMLButtonElement} parts.retryAll
 */
export function createSummary({ box, text, bar, news, cancelAll, retryAll }) {
  let rate = createRate();
  let title = document.title;
  /** @type {string[]} */
  let waitingNews = [];
  /** @type {ReturnType<typeof setTimeout> | null} */
  let newsTimer = null;

  function tellNews() {
    newsTimer = null;
    let last = waitingNews.slice(-3).join(" ");
    let left = waitingNews.length - 3;
    news.textContent = left > 0 ? `${counted(left, "change")}, and: ${last}` : last;
    waitingNews = [];
  }

  /** @param {string} sentence */
  function announce(sentence) {
    waitingNews.push(sentence);
    newsTimer ??= setTimeout(tellNews, waitingNews.length === 1 ? 500 : newsEveryMs);
  }

  return {
    announce,

    /** @param {readonly Item[]} items */
    update(items) {
      let count = { open: 0, done: 0, refused: 0, failed: 0, cancelled: 0 };
      let totalBytes = 0;
      let sentBytes = 0;
      for (let item of items) {
        if (isOpen(item)) count.open += 1;
        else if (item.state in count) count[/** @type {"done"} */ (item.state)] += 1;
        if (isOpen(item) || item.state === "done") {
          // Every file counts for a little, so that empty ones move the bar as well.
          totalBytes += item.file.size + 1;
          sentBytes += item.state === "done" ? item.file.size + 1 : item.sentBytes;
        }
      }
      box.hidden = items.length === 0;
      let share = totalBytes === 0 ? 1 : sentBytes / totalBytes;
      bar.value = share;
      bar.hidden = count.open === 0;
      cancelAll.hidden = count.open === 0;
      retryAll.hidden = count.failed + count.cancelled === 0;
      text.textContent =
        count.open > 0 ? underWay(items.length, count, totalBytes - sentBytes) : ended(count);
      document.title = count.open > 0 ? `${Math.floor(share * 100)} % · ${title}` : title;

      function underWay(
        /** @type {number} */ all,
        /** @type {typeof count} */ { open },
        /** @type {number} */ left,
      ) {
        rate.mark(sentBytes);
        // What is paused has no speed, and no end in sight.
        let isMoving = items.some(({ state }) => state === "sending" || state === "checking");
        let perSecond = isMoving ? rate.perSecond() : 0;
        let speed =
          perSecond > 0 ? ` · ${shortBytes(perSecond)}/s · ${shortTime(left / perSecond)} left` : "";
        return `${(all - open).toLocaleString("en-GB")} of ${counted(all, "file")} · ${Math.floor(share * 100)} %${speed}`;
      }
    },

    /** All uploads have come to an end. @param {readonly Item[]} items */
    finish(items) {
      rate.reset();
      let stored = items.filter(({ state }) => state === "done").length;
      announce(`Finished: ${stored} of ${counted(items.length, "file")} stored.`);
    },
  };
}

/** @param {{ done: number, refused: number, failed: number, cancelled: number }} count */
function ended({ done, refused, failed, cancelled }) {
  let parts = [`${counted(done, "file")} stored`];
  if (refused > 0) parts.push(`${refused} not accepted`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (cancelled > 0) parts.push(`${cancelled} cancelled`);
  return parts.join(" · ");
}
