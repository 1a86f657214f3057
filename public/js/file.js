// @ts-check
/**
 * The page of one file: copying its link and its sum. The buttons stay hidden until this script is here.
 */
(() => {
  const toldMs = 2_000;

  /** @param {HTMLButtonElement} button */
  async function copy(button) {
    let { copy: text = "", copyLink } = button.dataset;
    let isCopied = await copyText(
      copyLink === undefined ? text : new URL(copyLink, location.href).href,
      button,
    );
    let notices = document.getElementById("notices");
    if (!notices) return;
    notices.textContent = isCopied ? "Copied." : "It could not be copied.";
    notices.className = isCopied ? "notice good" : "notice bad";
    setTimeout(() => {
      notices.textContent = "";
      notices.className = "";
    }, toldMs);
  }

  for (let button of document.querySelectorAll("button[data-copy], button[data-copy-link]")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
})();
