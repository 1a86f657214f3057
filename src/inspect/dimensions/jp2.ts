import type { ByteSource } from "../byte-source.ts";
import { latin1, readView } from "../bytes.ts";
import { type FileFacts, plausibleSize, type TiffPlace } from "../facts.ts";
import { boxesIn, findBoxes } from "./boxes.ts";

const codestreamSign = 0xff4fff51;
const exifUuid = "JpgTiffExif->JP2";

/** JPEG 2000, bare or in boxes. */
export async function readJp2(source: ByteSource): Promise<FileFacts> {
  let start = await readView(source, 0, 24);
  if (start?.getUint32(0) === codestreamSign) {
    // The picture begins at an offset within its own grid.
    let [right, bottom, left, top] = [8, 12, 16, 20].map((at) => start.getUint32(at));
    return { stored: plausibleSize((right ?? 0) - (left ?? 0), (bottom ?? 0) - (top ?? 0)) };
  }
  let facts: FileFacts = {};
  for await (let box of boxesIn(source, { offset: 0, end: source.sizeBytes })) {
    if (box.type === "jp2h") {
      let header = (await findBoxes(source, box, ["ihdr"])).get("ihdr");
      let size = header && (await readView(source, header.offset, 8));
      facts.stored ??= size ? plausibleSize(size.getUint32(4), size.getUint32(0)) : null;
    } else if (box.type === "uuid") {
      facts.tiff ??= await exifOf(source, box);
    }
  }
  return facts;
}

async function exifOf(source: ByteSource, box: { offset: number; end: number }): Promise<TiffPlace | null> {
  let name = await readView(source, box.offset, 16);
  if (!name || latin1(name, 0, 16) !== exifUuid) return null;
  return { source, offset: box.offset + 16, length: box.end - box.offset - 16 };
}
