import { AppError } from "../errors.ts";

/** S3's limit for a key. */
export const maxKeyBytes = 1024;
/** S3 allows 2 KB of names and values; this leaves room for the other values. */
const maxEncodedFilenameChars = 1536;

/** Empty, or segments that end with a slash; none begins with a dot. */
const prefixPattern = /^(?:[A-Za-z0-9_=+@,-][A-Za-z0-9._=+@,-]*\/)*$/;
const uidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const extensionPattern = /^[a-z0-9]{1,16}(?:\.[a-z0-9]{1,16})?$/;
const sha256Pattern = /^[0-9a-f]{64}$/;
const mediaTypePattern = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}\/[a-z0-9!#$%&'*+.^_`|~-]{1,127}$/;
const createdAtPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;

/** Name of the user metadata that holds the digest, where it is known before the object is begun. */
export const sha256MetadataName = "sha256";

export interface KeyParts {
  /** Empty or ending with a slash. */
  prefix: string;
  uid: string;
  /** Of the type that was found, without the dot: `jpg`, `tar.gz`. */
  extension: string;
  /** Decides the folder, in UTC. */
  createdAtMs: number;
}

/** Above the folders of senders that have one of their own; sorts between the years and the marks. */
export const sendersFolder = "folders/";

/**
 * What the keys of a sender's files begin with: all keys of the prefix, or those below the sender's own folder.
 * @param folder `clients/acme/`, or null
 */
export function keyPrefixOf(prefix: string, folder: string | null): string {
  return folder === null ? prefix : `${prefix}${sendersFolder}${folder}`;
}

/** `{prefix}{yyyy}/{mm}/{uid}.{extension}`. Throws `internal_error` for parts that could form any other shape. */
export function objectKey({ prefix, uid, extension, createdAtMs }: KeyParts): string {
  demand(prefixPattern.test(prefix), "prefix", prefix);
  demand(uidPattern.test(uid), "uid", uid);
  demand(extensionPattern.test(extension), "extension", extension);
  let created = new Date(createdAtMs);
  let year = created.getUTCFullYear();
  demand(year >= 1000 && year <= 9999, "time", createdAtMs);

  let month = String(created.getUTCMonth() + 1).padStart(2, "0");
  let key = `${prefix}${year}/${month}/${uid}.${extension}`;
  demand(key.length <= maxKeyBytes, "length", key.length);
  return key;
}

function demand(holds: boolean, part: string, found: unknown): void {
  if (!holds)
    throw new AppError("internal_error", `An object key can't have the ${part} ${JSON.stringify(found)}.`);
}

/** What the object carries, so that a lost catalog can be rebuilt from the bucket. */
export interface ObjectFacts {
  uid: string;
  /** As in the catalog; cut at its end when S3 could not hold all of it. */
  filename: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  /** What the sender called its type, lower-case and without parameters; what is no media type is left out. */
  declaredType?: string | null;
  sha256?: string;
}

/** User metadata without the `x-amz-meta-` prefix; ASCII only (the file name is percent-encoded UTF-8), under 2 KB. */
export function userMetadataOf(facts: ObjectFacts): Record<string, string> {
  let { uid, filename, createdAt, declaredType, sha256 } = facts;
  return {
    uid,
    filename: percentEncode(filename, maxEncodedFilenameChars),
    "created-at": createdAt,
    ...(declaredType && mediaTypePattern.test(declaredType) ? { "declared-type": declaredType } : {}),
    ...(sha256 === undefined ? {} : { [sha256MetadataName]: sha256 }),
  };
}

/** The reading twin; null for what is absent or can't have come from us. Never throws: anybody may write to a bucket. */
export function readUserMetadata(metadata: Record<string, string>): {
  [K in keyof Required<ObjectFacts>]: string | null;
} {
  let matching = (name: string, pattern: RegExp): string | null => {
    let value = metadata[name];
    return value !== undefined && pattern.test(value) ? value : null;
  };
  return {
    uid: matching("uid", uidPattern),
    filename: percentDecode(metadata["filename"]),
    createdAt: matching("created-at", createdAtPattern),
    declaredType: matching("declared-type", mediaTypePattern),
    sha256: matching(sha256MetadataName, sha256Pattern),
  };
}

/** By whole characters, so that a cut never leaves half of one. */
function percentEncode(text: string, maxChars: number): string {
  let encoded = "";
  for (let character of text.toWellFormed()) {
    let next = encodeURIComponent(character);
    if (encoded.length + next.length > maxChars) break;
    encoded += next;
  }
  return encoded;
}

function percentDecode(encoded: string | undefined): string | null {
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

/** A key as ASCII that can be read: everything is percent-encoded but letters, digits, `/` and a few marks. */
export function percentEncodePath(key: string): string {
  return key.toWellFormed().split("/").map(encodeURIComponent).join("/");
}
