import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { hasAscii, latin1, readView, viewOf } from "../bytes.ts";
import { type FileFacts, plausibleDuration } from "../facts.ts";

const searchedBytes = 256 * KIB;
const searchedTailBytes = 64 * KIB;
/** In fewer, frames that are alike prove nothing. */
const leastHeadBytes = 32 * KIB;
const fetchedHeadBytes = 64 * KIB;
const maxTags = 4;
const tagHeaderBytes = 10;
/** Of layer 2 at 160 kbit and 8 kHz, the largest there is. */
const maxFrameBytes = 2881;
/** What may stand behind the last frame. */
const TAILS = ["TAG", "APETAGEX", "LYRICSBEGIN", "ID3"];

/** Thousands of bits a second by version (1; 2 and 2.5) and layer, for the numbers 1 to 14 of the header. */
const RATES: Record<string, number[]> = {
  "1.1": [32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  "1.2": [32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  "1.3": [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  "2.1": [32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  "2.2": [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
};
const SAMPLE_RATES = [44_100, 48_000, 32_000];

interface Frame {
  bitsPerSecond: number;
  bytes: number;
  seconds: number;
  /** Where encoders put what they know of the whole. */
  noteAt: number;
}

/** Frames one after the other: equal bits a second, or 0 when they differ. */
interface Run {
  start: number;
  end: number;
  seconds: number;
  bitsPerSecond: number;
}

/**
 * MP3 and its kin: as many frames as the encoder says; else those of a file that is looked at as a whole; else, when the
 * frames at both ends have one and the same bit rate, bytes by bits a second.
 */
export async function readMp3(source: ByteSource): Promise<FileFacts> {
  let at = await skipTags(source);
  let head = viewOf(await readHead(source, at));
  let start = findRun(head);
  let first = start && frameAt(head, start.start);
  if (!start || !first) return {};
  let told = toldFrames(head, start.start, first);
  if (told) {
    let isWhole = told.bytes <= source.sizeBytes - at - start.start;
    return { durationSeconds: isWhole ? plausibleDuration(told.frames * first.seconds) : null };
  }
  if (at + head.byteLength >= source.sizeBytes) return { durationSeconds: plausibleDuration(start.seconds) };
  let tailAt = Math.max(at + head.byteLength, source.sizeBytes - searchedTailBytes);
  let tail = viewOf(await source.read(tailAt, searchedTailBytes));
  let end = findRun(tail);
  let isEven = start.bitsPerSecond > 0 && start.bitsPerSecond === end?.bitsPerSecond;
  let fillsHead = start.end + maxFrameBytes > head.byteLength;
  if (!end || !isEven || !fillsHead || !isEnd(tail, end.end)) return {};
  let soundBytes = tailAt + end.end - at - start.start;
  return { durationSeconds: plausibleDuration((soundBytes * 8) / start.bitsPerSecond) };
}

/** Where the sound begins: behind tags with the title and the picture of an album. */
async function skipTags(source: ByteSource): Promise<number> {
  let at = 0;
  for (let count = 0; count < maxTags; count++) {
    let tag = await readView(source, at, tagHeaderBytes);
    if (!tag || latin1(tag, 0, 3) !== "ID3") break;
    let size = [6, 7, 8, 9].reduce((sum, byte) => sum * 128 + (tag.getUint8(byte) & 127), 0);
    let hasFooter = (tag.getUint8(5) & 0x10) !== 0;
    at += tagHeaderBytes * (hasFooter ? 2 : 1) + size;
  }
  return at;
}

/** What is in memory behind the tags; only when they took all of that, a piece of the stored file. */
async function readHead(source: ByteSource, at: number): Promise<Uint8Array> {
  let held = source.peek(at, searchedBytes);
  return held.byteLength >= leastHeadBytes ? held : source.read(at, fetchedHeadBytes);
}

function frameAt(view: DataView, at: number): Frame | null {
  if (at + 4 > view.byteLength) return null;
  let header = view.getUint32(at);
  let version = (header >>> 19) & 3;
  let layer = 4 - ((header >>> 17) & 3);
  let rate = SAMPLE_RATES[(header >>> 10) & 3];
  if (header >>> 21 !== 0x7ff || layer === 4 || version === 1 || !rate) return null;
  let isOne = version === 3;
  let sampleRate = isOne ? rate : version === 2 ? rate / 2 : rate / 4;
  let kbits = RATES[`${isOne ? 1 : 2}.${isOne ? layer : Math.min(layer, 2)}`]?.[((header >>> 12) & 15) - 1];
  if (!kbits) return null;
  let samples = layer === 1 ? 384 : layer === 3 && !isOne ? 576 : 1152;
  let slotBytes = layer === 1 ? 4 : 1;
  let slots = Math.floor((samples * kbits * 1000) / 8 / slotBytes / sampleRate) + ((header >>> 9) & 1);
  let isMono = ((header >>> 6) & 3) === 3;
  let sideBytes = isOne ? (isMono ? 17 : 32) : isMono ? 9 : 17;
  return {
    bitsPerSecond: kbits * 1000,
    bytes: slots * slotBytes,
    seconds: samples / sampleRate,
    noteAt: at + 4 + sideBytes,
  };
}

/** The first frames that follow one another; one alone may be chance. */
function findRun(view: DataView): Run | null {
  for (let at = 0; at + 4 <= view.byteLength; at++) {
    if (view.getUint8(at) !== 0xff) continue;
    let first = frameAt(view, at);
    let second = first && frameAt(view, at + first.bytes);
    if (first && second?.seconds === first.seconds) return runFrom(view, at, first);
  }
  return null;
}

function runFrom(view: DataView, start: number, first: Frame): Run {
  let run = { start, end: start, seconds: 0, bitsPerSecond: first.bitsPerSecond };
  for (let frame: Frame | null = first; frame && run.end + frame.bytes <= view.byteLength;) {
    run.end += frame.bytes;
    run.seconds += frame.seconds;
    if (frame.bitsPerSecond !== run.bitsPerSecond) run.bitsPerSecond = 0;
    frame = frameAt(view, run.end);
  }
  return run;
}

/** Nothing of the file is behind `at` but tags, or a frame that was cut. */
function isEnd(view: DataView, at: number): boolean {
  let rest = new Uint8Array(view.buffer, view.byteOffset + at, view.byteLength - at);
  return rest.byteLength < 4 || frameAt(view, at) !== null || TAILS.some((tail) => hasAscii(rest, tail));
}

/** What the encoder wrote into the first frame, in one of two ways; 0 bytes when it does not say how many. */
function toldFrames(view: DataView, at: number, { noteAt }: Frame): { frames: number; bytes: number } | null {
  if (["Xing", "Info"].includes(latin1(view, noteAt, 4)) && noteAt + 16 <= view.byteLength) {
    let flags = view.getUint32(noteAt + 4);
    let hasBytes = (flags & 2) !== 0;
    if ((flags & 1) === 0) return null;
    return { frames: view.getUint32(noteAt + 8), bytes: hasBytes ? view.getUint32(noteAt + 12) : 0 };
  }
  let vbri = at + 36;
  if (latin1(view, vbri, 4) !== "VBRI" || vbri + 18 > view.byteLength) return null;
  return { frames: view.getUint32(vbri + 14), bytes: view.getUint32(vbri + 10) };
}
