/** How many unfinished files keep their running digest in memory; of others the stored bytes are read back. */
const maxKept = 10_000;

/**
 * Running SHA-256 of unfinished files between two requests. A native hash can't be written down, so a restart loses it
 * (docs/decisions/012-resumable-digest.md).
 */
export interface Digests {
  /** The digest of the first `offsetBytes` bytes, to go on with; null when it is not known. Takes it out. */
  take(uid: string, offsetBytes: number): Bun.CryptoHasher | null;
  keep(uid: string, offsetBytes: number, hash: Bun.CryptoHasher): void;
  has(uid: string): boolean;
  forget(uid: string): void;
}

export function createDigests(): Digests {
  let kept = new Map<string, { offsetBytes: number; hash: Bun.CryptoHasher }>();
  return {
    take(uid, offsetBytes) {
      let found = kept.get(uid);
      kept.delete(uid);
      if (offsetBytes === 0) return new Bun.CryptoHasher("sha256");
      return found?.offsetBytes === offsetBytes ? found.hash : null;
    },
    keep(uid, offsetBytes, hash) {
      kept.delete(uid);
      kept.set(uid, { offsetBytes, hash });
      // The one that has rested for longest is the first.
      let [oldest] = kept.keys();
      if (kept.size > maxKept && oldest !== undefined) kept.delete(oldest);
    },
    has: (uid) => kept.has(uid),
    forget: (uid) => void kept.delete(uid),
  };
}
