import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { latin1, readView, viewOf } from "../bytes.ts";
import { type FileFacts, type PixelSize, plausibleSize, swapSides, type TiffPlace } from "../facts.ts";
import { type Box, boxContent, boxesIn, findBoxes } from "./boxes.ts";
import { readAssociations, readExifItem, readLocation } from "./heif-items.ts";

const maxMetaBoxBytes = 256 * KIB;
const maxProperties = 4096;
const fullBoxHeaderBytes = 4;

/** HEIC, HEIF and AVIF: the primary item's size, turned as the container says and never by EXIF. */
export async function readHeif(source: ByteSource): Promise<FileFacts> {
  let { meta } = Object.fromEntries(await findBoxes(source, { offset: 0, end: source.sizeBytes }, ["meta"]));
  if (!meta) return {};
  let range = { offset: meta.offset + fullBoxHeaderBytes, end: meta.end };
  let boxes = await findBoxes(source, range, ["pitm", "iprp", "iinf", "iloc", "idat"]);
  let picture = await primaryPicture(source, boxes.get("pitm"), boxes.get("iprp"));
  let tiff = await findExif(source, boxes.get("iinf"), boxes.get("iloc"), boxes.get("idat"));
  return { ...picture, tiff };
}

async function primaryPicture(source: ByteSource, pitm: Box | undefined, iprp: Box | undefined) {
  if (!iprp) return {};
  let parts = await findBoxes(source, iprp, ["ipco", "ipma"]);
  let ipco = parts.get("ipco");
  let ipma = parts.get("ipma");
  if (!ipco) return {};
  let properties = await readProperties(source, ipco);
  let primary = pitm && (await readPrimaryId(source, pitm));
  let table = ipma && (await boxContent(source, ipma, maxMetaBoxBytes));
  let indexes = table && primary !== undefined && readAssociations(table, primary);
  let own = indexes ? indexes.flatMap((index) => properties[index - 1] ?? []) : properties;
  let stored = own.find((property) => property.size)?.size ?? largest(properties);
  let turned = own.filter((property) => property.turned).length % 2 === 1;
  if (!stored || !indexes) return { stored };
  let shown = own.find((property) => property.cut)?.cut ?? stored;
  return { stored, displayed: turned ? swapSides(shown) : shown };
}

interface Property {
  size?: PixelSize | null;
  /** Clean aperture: what is shown of a picture whose sides the codec had to make even. */
  cut?: PixelSize | null;
  /** By a quarter or three quarters. */
  turned?: boolean;
}

async function readProperties(source: ByteSource, ipco: Box): Promise<Property[]> {
  let properties: Property[] = [];
  for await (let box of boxesIn(source, ipco)) {
    let property: Property = {};
    if (box.type === "ispe") {
      let size = await readView(source, box.offset + fullBoxHeaderBytes, 8);
      if (size) property.size = plausibleSize(size.getUint32(0), size.getUint32(4));
    } else if (box.type === "clap") {
      let [width = 0, height = 0] = fractions(await readView(source, box.offset, 16));
      property.cut = plausibleSize(Math.round(width), Math.round(height));
    } else if (box.type === "irot") {
      let angle = await readView(source, box.offset, 1);
      property.turned = angle !== null && (angle.getUint8(0) & 1) === 1;
    }
    properties.push(property);
    if (properties.length >= maxProperties) break;
  }
  return properties;
}

function fractions(view: DataView | null): number[] {
  return view ? [0, 8].map((at) => view.getUint32(at) / view.getUint32(at + 4)) : [];
}

function largest(properties: Property[]): PixelSize | null {
  let best: PixelSize | null = null;
  for (let { size } of properties) {
    if (size && (!best || size.width * size.height > best.width * best.height)) best = size;
  }
  return best;
}

async function readPrimaryId(source: ByteSource, pitm: Box): Promise<number | undefined> {
  let content = await boxContent(source, pitm, 16);
  if (!content || content.byteLength < 6) return undefined;
  if (content.getUint8(0) === 0) return content.getUint16(4);
  return content.byteLength >= 8 ? content.getUint32(4) : undefined;
}

async function findExif(
  source: ByteSource,
  iinf: Box | undefined,
  iloc: Box | undefined,
  idat: Box | undefined,
): Promise<TiffPlace | null> {
  let items = iinf && (await boxContent(source, iinf, maxMetaBoxBytes));
  let locations = iloc && (await boxContent(source, iloc, maxMetaBoxBytes));
  let id = items ? readExifItem(items) : null;
  let location = locations && id !== null ? readLocation(locations, id) : null;
  if (!location) return null;
  let start = location.inIdat ? idat && idat.offset + location.offset : location.offset;
  if (start === undefined) return null;
  let end = location.inIdat && idat ? idat.end : source.sizeBytes;
  // Length 0 means up to the end.
  let length = Math.min(location.length || end - start, end - start);
  return skipPrefix(source, start, length);
}

/** The item begins with the number of bytes before the TIFF header; some writers leave it wrong. */
async function skipPrefix(source: ByteSource, start: number, length: number): Promise<TiffPlace | null> {
  let bytes = await source.read(start, Math.min(length, 64));
  if (bytes.byteLength < 12) return null;
  let view = viewOf(bytes);
  for (let skip of [4 + view.getUint32(0), 4, 10, 0, 6]) {
    if (skip + 4 > bytes.byteLength) continue;
    if (["II*\0", "MM\0*"].includes(latin1(view, skip, 4))) {
      return { source, offset: start + skip, length: length - skip };
    }
  }
  return null;
}
