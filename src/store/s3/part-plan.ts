import { MIB, TIB } from "../../units.ts";

/** S3 allows 10,000 parts; the rest is slack. */
const maxParts = 9_900;
export const minPartBytes = 8 * MIB;
/** S3's largest object. */
export const maxObjectBytes = 5 * TIB;

/**
 * The one size of all parts but the last, in bytes: equal because R2 demands it, whole MiB, and large enough that the
 * most bytes that can come fit into the parts S3 allows.
 */
export function partBytesFor(mostBytes: number): number {
  return Math.max(minPartBytes, Math.ceil(mostBytes / maxParts / MIB) * MIB);
}
