import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { latin1, readView, uint64 } from "../bytes.ts";
import { type FileFacts, plausibleDuration, plausibleSize, swapSides } from "../facts.ts";
import { type Box, boxContent, boxesIn, findBoxes } from "./boxes.ts";
import { readFilmTags } from "./mp4-tags.ts";

const maxTracks = 64;
const maxHeaderBytes = 1 * KIB;
const fixedPoint = 65536;

/**
 * MP4, MOV and their kin: the first picture track's size, turned by its matrix, and what its tags tell; `moov` may be
 * anywhere.
 */
export async function readMp4(source: ByteSource): Promise<FileFacts> {
  let { moov } = Object.fromEntries(await findBoxes(source, { offset: 0, end: source.sizeBytes }, ["moov"]));
  if (!moov) return {};
  let facts: FileFacts = {};
  let tracks = 0;
  for await (let box of boxesIn(source, moov)) {
    if (box.type === "mvhd") facts.durationSeconds = await readDuration(source, box);
    if (box.type !== "trak" || facts.stored || tracks++ >= maxTracks) continue;
    facts = { ...facts, ...(await readTrack(source, box)) };
  }
  return { ...facts, ...(await readFilmTags(source, moov)) };
}

async function readDuration(source: ByteSource, mvhd: Box): Promise<number | null> {
  let content = await boxContent(source, mvhd, maxHeaderBytes);
  if (!content || content.byteLength < 32) return null;
  let long = content.getUint8(0) === 1;
  let scale = content.getUint32(long ? 20 : 12);
  let duration = long ? uint64(content, 24) : content.getUint32(16);
  let unknown = long ? duration >= 2 ** 63 : duration === 0xffffffff;
  return unknown ? null : plausibleDuration(duration / scale);
}

async function readTrack(source: ByteSource, trak: Box): Promise<FileFacts> {
  let parts = await findBoxes(source, trak, ["tkhd", "mdia"]);
  let tkhd = parts.get("tkhd");
  let mdia = parts.get("mdia");
  if (!tkhd || (mdia && !(await isPicture(source, mdia)))) return {};
  let content = await boxContent(source, tkhd, maxHeaderBytes);
  let at = content?.getUint8(0) === 1 ? 52 : 40;
  if (!content || content.byteLength < at + 44) return {};
  let side = (offset: number) => Math.round(content.getUint32(offset) / fixedPoint);
  let stored = plausibleSize(side(at + 36), side(at + 40));
  // The matrix a b u c d v x y w: a quarter turn has its weight in b and c.
  let turned = Math.abs(content.getInt32(at + 4)) > Math.abs(content.getInt32(at));
  return stored ? { stored, displayed: turned ? swapSides(stored) : stored } : {};
}

async function isPicture(source: ByteSource, mdia: Box): Promise<boolean> {
  let { hdlr } = Object.fromEntries(await findBoxes(source, mdia, ["hdlr"]));
  let handler = hdlr && (await readView(source, hdlr.offset + 8, 4));
  return !handler || latin1(handler, 0, 4) === "vide";
}
