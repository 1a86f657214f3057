import { readSync, writeFileSync, writeSync } from "node:fs";
import { setPriority } from "node:os";

import { type Drawing, maxDrawnBytes, maxDrawnPixels } from "./drawing.ts";

/** Starts this program as the one that draws; no command for people, so that help does not know it. */
export const drawCommand = "draw-thumbnail";
/** Sent as soon as the whole file is here: what goes wrong from then on is the picture's fault. */
export const readySign = 0x2e;

const stdin = 0;
const stdout = 1;
const lowPriority = 10;
const webpQuality = 80;

/** The command line's words for a drawing. */
export function drawingArguments(drawing: Drawing): string[] {
  let { sizeBytes, storedWidth, storedHeight, orientation, width, height } = drawing;
  return [sizeBytes, storedWidth, storedHeight, orientation, width, height].map(String);
}

function parseArguments(argv: readonly string[]): Drawing {
  let [sizeBytes = 0, storedWidth = 0, storedHeight = 0, orientation = 1, width = 1, height = 1] =
    argv.map(Number);
  return { sizeBytes, storedWidth, storedHeight, orientation, width, height };
}

/**
 * A process of its own that turns the picture on stdin into a WebP on stdout, behind `readySign`. Whatever the picture
 * does to it is seen by nobody but the one who started it.
 * @returns the exit code
 */
export async function draw(argv: readonly string[]): Promise<number> {
  giveWay();
  let drawing = parseArguments(argv);
  let file = readFile(drawing.sizeBytes);
  if (!file) return 1;
  writeSync(stdout, Uint8Array.of(readySign));
  try {
    writeFileSync(stdout, await drawWebp(file, drawing));
    return 0;
  } catch {
    return 1;
  }
}

/** @throws when the picture is broken, another than the catalog knows, or too large */
export async function drawWebp(file: Uint8Array, drawing: Drawing): Promise<Uint8Array> {
  let options = { maxPixels: maxDrawnPixels, autoOrient: false };
  let header = await new Bun.Image(file, options).metadata();
  if (header.width !== drawing.storedWidth || header.height !== drawing.storedHeight) {
    throw new Error(`the header says ${header.width}×${header.height}`);
  }
  // Bun itself knows the orientation of JPEG only, and this way pictures lie as the catalog says.
  let image = turn(new Bun.Image(file, options), drawing.orientation);
  return await image.resize(drawing.width, drawing.height).webp({ quality: webpQuality }).bytes();
}

/** EXIF's eight orientations; Bun rotates first, then flips. */
function turn(image: Bun.Image, orientation: number): Bun.Image {
  switch (orientation) {
    case 2:
      return image.flop();
    case 3:
      return image.rotate(180);
    case 4:
      return image.flip();
    case 5:
      return image.rotate(90).flop();
    case 6:
      return image.rotate(90);
    case 7:
      return image.rotate(270).flop();
    case 8:
      return image.rotate(270);
    default:
      return image;
  }
}

/** Uploads go first, and when the machine runs out of memory this process goes first. */
function giveWay(): void {
  try {
    setPriority(lowPriority);
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Elsewhere than on Linux, or not allowed: the limits hold all the same.
  }
}

/** All of stdin in one block of exactly its size; null when there is less or more of it. */
function readFile(sizeBytes: number): Uint8Array | null {
  if (!(sizeBytes > 0 && sizeBytes <= maxDrawnBytes)) return null;
  let file = new Uint8Array(sizeBytes);
  let filled = 0;
  while (filled < sizeBytes) {
    let bytes = readSync(stdin, file, filled, sizeBytes - filled, null);
    if (bytes === 0) return null;
    filled += bytes;
  }
  return readSync(stdin, new Uint8Array(1), 0, 1, null) === 0 ? file : null;
}
