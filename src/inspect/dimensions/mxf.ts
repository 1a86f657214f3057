import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { latin1, viewOf } from "../bytes.ts";
import { type FileFacts, plausibleDuration, plausibleSize } from "../facts.ts";

const searchedBytes = 256 * KIB;
const maxSets = 4096;
/** Begins the names of all sets of metadata; the 15th byte says which set it is. */
const setName = "\x06\x0e\x2b\x34\x02\x53\x01\x01\x0d\x01\x01\x01\x01\x01";
const KIND = { sequence: 0x0f, track: 0x3b };
/** Those that describe pictures: in general, by colour difference, in RGB, as MPEG. */
const PICTURES = new Set([0x27, 0x28, 0x29, 0x51]);
const TAG = {
  uid: 0x3c0a,
  content: 0x0201,
  length: 0x0202,
  sequence: 0x4803,
  rate: 0x4b01,
  stored: [0x3203, 0x3202],
  sampled: [0x3205, 0x3204],
  displayed: [0x3209, 0x3208],
  layout: 0x320c,
};
/** What a sequence of pictures says that it is made of. */
const pictureContent = "060e2b34040101010103020201";
/** Both fields of a picture apart, so that a height is that of one. */
const separateFields = 1;

interface MetadataSet {
  kind: number;
  values: Map<number, DataView>;
}

/** MXF: what the header tells of pictures and of the track that they are on. */
export async function readMxf(source: ByteSource): Promise<FileFacts> {
  let sets = setsIn(viewOf(await source.read(0, searchedBytes)));
  let pictures = sets.find(({ kind }) => PICTURES.has(kind));
  return { ...(pictures && sizesOf(pictures)), durationSeconds: durationOf(sets) };
}

/** Keys of 16 bytes, each with a length and as many bytes. */
function setsIn(view: DataView): MetadataSet[] {
  let sets: MetadataSet[] = [];
  let at = 0;
  for (let count = 0; count < maxSets && at + 17 <= view.byteLength; count++) {
    let length = lengthAt(view, at + 16);
    if (!length) break;
    let end = Math.min(length.end, view.byteLength);
    if (latin1(view, at, setName.length) === setName)
      sets.push({ kind: view.getUint8(at + setName.length), values: valuesIn(view, length.start, end) });
    at = length.end;
  }
  return sets;
}

/** In one byte, or in as many as that byte says. */
function lengthAt(view: DataView, at: number): { start: number; end: number } | null {
  let first = view.getUint8(at);
  if (first < 0x80) return { start: at + 1, end: at + 1 + first };
  let start = at + 1 + (first & 0x7f);
  if (first > 0x88 || start > view.byteLength) return null;
  let length = 0;
  for (let byte = at + 1; byte < start; byte++) length = length * 256 + view.getUint8(byte);
  return { start, end: start + length };
}

function valuesIn(view: DataView, start: number, end: number): Map<number, DataView> {
  let values = new Map<number, DataView>();
  let at = start;
  while (at + 4 <= end) {
    let length = view.getUint16(at + 2);
    if (at + 4 + length > end) break;
    values.set(view.getUint16(at), new DataView(view.buffer, view.byteOffset + at + 4, length));
    at += 4 + length;
  }
  return values;
}

function sizesOf({ values }: MetadataSet): FileFacts {
  let number = (tag = 0) => {
    let value = values.get(tag);
    return value?.byteLength === 4 ? value.getUint32(0) : 0;
  };
  let layout = values.get(TAG.layout);
  let fields = layout?.byteLength === 1 && layout.getUint8(0) === separateFields ? 2 : 1;
  let size = ([width, height]: number[]) => plausibleSize(number(width), number(height) * fields);
  let stored = size(TAG.stored);
  return { stored, displayed: size(TAG.displayed) ?? size(TAG.sampled) ?? stored };
}

/** Pictures by pictures a second; below 0 as long as the writer did not know it. */
function durationOf(sets: MetadataSet[]): number | null {
  let hexOf = (set: MetadataSet, tag: number) => {
    let value = set.values.get(tag);
    return value ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex") : "";
  };
  let sequence = sets.find(
    (set) => set.kind === KIND.sequence && hexOf(set, TAG.content).startsWith(pictureContent),
  );
  let uid = sequence && hexOf(sequence, TAG.uid);
  let track = sets.find((set) => set.kind === KIND.track && hexOf(set, TAG.sequence) === uid);
  let length = sequence?.values.get(TAG.length);
  let rate = track?.values.get(TAG.rate);
  if (length?.byteLength !== 8 || rate?.byteLength !== 8) return null;
  return plausibleDuration((Number(length.getBigInt64(0)) * rate.getUint32(4)) / rate.getUint32(0));
}
