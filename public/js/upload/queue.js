// @ts-check
import { createChunks } from "./chunks.js";
import { obviousRefusal } from "./rules.js";
import { sendResumable } from "./send-resumable.js";
import { sendFile } from "./send.js";

/** Uploads at a time: more are not faster, and each costs the server memory. */
const atOnce = 3;
/** What is waited before each further try that nobody asked for, in seconds. */
const pauses = [2, 8, 30];
const longestPause = 30;
/** Tries of a file that goes in pieces, an hour of them: nobody may be there to ask for another. */
const mostResumableTries = 120;

/** @typedef {"waiting" | "sending" | "checking" | "pausing" | "paused" | "done" | "refused" | "failed" | "cancelled"} State */

/**
 * @typedef {object} Item one file on its way
 * @property {number} id
 * @property {File} file
 * @property {string} key
 * @property {State} state
 * @property {boolean} resumable
 * @property {number} sentBytes
 * @property {number} keptBytes of what was sent before, the server has so much, as far as is known
 * @property {number} keptBefore the same when this try began
 * @property {string} message why it was refused or failed
 * @property {string | null} page id of the stored file
 * @property {number | null} duplicateOf
 * @property {number} tries
 * @property {((forGood: boolean) => void) | null} stop ends what it is doing
 */

/** @param {Item} item @returns {boolean} whether something may still become of it */
export function isOpen({ state }) {
  return ["waiting", "sending", "checking", "pausing", "paused"].includes(state);
}

/** @param {Item} item @returns {number | null} seconds until the next try; null when patience is at its end */
function pauseAfter(item) {
  // Without a line it is nobody's fault; it tells when it is back.
  if (!navigator.onLine) item.tries = 0;
  if (item.tries > pauses.length && !(item.resumable && item.tries < mostResumableTries)) return null;
  return pauses[item.tries - 1] ?? longestPause;
}

/**
 * @param {object} options
 * @param {string} options.url
 * @param {string} options.tusUrl
 * @param {number} options.resumableBytes files from this size on go in pieces
 * @param {import("./unfinished.js").UnfinishedStore} options.unfinished
 * @param {import("./rules.js").Rules} options.rules
 * @param {(item: Item) => void} options.onChange a state has changed, or bytes have left
 */
export function createQueue({ url, tusUrl, resumableBytes, unfinished, rules, onChange }) {
  /** @type {Item[]} */
  let items = [];
  /** Items before this one are not waiting. */
  let next = 0;
  let active = 0;
  let chunks = createChunks();

  /** @param {Item} item @param {State} state */
  function enter(item, state) {
    item.state = state;
    onChange(item);
  }

  function startMore() {
    while (active < atOnce) {
      let item = nextWaiting();
      if (!item) return;
      void send(item);
    }
  }

  function nextWaiting() {
    while (next < items.length && items[next]?.state !== "waiting") next += 1;
    return items[next];
  }

  /** @param {Item} item */
  async function send(item) {
    active += 1;
    item.tries += 1;
    item.keptBefore = item.keptBytes;
    item.message = "";
    let { file, key } = item;
    let watch = {
      /** @param {number} bytes */
      onProgress(bytes) {
        item.sentBytes = Math.min(bytes, file.size);
        onChange(item);
      },
      /** @param {number} bytes */
      onKept(bytes) {
        item.keptBytes = bytes;
      },
      onSent() {
        item.sentBytes = file.size;
        enter(item, "checking");
      },
    };
    let sending = item.resumable
      ? sendResumable({ file, tusUrl, unfinished, chunks, ...watch })
      : sendFile({ file, url, key, ...watch });
    item.stop = sending.stop;
    enter(item, "sending");
    let answer = await sending.answer;
    active -= 1;
    if (answer) {
      item.stop = null;
      settle(item, answer);
    }
    startMore();
  }

  /** @param {Item} item @param {import("./explain.js").Answer} answer */
  function settle(item, answer) {
    item.message = answer.message;
    item.page = answer.page ?? null;
    item.duplicateOf = answer.duplicateOf ?? null;
    // As long as it comes forward, nobody has to lose patience.
    if (item.keptBytes > item.keptBefore) item.tries = 1;
    let pause = answer.again ? pauseAfter(item) : null;
    if (pause === null) return enter(item, answer.outcome);
    pauseThenTry(item, Math.max(pause, Math.min(answer.afterSeconds ?? 0, 60)));
  }

  /** @param {Item} item @param {number} seconds */
  function pauseThenTry(item, seconds) {
    let timer = setTimeout(again, seconds * 1000);
    function again() {
      clearTimeout(timer);
      removeEventListener("online", again);
      item.stop = null;
      wait(item);
    }
    // A line that is back is better than any guess.
    addEventListener("online", again);
    item.stop = () => {
      clearTimeout(timer);
      removeEventListener("online", again);
    };
    enter(item, "pausing");
  }

  /** @param {Item} item */
  function wait(item) {
    next = Math.min(next, items.indexOf(item));
    enter(item, "waiting");
    startMore();
  }

  return {
    get items() {
      return items;
    },

    /** @param {File[]} files */
    add(files) {
      let added = files.map((file) => {
        let refusal = obviousRefusal(file, rules);
        /** @type {Item} */
        let item = {
          id: 0,
          file,
          key: crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`,
          state: refusal === null ? "waiting" : "refused",
          resumable: file.size >= resumableBytes,
          sentBytes: 0,
          keptBytes: 0,
          keptBefore: 0,
          message: refusal ?? "",
          page: null,
          duplicateOf: null,
          tries: 0,
          stop: null,
        };
        item.id = items.push(item);
        return item;
      });
      for (let item of added) onChange(item);
      startMore();
    },

    /** @param {Item} item */
    cancel(item) {
      if (!isOpen(item)) return;
      let stop = item.stop;
      item.stop = null;
      enter(item, "cancelled");
      stop?.(true);
    },

    /** Only for what goes in pieces. @param {Item} item */
    pause(item) {
      if (!item.resumable || (item.state !== "sending" && item.state !== "pausing")) return;
      enter(item, "paused");
      item.stop?.(false);
    },

    /** Also what was paused goes on. @param {Item} item */
    retry(item) {
      if (!["failed", "cancelled", "paused"].includes(item.state)) return;
      item.tries = 0;
      wait(item);
    },
  };
}

/** @typedef {ReturnType<typeof createQueue>} Queue */
