// @ts-check
import { counted } from "./format.js";
import { filesOf } from "./gather.js";
import { createOffer } from "./offer.js";
import { createQueue, isOpen } from "./queue.js";
import { createRows } from "./rows.js";
import { rulesOf } from "./rules.js";
import { createSummary } from "./summary.js";
import { createUnfinished } from "./unfinished.js";

/** Bytes are told this often; more can't be read. */
const drawEveryMs = 200;
/** The list of newest files is asked for again at most this often. */
const refreshEveryMs = 1_500;

/** @template {HTMLElement} T @param {string} id @returns {T} */
function byId(id) {
  let element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return /** @type {T} */ (element);
}

/** @type {HTMLFormElement} */
let form = byId("upload");
/** @type {HTMLInputElement} */
let picker = byId("file");
let box = byId("uploads");
/** @type {HTMLInputElement} */
let folderPicker = byId("folder");
/** @type {HTMLButtonElement} */
let cancelAll = byId("cancel-all");
/** @type {HTMLButtonElement} */
let retryAll = byId("retry-all");

let url = form.dataset["url"] ?? "";
let summary = createSummary({
  box,
  text: byId("uploads-text"),
  bar: byId("uploads-bar"),
  news: byId("uploads-news"),
  cancelAll,
  retryAll,
});
let rows = createRows({
  list: byId("uploads-list"),
  more: byId("uploads-more"),
  template: byId("upload-row"),
  filesUrl: form.dataset["files"] ?? null,
});
let tusUrl = form.dataset["tus"] ?? "";
let unfinished = createUnfinished(tusUrl);
let forget = byId("unfinished-forget");
let offer = createOffer({
  box: byId("unfinished"),
  text: byId("unfinished-text"),
  button: forget,
  unfinished,
});
let queue = createQueue({
  url,
  tusUrl,
  resumableBytes: Number(form.dataset["resumableBytes"] ?? Infinity),
  unfinished,
  rules: rulesOf(form),
  onChange,
});

/** @type {Set<import("./queue.js").Item>} */
let moved = new Set();
let reorder = false;
let finished = true;
/** @type {ReturnType<typeof setTimeout> | null} */
let drawTimer = null;
/** @type {ReturnType<typeof setTimeout> | null} */
let refreshTimer = null;
/** @type {Map<import("./queue.js").Item, string>} */
let known = new Map();

/** @param {import("./queue.js").Item} item */
function onChange(item) {
  moved.add(item);
  finished = false;
  if (known.get(item) !== item.state) {
    known.set(item, item.state);
    reorder = true;
    tell(item);
  }
  drawTimer ??= setTimeout(draw, reorder ? 30 : drawEveryMs);
}

function draw() {
  drawTimer = null;
  let { items } = queue;
  if (reorder) rows.update(items);
  else for (let item of moved) rows.updateOne(item);
  moved.clear();
  reorder = false;
  summary.update(items);
  if (finished || items.some(isOpen)) return;
  finished = true;
  summary.finish(items);
}

/** @param {import("./queue.js").Item} item */
function tell(item) {
  let { name } = item.file;
  if (item.state === "done") {
    summary.announce(`${name} is stored.`);
    refreshTimer ??= setTimeout(refresh, refreshEveryMs);
  }
  if (item.state === "refused") summary.announce(`${name} was not accepted: ${item.message}`);
  if (item.state === "failed") summary.announce(`${name} was not stored: ${item.message}`);
}

function refresh() {
  refreshTimer = null;
  document.body.dispatchEvent(new CustomEvent("filesChanged"));
}

/** @param {File[]} files */
function add(files) {
  if (files.length === 0) return;
  summary.announce(`${counted(files.length, "file")} chosen.`);
  queue.add(files);
  offer.update(queue.items.map(({ file }) => file));
}

for (let input of [picker, folderPicker]) {
  input.addEventListener("change", () => {
    add([...(input.files ?? [])]);
    input.value = "";
  });
}

form.addEventListener("submit", (event) => event.preventDefault());

// The whole page takes a drop: who misses the zone should not find the browser showing the file instead.
let depth = 0;
addEventListener("dragenter", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  depth += 1;
  form.dataset["over"] = "";
});
addEventListener("dragleave", () => {
  depth = Math.max(0, depth - 1);
  if (depth === 0) delete form.dataset["over"];
});
addEventListener("dragover", (event) => {
  if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
});
addEventListener("drop", (event) => {
  depth = 0;
  delete form.dataset["over"];
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  void filesOf(event.dataTransfer).then(add);
});
addEventListener("paste", (event) => {
  let files = [...(event.clipboardData?.files ?? [])];
  if (files.length === 0) return;
  event.preventDefault();
  add(files);
});

box.addEventListener("click", (event) => {
  let button = event.target instanceof Element ? event.target.closest("button") : null;
  let id = button?.closest("li")?.dataset["id"];
  let item = queue.items[Number(id) - 1];
  if (!button || !item) return;
  if (button.dataset["part"] === "cancel") queue.cancel(item);
  if (button.dataset["part"] === "retry") queue.retry(item);
  if (button.dataset["part"] === "pause") queue.pause(item);
});
cancelAll.addEventListener("click", () => {
  // From the end, so that none of them begins because another has made room.
  for (let item of queue.items.toReversed()) queue.cancel(item);
  picker.focus();
});
forget.addEventListener("click", () => {
  offer.forget();
  picker.focus();
});
retryAll.addEventListener("click", () => {
  for (let item of queue.items) queue.retry(item);
});

addEventListener("beforeunload", (event) => {
  if (queue.items.some(isOpen)) event.preventDefault();
});

offer.update([]);

// Only now: without this script the form has to be the plain one.
form.dataset["enhanced"] = "";
