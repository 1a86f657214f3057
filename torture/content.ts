import type { Random } from "./random.ts";

const kib = 1024;
const mib = 1024 * kib;
/** What the server reads before it decides how a file goes on. */
const headBytes = 256 * kib;
/** More than this goes to S3 in parts of this size. */
const partBytes = 8 * mib;
const largestBytes = 25 * mib;

export type SizeClass = "small" | "head" | "medium" | "parts" | "manyParts";

/** Bytes of files: slices of one random block, so that making one costs nothing but its digest. */
export interface Content {
  make(size: SizeClass, random: Random): Uint8Array;
}

export function createContent(random: Random): Content {
  let pool = new Uint8Array(largestBytes + mib);
  let words = new Uint32Array(pool.buffer);
  for (let at = 0; at < words.length; at++) words[at] = Math.floor(random.next() * 2 ** 32);
  return {
    make(size, draw) {
      let length = bytesOf(size, draw);
      let from = draw.between(0, pool.length - length);
      return pool.subarray(from, from + length);
    },
  };
}

function bytesOf(size: SizeClass, random: Random): number {
  switch (size) {
    case "small":
      return random.pick([0, 1, random.between(2, 20 * kib), random.between(2, 60 * kib)]);
    case "head":
      return headBytes + random.pick([-1, 0, 1, random.between(-9000, 9000)]);
    case "medium":
      return random.between(mib, 5 * mib);
    case "parts":
      return partBytes + random.pick([-1, 0, 1, random.between(2, 2 * mib)]);
    case "manyParts":
      return random.between(2 * partBytes + 1, 3 * partBytes);
  }
}

export function sha256Of(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}
