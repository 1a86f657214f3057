// @ts-check
import { shortBytes, shortTime } from "./format.js";
import { isOpen } from "./queue.js";
import { createRate } from "./rate.js";
import { drawThumbnail } from "./thumbnail.js";

/** @typedef {import("./queue.js").Item} Item */

/**
 * The line of one file. Names come from anywhere: they are only ever set as text.
 *
 * @param {Item} item
 * @param {object} options
 * @param {HTMLTemplateElement} options.template
 * @param {string | null} options.filesUrl below which stored files have their pages; null for one who may not look
 */
export function createRow(item, { template, filesUrl }) {
  let element = /** @type {HTMLLIElement} */ (template.content.firstElementChild?.cloneNode(true));
  /** @template {HTMLElement} T @param {string} part @returns {T} */
  let find = (part) => /** @type {T} */ (element.querySelector(`[data-part="${part}"]`));
  let thumb = find("thumb");
  let name = find("name");
  let facts = find("facts");
  let why = find("why");
  /** @type {HTMLProgressElement} */
  let bar = find("bar");
  /** @type {HTMLButtonElement} */
  let cancel = find("cancel");
  /** @type {HTMLButtonElement} */
  let retry = find("retry");
  /** @type {HTMLButtonElement} */
  let pause = find("pause");
  let rate = createRate();
  let size = shortBytes(item.file.size);

  element.dataset["id"] = String(item.id);
  thumb.textContent = extensionOf(item.file.name);
  name.textContent = item.file.name;
  cancel.setAttribute("aria-label", `Cancel ${item.file.name}`);
  pause.setAttribute("aria-label", `Pause ${item.file.name}`);
  bar.setAttribute("aria-label", `Progress of ${item.file.name}`);
  drawThumbnail(item.file, thumb);

  /** @returns {string} */
  function state() {
    switch (item.state) {
      case "waiting":
        return `${size} · waiting`;
      case "sending":
        return sending();
      case "checking":
        return `${size} · sent, being checked and stored`;
      case "pausing":
        return `${soFar()} · trying again in a moment`;
      case "paused":
        return `${soFar()} · paused`;
      case "done":
        return item.duplicateOf === null
          ? `${size} · stored`
          : `${size} · stored; the same content was here already`;
      case "refused":
        return `${size} · not accepted`;
      case "failed":
        return `${size} · not stored`;
      case "cancelled":
        return `${size} · cancelled`;
    }
  }

  function soFar() {
    return item.resumable && item.sentBytes > 0 ? `${shortBytes(item.sentBytes)} of ${size}` : size;
  }

  function sending() {
    rate.mark(item.sentBytes);
    let perSecond = rate.perSecond();
    let text = `${shortBytes(item.sentBytes)} of ${size}`;
    if (perSecond === 0) return text;
    let left = (item.file.size - item.sentBytes) / perSecond;
    return `${text} · ${shortBytes(perSecond)}/s · ${shortTime(left)} left`;
  }

  return {
    element,
    item,
    update() {
      if (item.state !== "sending") rate.reset();
      element.dataset["state"] = item.state;
      facts.textContent = state();
      why.textContent = item.message;
      why.hidden = item.message === "";
      let paused = item.state === "paused" || (item.state === "pausing" && item.resumable);
      let moving = item.state === "sending" || item.state === "checking";
      bar.hidden = !moving && !paused;
      if (item.state === "checking") bar.removeAttribute("value");
      else bar.value = item.file.size === 0 ? 0 : item.sentBytes / item.file.size;
      cancel.hidden = !isOpen(item);
      retry.hidden = !["failed", "cancelled", "paused"].includes(item.state);
      retry.textContent = item.state === "paused" ? "Go on" : "Try again";
      retry.setAttribute(
        "aria-label",
        `${item.state === "paused" ? "Go on with" : "Try again:"} ${item.file.name}`,
      );
      pause.hidden = !item.resumable || (item.state !== "sending" && item.state !== "pausing");
      if (item.state === "done" && item.page !== null && filesUrl !== null && name.tagName !== "A")
        name = linked(name, `${filesUrl}/${item.page}`);
    },
  };
}

/** @typedef {ReturnType<typeof createRow>} Row */

/**
 * @param {HTMLElement} name
 * @param {string} href
 */
function linked(name, href) {
  let link = document.createElement("a");
  link.href = href;
  link.className = name.className;
  link.dir = "auto";
  link.textContent = name.textContent;
  name.replaceWith(link);
  return link;
}

/** @param {string} filename */
function extensionOf(filename) {
  let dot = filename.lastIndexOf(".");
  return dot > 0 ? filename.slice(dot + 1, dot + 5) : "file";
}
