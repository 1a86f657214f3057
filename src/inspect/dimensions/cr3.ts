import type { ByteSource } from "../byte-source.ts";
import { readView } from "../bytes.ts";
import { numberOf, openTiff, readDirectory } from "../exif/tiff-directory.ts";
import { type FileFacts, plausibleSize, type TiffPlace } from "../facts.ts";
import { type Box, boxesIn, findBoxes } from "./boxes.ts";

const canonName = 0x85c0b687;
const TAG = { width: 0x100, height: 0x101 };

/** Canon's raw photos since 2018: boxes, and in one of them what others write in one TIFF block, in a block for each part. */
export async function readCr3(source: ByteSource): Promise<FileFacts> {
  let { moov } = Object.fromEntries(await findBoxes(source, { offset: 0, end: source.sizeBytes }, ["moov"]));
  let uuid = moov && (await findCanon(source, moov));
  if (!uuid) return {};
  let range = { offset: uuid.offset + 16, end: uuid.end };
  let parts = await findBoxes(source, range, ["CMT1", "CMT2", "CMT4"]);
  let main = placeOf(source, parts.get("CMT1"));
  if (!main) return {};
  let tiff = {
    ...main,
    exposure: placeOf(source, parts.get("CMT2")),
    gps: placeOf(source, parts.get("CMT4")),
  };
  return { stored: await sizeIn(main), tiff };
}

async function findCanon(source: ByteSource, moov: Box): Promise<Box | null> {
  for await (let box of boxesIn(source, moov)) {
    let name = box.type === "uuid" ? await readView(source, box.offset, 4) : null;
    if (name?.getUint32(0) === canonName) return box;
  }
  return null;
}

function placeOf(source: ByteSource, box: Box | undefined): TiffPlace | null {
  return box ? { source, offset: box.offset, length: box.end - box.offset } : null;
}

async function sizeIn(place: TiffPlace) {
  let tiff = await openTiff(place);
  if (!tiff) return null;
  let entries = await readDirectory(tiff, tiff.firstDirectory);
  let side = (tag: number) => {
    let entry = entries.find((one) => one.tag === tag);
    return (entry && numberOf(tiff, entry)) ?? 0;
  };
  return plausibleSize(side(TAG.width), side(TAG.height));
}
