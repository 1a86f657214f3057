import { KIB } from "../../units.ts";
import { type ByteSource, concat } from "../byte-source.ts";
import type { FileFacts, PixelSize } from "../facts.ts";
import { sequenceSize } from "./mpeg.ts";
import { h264Size, h265Size } from "./sequence-parameters.ts";

const searchedBytes = 256 * KIB;
const packetBytes = 188;
/** Cameras and discs put a time of four bytes before each packet, some receivers 16 bytes behind it. */
const LAYOUTS = [
  { before: 0, stride: 188 },
  { before: 4, stride: 192 },
  { before: 0, stride: 204 },
];
const sync = 0x47;
/** Bytes of a table before its entries, counted from its number. */
const programsAt = 8;
const streamsAt = 12;
const checksumBytes = 4;

/** How the pictures of a stream of each kind tell their size. */
const CODECS: Record<number, (stream: Buffer) => PixelSize | null> = {
  0x01: sequenceSize,
  0x02: sequenceSize,
  0x1b: (stream) => sizeOfUnit(stream, (byte) => (byte & 31) === 7, h264Size),
  0x24: (stream) => sizeOfUnit(stream, (byte) => ((byte >> 1) & 63) === 33, h265Size),
};

interface Packet {
  stream: number;
  /** Whether a table or a picture begins in it. */
  isStart: boolean;
  content: Uint8Array;
}

/** MPEG transport streams: a table leads to the table of the first program, that to its pictures. */
export async function readTransportStream(source: ByteSource): Promise<FileFacts> {
  let packets = [...packetsIn(await source.read(0, searchedBytes))];
  let program = entriesOf(packets, 0, programsAt, () => 4).find((entry) => numberAt(entry, 0) !== 0);
  let table = program ? numberAt(program, 2) & 0x1fff : -1;
  let entryBytes = (entry: Uint8Array) => 5 + (numberAt(entry, 3) & 0xfff);
  let pictures = entriesOf(packets, table, streamsAt, entryBytes).find((entry) => CODECS[entry[0] ?? 0]);
  if (!pictures) return {};
  let stream = numberAt(pictures, 1) & 0x1fff;
  let contents = packets.filter((packet) => packet.stream === stream).map((packet) => packet.content);
  return { stored: CODECS[pictures[0] ?? 0]?.(Buffer.from(concat(contents))) ?? null };
}

function* packetsIn(bytes: Uint8Array): Iterable<Packet> {
  let isThere = ({ before, stride }: (typeof LAYOUTS)[0]) =>
    bytes[before] === sync && bytes[before + stride] === sync;
  let layout = LAYOUTS.find(isThere);
  if (!layout) return;
  for (let at = layout.before; at + packetBytes <= bytes.byteLength; at += layout.stride) {
    let packet = bytes.subarray(at, at + packetBytes);
    if (packet[0] !== sync) return;
    let flags = packet[3] ?? 0;
    let skipped = (flags & 0x20) !== 0 ? 5 + (packet[4] ?? 0) : 4;
    let content = (flags & 0x10) !== 0 ? packet.subarray(skipped) : new Uint8Array(0);
    yield { stream: numberAt(packet, 1) & 0x1fff, isStart: ((packet[1] ?? 0) & 0x40) !== 0, content };
  }
}

/** The entries of the first table in a stream, as far as they are in its first packet. */
function entriesOf(
  packets: Packet[],
  stream: number,
  start: number,
  bytesOf: (entry: Uint8Array) => number,
): Uint8Array[] {
  let packet = packets.find((one) => one.stream === stream && one.isStart);
  if (!packet) return [];
  let section = packet.content.subarray(1 + (packet.content[0] ?? 0));
  let end = 3 + (numberAt(section, 1) & 0xfff) - checksumBytes;
  // What describes the program as a whole stands before its streams.
  let at = start + (start === streamsAt ? numberAt(section, 10) & 0xfff : 0);
  let entries: Uint8Array[] = [];
  while (at + 4 <= Math.min(end, section.byteLength)) {
    let entry = section.subarray(at, end);
    entries.push(entry);
    at += bytesOf(entry);
  }
  return entries;
}

/** Of 16 bits; what is not there is 0. */
function numberAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
}

/** The first unit of one kind; each begins behind 0, 0, 1. */
function sizeOfUnit(
  stream: Buffer,
  isWanted: (byte: number) => boolean,
  read: (unit: Uint8Array) => PixelSize | null,
): PixelSize | null {
  let sign = Buffer.from([0, 0, 1]);
  for (let at = stream.indexOf(sign); at >= 0; at = stream.indexOf(sign, at + 3)) {
    if (isWanted(stream[at + 3] ?? 0)) return read(stream.subarray(at + 3));
  }
  return null;
}
