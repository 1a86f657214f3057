import { MIB, TIB } from "../units.ts";

/** All sizes here are in MiB. */
export const minUploadMemoryMb = 24;
export const maxUploadMemoryMb = 262_144;
/** S3's largest object. */
export const maxObjectMb = (5 * TIB) / MIB;

const minPartMb = 8;
/** S3 allows 10,000 parts; the rest is slack. */
const maxParts = 9_900;
/** An upload keeps this many parts in memory. */
const partsHeld = 3;

/** What a file of `fileMb` takes of `upload_memory_mb`: three of the equal parts that it is cut into. */
export function memoryForFileMb(fileMb: number): number {
  return partsHeld * Math.max(minPartMb, Math.ceil(fileMb / maxParts));
}

/** The largest file whose parts fit into `memoryMb`. */
export function largestFileMb(memoryMb: number): number {
  return Math.min(maxObjectMb, Math.floor(memoryMb / partsHeld) * maxParts);
}
