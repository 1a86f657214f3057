import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { readView } from "../bytes.ts";
import { type FileFacts, plausibleDuration, plausibleSize } from "../facts.ts";

/** The first eight bytes of the 16 that name an object tell them apart. */
const NAME = { file: "a1dcab8c47a9cf11", stream: "9107dcb7b7a9cf11", video: "c0ef19bc4d5bcf11" };
const headerObjectBytes = 30;
const maxHeaderBytes = 256 * KIB;
const maxObjects = 64;
const ticksPerSecond = 1e7;
const ticksPerMillisecond = 1e4;

/** WMV and WMA: objects in a header, of which one tells the duration and one a picture track. */
export async function readAsf(source: ByteSource): Promise<FileFacts> {
  let start = await readView(source, 0, headerObjectBytes);
  let headerBytes = Number(start?.getBigUint64(16, true) ?? 0);
  let end = Math.min(headerBytes, maxHeaderBytes);
  let facts: FileFacts = {};
  let at = headerObjectBytes;
  for (let count = 0; count < maxObjects && at + 24 <= end; count++) {
    let object = await readView(source, at, 24);
    let size = Number(object?.getBigUint64(16, true) ?? 0);
    if (!object || size < 24) break;
    let name = nameAt(object, 0);
    if (name === NAME.file) facts.durationSeconds = await readDuration(source, at);
    if (name === NAME.stream) facts.stored ??= await readSize(source, at);
    at += size;
  }
  return facts;
}

function nameAt(view: DataView, offset: number): string {
  return view.getBigUint64(offset).toString(16).padStart(16, "0");
}

/** The time of playing, of which the time of filling a buffer is taken off. */
async function readDuration(source: ByteSource, at: number): Promise<number | null> {
  let times = await readView(source, at + 64, 24);
  if (!times) return null;
  let ticks =
    Number(times.getBigUint64(0, true)) - Number(times.getBigUint64(16, true)) * ticksPerMillisecond;
  return plausibleDuration(ticks / ticksPerSecond);
}

async function readSize(source: ByteSource, at: number) {
  let stream = await readView(source, at + 24, 62);
  if (!stream || nameAt(stream, 0) !== NAME.video) return null;
  return plausibleSize(stream.getUint32(54, true), stream.getUint32(58, true));
}
