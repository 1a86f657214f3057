import type { ByteSource } from "../byte-source.ts";
import { numberOf, openTiff, readDirectory } from "../exif/tiff-directory.ts";
import { type FileFacts, plausibleSize } from "../facts.ts";

const TAG = { width: 0x100, height: 0x101 };

/** Classic and BigTIFF, both byte orders; the first directory is the picture. */
export async function readTiff(source: ByteSource): Promise<FileFacts> {
  let place = { source, offset: 0, length: source.sizeBytes };
  let tiff = await openTiff(place);
  if (!tiff) return {};
  let side = { width: 0, height: 0 };
  for (let entry of await readDirectory(tiff, tiff.firstDirectory)) {
    if (entry.tag === TAG.width) side.width = numberOf(tiff, entry) ?? 0;
    if (entry.tag === TAG.height) side.height = numberOf(tiff, entry) ?? 0;
  }
  return { stored: plausibleSize(side.width, side.height), tiff: place };
}
