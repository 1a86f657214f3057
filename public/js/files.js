// @ts-check
/**
 * The list of files: selecting, copying a link, the one question before several files are deleted, and the seconds of
 * an undo. Everything else is htmx, and all of it works without this script but for what is marked `needs-script`.
 * Events are heard at the document, because htmx swaps what is below.
 */
(() => {
  // oxlint-disable unicorn/consistent-function-scoping -- the outer scope is every script's
  document.documentElement.classList.add("scripted");

  const listId = "files";
  const bulkFormId = "delete-many";
  const secondMs = 1000;

  /** @param {string} selector */
  const find = (selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector));

  /** @returns {HTMLInputElement[]} the checkboxes of the files on this page */
  const boxes = () => [
    .../** @type {NodeListOf<HTMLInputElement>} */ (
      document.querySelectorAll(`#${listId} .pick input[name=id]`)
    ),
  ];

  /** @param {number} count */
  const files = (count) => (count === 1 ? "1 file" : `${count} files`);

  /**
   * Says something to screen readers without moving anything.
   * @param {string} text
   */
  function announce(text) {
    let announcer = find("#announcer");
    if (announcer) announcer.textContent = text;
  }

  // Selecting

  /** @type {HTMLInputElement | null} where a range begins */
  let lastPicked = null;

  function showSelection() {
    let all = boxes();
    let count = all.filter((box) => box.checked).length;
    let form = find(`#${bulkFormId}`);
    if (!form) return;
    form.classList.toggle("active", count > 0);
    let said = form.querySelector("#selected");
    let text = count === 0 ? "Nothing selected." : `${files(count)} selected.`;
    if (said && said.textContent !== text) said.textContent = text;
    let submit = /** @type {HTMLButtonElement | null} */ (form.querySelector("[type=submit]"));
    if (submit) {
      submit.disabled = count === 0;
      submit.textContent = count === 0 ? "Delete selected" : `Delete ${files(count)}`;
    }
    for (let button of form.querySelectorAll("button")) {
      if (button.dataset["select"] === "none") button.disabled = count === 0;
      if (button.dataset["select"] === "all") button.disabled = count === all.length;
    }
    let pickAll = /** @type {HTMLInputElement | null} */ (find("#pick-all"));
    if (!pickAll) return;
    pickAll.checked = count > 0 && count === all.length;
    pickAll.indeterminate = count > 0 && count < all.length;
  }

  /** @param {boolean} checked */
  function selectAll(checked) {
    for (let box of boxes()) box.checked = checked;
    lastPicked = null;
    showSelection();
  }

  /**
   * With shift, everything between the last box and this one becomes as this one.
   * @param {HTMLInputElement} box
   * @param {boolean} asRange
   */
  function picked(box, asRange) {
    let all = boxes();
    let from = lastPicked ? all.indexOf(lastPicked) : -1;
    if (asRange && from >= 0) {
      let to = all.indexOf(box);
      for (let each of all.slice(Math.min(from, to), Math.max(from, to) + 1)) each.checked = box.checked;
    }
    lastPicked = box;
    showSelection();
  }

  // Copying a link

  /** @param {HTMLElement} button */
  async function copyLink(button) {
    let address = new URL(button.dataset["copy"] ?? "", location.href).href;
    let isCopied = await copyText(address, button);
    announce(isCopied ? "Link copied" : "The link could not be copied");
    button.classList.add(isCopied ? "copied" : "not-copied");
    let title = button.title;
    button.title = isCopied ? "Link copied" : "The link could not be copied";
    setTimeout(() => {
      button.classList.remove("copied", "not-copied");
      button.title = title;
      announce("");
    }, 2 * secondMs);
  }

  // Asking once before several files are deleted

  let isConfirmed = false;

  /** @param {SubmitEvent} event */
  function askBeforeDeleting(event) {
    let form = /** @type {HTMLFormElement} */ (event.target);
    // form.id would be the checkboxes, whose name is "id".
    if (form.getAttribute("id") !== bulkFormId) return;
    if (isConfirmed) {
      isConfirmed = false;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    let count = boxes().filter((box) => box.checked).length;
    let dialog = /** @type {HTMLDialogElement | null} */ (find("#confirm-delete"));
    if (count === 0 || !dialog) return;
    let title = dialog.querySelector("h2");
    let button = dialog.querySelector("button[value=delete]");
    if (title) title.textContent = `Delete ${files(count)}?`;
    if (button) button.textContent = `Delete ${files(count)}`;
    dialog.returnValue = "keep";
    dialog.showModal();
  }

  /** @param {HTMLDialogElement} dialog */
  function answered(dialog) {
    if (dialog.returnValue !== "delete") return;
    let form = /** @type {HTMLFormElement | null} */ (find(`#${bulkFormId}`));
    isConfirmed = true;
    form?.requestSubmit();
  }

  // Undoing

  /** @type {{ notice: HTMLElement, endMs: number } | null} */
  let counting = null;
  /** Position in the list of the file that was deleted last. */
  let lastDeleted = 0;
  /** @type {string | null} selector of what gets the focus once the list has been swapped */
  let focusAfterList = null;

  function startCounting() {
    let notice = find("#undo .notice.undo");
    if (!notice || counting?.notice === notice) return;
    counting = { notice, endMs: performance.now() + Number(notice.dataset["seconds"]) * secondMs };
  }

  function countDown() {
    if (!counting) return;
    let { notice, endMs } = counting;
    let left = Math.ceil((endMs - performance.now()) / secondMs);
    let seconds = notice.querySelector(".seconds");
    if (seconds && left > 0) seconds.textContent = String(left);
    if (left > 0 && notice.isConnected) return;
    counting = null;
    removeNotice(notice);
  }

  /**
   * The focus goes on to the file that took the place of the deleted one.
   * @param {HTMLElement} notice
   */
  function removeNotice(notice) {
    let hadFocus = notice.contains(document.activeElement);
    notice.remove();
    if (!hadFocus) return;
    let next = [...document.querySelectorAll(`#${listId} a.filename`)].slice(0, lastDeleted + 1).at(-1);
    (next instanceof HTMLElement ? next : find(`#${listId}`))?.focus({ preventScroll: true });
  }

  setInterval(countDown, secondMs / 4);

  function undoSwapped() {
    startCounting();
    let back = find("#undo .restored");
    if (back) {
      let [first] = (back.dataset["restored"] ?? "").split(" ");
      if (back instanceof HTMLElement) setTimeout(() => removeNotice(back), 5 * secondMs);
      focusAfterList = first ? `#file-${first} a.filename` : `#${listId}`;
      return;
    }
    find("#undo .undo button")?.focus();
  }

  /**
   * A failure is told at the top of the page, wherever it was asked for. An undo that failed is not offered again.
   * @param {Element | undefined} source
   */
  function failed(source) {
    let notice = source?.closest("#undo .notice");
    if (notice instanceof HTMLElement) removeNotice(notice);
    find("#notices")?.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} sourceId id of the link that asked for the list */
  function listSwapped(sourceId) {
    lastPicked = null;
    showSelection();
    find("#notices")?.replaceChildren();
    let count = find("#list-count")?.textContent ?? find(`#${listId} h2`)?.textContent ?? "";
    announce(count);
    let list = find(`#${listId}`);
    if (sourceId.startsWith("page-")) {
      list?.focus({ preventScroll: true });
      list?.scrollIntoView({ block: "start" });
    }
    if (!focusAfterList) return;
    let wanted = find(focusAfterList);
    // The list that has it may still be on its way.
    if (!wanted && isStale) return;
    (wanted ?? list)?.focus({ preventScroll: true });
    focusAfterList = null;
  }

  // Asking for the list again

  let isAsking = false;
  let isStale = false;

  /** What changes while an answer is on its way is asked for once more: the last answer is never an old one. */
  async function refreshList() {
    isStale = true;
    if (isAsking) return;
    isAsking = true;
    try {
      while (isStale) {
        isStale = false;
        let here = find(`#${listId}`)?.dataset["here"] ?? location.href;
        await /** @type {any} the page's htmx, which has no types here */ (globalThis).htmx.ajax(
          "GET",
          here,
          {
            target: `#${listId}`,
            swap: "outerHTML",
          },
        );
      }
    } finally {
      isAsking = false;
    }
  }

  // What is heard

  document.addEventListener("filesChanged", () => void refreshList());

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    let box = event.target.closest(".pick input");
    if (box instanceof HTMLInputElement) {
      if (box.id === "pick-all") selectAll(box.checked);
      else picked(box, event.shiftKey);
    }
    let button = event.target.closest("button");
    if (!button) return;
    if (button.form?.getAttribute("id") === "delete-one") {
      lastDeleted = [...document.querySelectorAll(`#${listId} .file`)].findIndex((file) =>
        file.contains(button),
      );
    }
    if (button.dataset["copy"] !== undefined) void copyLink(button);
    if (button.dataset["select"] !== undefined) selectAll(button.dataset["select"] === "all");
  });

  document.addEventListener("submit", askBeforeDeleting, true);

  document.addEventListener(
    "close",
    (event) => {
      if (event.target instanceof HTMLDialogElement) answered(event.target);
    },
    true,
  );

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !boxes().some((box) => box.checked)) return;
    let at = event.target;
    if (at instanceof HTMLInputElement && at.type !== "checkbox") return;
    if (at instanceof Element && at.closest("dialog")) return;
    selectAll(false);
  });

  /** Id of what asked for something: when that is swapped away, htmx names what came in its place. */
  let askedBy = new WeakMap();

  document.addEventListener("htmx:before:request", (event) => {
    let { ctx } = /** @type {CustomEvent} */ (event).detail;
    askedBy.set(ctx, ctx.sourceElement?.getAttribute("id") ?? "");
  });

  document.addEventListener("htmx:after:swap", (event) => {
    let { ctx } = /** @type {CustomEvent} */ (event).detail;
    // A selector where the answer asked for another target.
    let target = ctx.target instanceof Element ? ctx.target.id : String(ctx.target).slice(1);
    if (target === "undo") undoSwapped();
    else if (target === listId) listSwapped(askedBy.get(ctx) ?? "");
    else if (target === "notices") failed(ctx.sourceElement);
    else {
      startCounting();
      showSelection();
    }
  });

  startCounting();
  showSelection();
})();
