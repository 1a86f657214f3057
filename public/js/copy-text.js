// @ts-check

/**
 * Puts a text on the clipboard; tells whether that went well. Served in front of the scripts that call it.
 *
 * @param {string} text
 * @param {HTMLElement} beside
 */
// oxlint-disable-next-line no-unused-vars -- see above
async function copyText(text, beside) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers have no clipboard for pages that came over plain HTTP; this old way still works there.
    let field = document.createElement("textarea");
    field.value = text;
    field.className = "unseen";
    beside.after(field);
    field.select();
    let isCopied = document.execCommand("copy");
    field.remove();
    beside.focus();
    return isCopied;
  }
}
