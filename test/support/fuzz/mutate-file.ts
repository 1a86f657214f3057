import { u32 } from "../images.ts";
import { pick, type Random } from "./random.ts";

const words = [0, 1, 7, 8, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff];
/** Where formats keep what they are read by. */
const headBytes = 2048;
const smallestBytes = 8;

/** A file with up to ten things wrong with it; `others` lend pieces of theirs. */
export function mutateFile(original: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  let copy: Uint8Array = original.slice();
  for (let left = 1 + random(10); left > 0 && copy.length > smallestBytes; left--) {
    let at = random(random(3) > 0 ? Math.min(copy.length, headBytes) : copy.length);
    copy = changes[random(changes.length)]!(copy, at, random, others);
  }
  return copy;
}

type Change = (file: Uint8Array, at: number, random: Random, others: readonly Uint8Array[]) => Uint8Array;

/** Small ones stand more than once: a file that is all wrong is refused at its first byte. */
const changes: Change[] = [
  changeByte,
  changeByte,
  changeByte,
  flipBit,
  flipBit,
  writeWord,
  writeWord,
  growLength,
  growLength,
  moveWithin,
  moveWithin,
  duplicate,
  remove,
  splice,
  cut,
];

function changeByte(file: Uint8Array, at: number, random: Random): Uint8Array {
  file[at] = random(256);
  return file;
}

function flipBit(file: Uint8Array, at: number, random: Random): Uint8Array {
  file[at]! ^= 1 << random(8);
  return file;
}

function writeWord(file: Uint8Array, at: number, random: Random): Uint8Array {
  file.set(u32(pick(words, random), random(2) > 0).slice(0, file.length - at), at);
  return file;
}

/** Looks for a number that could be a length or an offset, and makes it say more, or a little less. */
function growLength(file: Uint8Array, at: number, random: Random): Uint8Array {
  let view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let littleEndian = random(2) > 0;
  for (let place = at; place + 4 <= Math.min(file.length, at + 64); place++) {
    let value = view.getUint32(place, littleEndian);
    if (value === 0 || value > file.length * 2) continue;
    let grown = [value + 1, value - 1, value * 2, value + file.length, value * 65_536, file.length];
    view.setUint32(place, pick(grown, random) >>> 0, littleEndian);
    break;
  }
  return file;
}

function moveWithin(file: Uint8Array, at: number, random: Random): Uint8Array {
  return file.copyWithin(at, random(file.length), file.length);
}

function duplicate(file: Uint8Array, at: number, random: Random): Uint8Array {
  let end = Math.min(file.length, at + 1 + random(512));
  return joined(file.subarray(0, end), file.subarray(at));
}

function remove(file: Uint8Array, at: number, random: Random): Uint8Array {
  return joined(file.subarray(0, at), file.subarray(at + 1 + random(256)));
}

function splice(file: Uint8Array, at: number, random: Random, others: readonly Uint8Array[]): Uint8Array {
  let other = pick(others, random);
  let from = random(other.length + 1);
  let piece = other.subarray(from, from + 1 + random(1024));
  return joined(file.subarray(0, at), piece, file.subarray(at + random(piece.length + 1)));
}

function cut(file: Uint8Array, at: number): Uint8Array {
  return file.slice(0, at + 1);
}

function joined(...pieces: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}
