import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { readView } from "../bytes.ts";
import { type FileFacts, plausibleDuration, plausibleSize } from "../facts.ts";

const ID = {
  segment: 0x18538067,
  info: 0x1549a966,
  timecodeScale: 0x2ad7b1,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  cluster: 0x1f43b675,
  trackEntry: 0xae,
  video: 0xe0,
  pixelWidth: 0xb0,
  pixelHeight: 0xba,
  displayWidth: 0x54b0,
  displayHeight: 0x54ba,
  displayUnit: 0x54b2,
};
/** Of one parent. */
const maxElements = 256;
const maxElementHeaderBytes = 12;
const maxTracksBytes = 256 * KIB;
const nanosecondsPerSecond = 1e9;

interface Element {
  id: number;
  offset: number;
  end: number;
}

/** WebM and Matroska: the first video track; what stands behind the first cluster of pictures is not looked at. */
export async function readWebm(source: ByteSource): Promise<FileFacts> {
  let facts: FileFacts = {};
  for await (let segment of elementsIn(source, 0, source.sizeBytes)) {
    if (segment.id !== ID.segment) continue;
    for await (let part of elementsIn(source, segment.offset, segment.end)) {
      if (part.id === ID.cluster) break;
      if (part.id === ID.info) facts.durationSeconds = await readDuration(source, part);
      if (part.id === ID.tracks) facts = { ...facts, ...(await readTracks(source, part)) };
    }
    break;
  }
  return facts;
}

async function readTracks(source: ByteSource, tracks: Element): Promise<FileFacts> {
  if (tracks.end - tracks.offset > maxTracksBytes) return {};
  for await (let track of elementsIn(source, tracks.offset, tracks.end)) {
    if (track.id !== ID.trackEntry) continue;
    for await (let part of elementsIn(source, track.offset, track.end)) {
      if (part.id === ID.video) return readVideo(source, part);
    }
  }
  return {};
}

async function readVideo(source: ByteSource, video: Element): Promise<FileFacts> {
  let values = await readNumbers(source, video);
  let stored = plausibleSize(values.get(ID.pixelWidth) ?? 0, values.get(ID.pixelHeight) ?? 0);
  let inPixels = (values.get(ID.displayUnit) ?? 0) === 0;
  let shown = plausibleSize(values.get(ID.displayWidth) ?? 0, values.get(ID.displayHeight) ?? 0);
  return { stored, displayed: (inPixels ? shown : null) ?? stored };
}

async function readDuration(source: ByteSource, info: Element): Promise<number | null> {
  let scale = 1_000_000;
  let duration: number | null = null;
  for await (let part of elementsIn(source, info.offset, info.end)) {
    let length = part.end - part.offset;
    if (part.id === ID.timecodeScale) scale = (await readUint(source, part)) ?? scale;
    if (part.id !== ID.duration || (length !== 4 && length !== 8)) continue;
    let value = await readView(source, part.offset, length);
    duration = value && (length === 4 ? value.getFloat32(0) : value.getFloat64(0));
  }
  let seconds = ((duration ?? 0) * scale) / nanosecondsPerSecond;
  return plausibleDuration(seconds);
}

async function readNumbers(source: ByteSource, parent: Element): Promise<Map<number, number>> {
  let values = new Map<number, number>();
  for await (let part of elementsIn(source, parent.offset, parent.end)) {
    let value = await readUint(source, part);
    if (value !== null) values.set(part.id, value);
  }
  return values;
}

async function readUint(source: ByteSource, element: Element): Promise<number | null> {
  let length = element.end - element.offset;
  if (length < 1 || length > 6) return null;
  let view = await readView(source, element.offset, length);
  if (!view) return null;
  let value = 0;
  for (let at = 0; at < length; at++) value = value * 256 + view.getUint8(at);
  return value;
}

/** The EBML elements between two offsets; one of unknown length (a live stream's) goes to the end. */
async function* elementsIn(source: ByteSource, start: number, end: number): AsyncIterable<Element> {
  let at = start;
  for (let count = 0; count < maxElements && at < end; count++) {
    let header = await source.read(at, Math.min(maxElementHeaderBytes, end - at));
    let idBytes = Math.clz32(header[0] ?? 0) - 23;
    let lengthBytes = Math.clz32(header[idBytes] ?? 0) - 23;
    if (idBytes > 4 || lengthBytes > 8 || idBytes + lengthBytes > header.byteLength) return;
    let id = number(header.subarray(0, idBytes));
    let sizeField = header.slice(idBytes, idBytes + lengthBytes);
    // The marker bit goes first: with it a long field would not fit a number exactly.
    sizeField[0] = (sizeField[0] ?? 0) & (0xff >> lengthBytes);
    let size = number(sizeField);
    let length = size >= 2 ** (7 * lengthBytes) - 1 ? end : size;
    let offset = at + idBytes + lengthBytes;
    yield { id, offset, end: Math.min(offset + length, end) };
    at = offset + length;
  }
}

function number(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}
