// @ts-check

const sidePx = 88;
/** Larger pictures take the browser's memory for a stamp. */
const maxImageBytes = 30 * 1024 * 1024;
const drawable = /^image\/(jpeg|png|gif|webp|avif|bmp)$/;

/** One at a time: hundreds of photos would else be decoded at once. */
let last = Promise.resolve();

/**
 * Draws a picture's thumbnail into the place; leaves it as it is when there is none to draw.
 *
 * @param {File} file
 * @param {HTMLElement} place
 */
export function drawThumbnail(file, place) {
  if (!drawable.test(file.type) || file.size > maxImageBytes) return;
  last = last.then(() => draw(file, place));
}

/** @param {File} file @param {HTMLElement} place */
async function draw(file, place) {
  if (!place.isConnected) return;
  try {
    let bitmap = await createImageBitmap(file, { resizeHeight: sidePx, resizeQuality: "medium" });
    let canvas = document.createElement("canvas");
    canvas.width = sidePx;
    canvas.height = sidePx;
    canvas.getContext("2d")?.drawImage(bitmap, (sidePx - bitmap.width) / 2, 0);
    bitmap.close();
    place.replaceChildren(canvas);
  } catch {
    // Not a picture after all: the extension stays.
  }
}
