// @ts-check
/** A thumbnail that has come takes the place of the extension below it, which is seen through a picture without ground. */
(() => {
  /** @param {unknown} image */
  function show(image) {
    // A single pixel stands for a picture that can't be drawn.
    if (image instanceof HTMLImageElement && image.complete && image.naturalWidth > 1) {
      image.closest(".thumb")?.classList.add("drawn");
    }
  }

  // It does not bubble.
  document.addEventListener("load", ({ target }) => show(target), true);
  for (let image of document.querySelectorAll(".thumb img")) show(image);
})();
