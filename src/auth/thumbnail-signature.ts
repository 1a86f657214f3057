import { createHmac, timingSafeEqual } from "node:crypto";

/** What the signature says; another text would make another one of the same secret. */
const statement = "whoever reads the catalog may see its thumbnails";

/** Lets the readers of a catalog see thumbnails without signing in. */
export interface ThumbnailSignature {
  /** For addresses; the same for every file of the catalog. */
  readonly value: string;
  /** Whether this is it, in constant time. */
  isGood(untrusted: string | undefined): boolean;
}

/**
 * One signature stands for all thumbnails, since the addresses are made by SQL, which can't sign. Each address needs the
 * file's uid beside it, which nobody can guess: who was given one address can't make another. It holds as long as the
 * secret does, as the catalog's own readers do: an address that expires would be a broken picture in a published view.
 */
export function createThumbnailSignature(secret: Uint8Array): ThumbnailSignature {
  let digest = createHmac("sha256", secret).update(statement).digest();
  let value = digest.toString("base64url");
  return {
    value,
    isGood(untrusted) {
      let given = Buffer.from(untrusted ?? "", "base64url");
      return given.byteLength === digest.byteLength && timingSafeEqual(given, digest);
    },
  };
}
