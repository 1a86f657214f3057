import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { latin1, readView, viewOf } from "../bytes.ts";
import { type FileFacts, type PixelSize, plausibleDuration, plausibleSize } from "../facts.ts";

const pageHeaderBytes = 27;
const packetBytes = 64;
const maxStreams = 16;
const maxPages = 64;
/** A page is no longer than this. */
const searchedTailBytes = 64 * KIB;
/** What was cut out of a broadcast goes on counting where it was cut; a first page is never this long. */
const maxFirstPageSeconds = 60;
/** The position of a page in which no packet ends. */
const noPosition = 0xffffffffffffffffn;

interface Stream {
  /** Of the sound or the pictures up to a position. */
  secondsAt: (position: bigint) => number;
  size?: PixelSize | null;
}

interface Page {
  serial: number;
  isFirst: boolean;
  position: bigint;
  contentAt: number;
  end: number;
}

/** Ogg: the first page of each stream says what it is, the last page how long. */
export async function readOgg(source: ByteSource): Promise<FileFacts> {
  let streams = new Map<number, Stream | null>();
  let at = 0;
  for (let count = 0; count < maxStreams; count++) {
    let page = await readPage(source, at);
    if (!page?.isFirst) break;
    streams.set(page.serial, streamOf(viewOf(await source.read(page.contentAt, packetBytes))));
    at = page.end;
  }
  let stored = [...streams.values()].find((stream) => stream?.size)?.size ?? null;
  let startsAtZero = await startsNearZero(source, streams, at);
  return { stored, durationSeconds: startsAtZero ? await readDuration(source, streams) : null };
}

async function readPage(source: ByteSource, at: number): Promise<Page | null> {
  let header = await readView(source, at, pageHeaderBytes);
  if (!header || latin1(header, 0, 4) !== "OggS") return null;
  let segments = header.getUint8(26);
  let lengths = await readView(source, at + pageHeaderBytes, segments);
  if (!lengths) return null;
  let contentAt = at + pageHeaderBytes + segments;
  let end = contentAt;
  for (let segment = 0; segment < segments; segment++) end += lengths.getUint8(segment);
  return {
    serial: header.getUint32(14, true),
    isFirst: (header.getUint8(5) & 2) !== 0,
    position: header.getBigUint64(6, true),
    contentAt,
    end,
  };
}

/** What the first packet of a stream tells; null of what is not known. */
function streamOf(packet: DataView): Stream | null {
  let starts = (sign: string, bytes: number) =>
    packet.byteLength >= bytes && latin1(packet, 0, sign.length) === sign;
  if (starts("\x01vorbis", 16)) return sound(packet.getUint32(12, true));
  if (starts("OpusHead", 12)) return sound(48_000, packet.getUint16(10, true));
  if (starts("Speex   ", 40)) return sound(packet.getUint32(36, true));
  if (starts("\x7fFLAC", 31)) return sound(packet.getUint32(27) >>> 12);
  return starts("\x80theora", 42) ? theora(packet) : null;
}

function sound(rate: number, skipped = 0): Stream {
  return { secondsAt: (position) => (Number(position) - skipped) / rate };
}

/** The position counts pictures up to the last whole one, and in its last bits those since then. */
function theora(packet: DataView): Stream {
  let shift = BigInt((packet.getUint16(40) >> 5) & 31);
  let picturesPerSecond = packet.getUint32(22) / packet.getUint32(26);
  return {
    secondsAt: (position) =>
      Number((position >> shift) + (position & ((1n << shift) - 1n))) / picturesPerSecond,
    size: plausibleSize(packet.getUint32(13) & 0xffffff, packet.getUint32(16) & 0xffffff),
  };
}

/** Whether the first page with sound or pictures is near the beginning; headers have position 0. */
async function startsNearZero(
  source: ByteSource,
  streams: Map<number, Stream | null>,
  at: number,
): Promise<boolean> {
  for (let count = 0; count < maxPages; count++) {
    let page = await readPage(source, at);
    if (!page) return false;
    let seconds = streams.get(page.serial)?.secondsAt(page.position) ?? 0;
    if (page.position !== 0n && page.position !== noPosition) return seconds < maxFirstPageSeconds;
    at = page.end;
  }
  return false;
}

/** The longest of the streams, by the last page of each that is near the end. */
async function readDuration(source: ByteSource, streams: Map<number, Stream | null>): Promise<number | null> {
  let start = Math.max(0, source.sizeBytes - searchedTailBytes);
  let tail = Buffer.from(await source.read(start, source.sizeBytes - start));
  let seen = new Set<number>();
  let longest = 0;
  for (let at = tail.lastIndexOf("OggS"); at >= 0; at = at > 0 ? tail.lastIndexOf("OggS", at - 1) : -1) {
    if (at + pageHeaderBytes > tail.byteLength) continue;
    let serial = tail.readUInt32LE(at + 14);
    let position = tail.readBigUInt64LE(at + 6);
    // Another file was put behind this one.
    if (!streams.has(serial)) return null;
    if (position === noPosition || seen.has(serial)) continue;
    seen.add(serial);
    longest = Math.max(longest, streams.get(serial)?.secondsAt(position) ?? 0);
  }
  return plausibleDuration(longest);
}
