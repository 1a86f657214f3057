import type { ByteStream, StorageName } from "../domain.ts";

/** What an object is made with. */
export interface ObjectToMake {
  /** Used once in the life of the bucket, so that looking at it afterwards proves what happened. */
  key: string;
  contentType: string;
  /** Names without the `x-amz-meta-` prefix; values ASCII. */
  userMetadata: Record<string, string>;
}

/** A file on its way into storage. */
export interface PutRequest extends ObjectToMake {
  body: ByteStream;
  /** Exact length in bytes when known, else null. */
  declaredBytes: number | null;
  /** No more than this many bytes will come; the part size of a multipart upload follows from it. */
  mostBytes: number;
  /** Digest of every byte of `body`, 64 hex digits; may be asked only once `body` has ended. */
  sha256: () => string;
  /** Called with a multipart upload's id before its first part leaves; durable when its promise resolves. */
  onMultipartCreated: (uploadId: string) => Promise<void> | void;
  /** Stops the put. What was begun in storage is undone before the returned promise rejects. */
  signal: AbortSignal;
}

/** A piece of an object that is not made yet. */
export interface StoredPart {
  /** Counted from 1, without gaps. */
  number: number;
  sizeBytes: number;
  /** What S3 wants to hear of it when the object is made; null where there is nothing. */
  etag: string | null;
  crc32: string | null;
}

/** Bytes of an unfinished file that are kept beside storage, because they are too few for it. */
export interface HeldBytes {
  readonly byteLength: number;
  /** Fills the target with the bytes from `position` on. */
  readInto(target: Uint8Array, position: number): void;
}

/** How far a file that comes in pieces has come. */
export interface Advance {
  /** Bytes of the file that are durable once this is written down. */
  offsetBytes: number;
  /** How many of those are in storage; the others, up to `offsetBytes`, are held beside it. */
  storedBytes: number;
  /** Parts that have come since the last time, in their order. */
  parts: readonly StoredPart[];
  /** The end of what has to be held, in order; valid until `commit` resolves. What was held from `storedBytes` on stays. */
  held: readonly Uint8Array[];
  /** True for the last of a `receive`, which always comes when the body has ended. */
  isLast: boolean;
}

/** What storage has of a file that comes in pieces. */
export interface ResumableState {
  /** As `partBytesFor` told when the file was begun. */
  partBytes: number;
  /** As `onMultipartCreated` told, or null. */
  uploadId: string | null;
  offsetBytes: number;
  storedBytes: number;
  /** `offsetBytes - storedBytes` of them. */
  held: HeldBytes;
}

export interface ReceiveRequest extends ResumableState {
  /** The last part that was committed, or null. */
  lastPart: StoredPart | null;
  /** True when an earlier request may have begun in storage what nobody knows of, because of a crash. */
  mayHaveStrays: boolean;
  body: ByteStream;
  /** No more than this many bytes will come. */
  mostBytes: number;
  /** Not to be asked before 256 KiB of the file have come: until then nobody knows what it is. */
  object: () => ObjectToMake;
  /** Called before anything but held bytes is kept; durable when its promise resolves. */
  onMultipartCreated: (uploadId: string) => Promise<void>;
  /** Called one at a time, in order; durable when its promise resolves. */
  commit: (advance: Advance) => Promise<void>;
  /** Ends the wait for a storage that does not answer. */
  signal: AbortSignal;
}

export interface CompleteRequest extends ResumableState {
  object: ObjectToMake;
  /** All of them, in their order. */
  parts: readonly StoredPart[];
  /** Digest of the file where it is known, 64 hex digits. */
  sha256: string | null;
  signal: AbortSignal;
}

/**
 * A file that comes in pieces, over hours and restarts. Whoever calls keeps the state; `abortMultipart` takes back what is
 * in storage. One call at a time for a file.
 */
export interface ResumablePuts {
  /** The part size for a file of at most so many bytes, in bytes. */
  partBytesFor(mostBytes: number): number;
  /**
   * Adds a body to what is there, and commits it bit by bit. When the body ends, everything that came is committed. When
   * it throws, or storage fails, what was committed stands; rejects with the error. Rejects with `gone` when storage
   * has thrown away what it had.
   */
  receive(request: ReceiveRequest): Promise<void>;
  /**
   * Makes the object; may be called again after a failure or a crash. Reads back what it has stored when the digest is
   * not known. Rejects with `gone` when storage has thrown away what it had.
   */
  complete(request: CompleteRequest): Promise<{ sha256: string }>;
}

export interface ObjectInfo {
  key: string;
  sizeBytes: number;
  /** Milliseconds since 1970, by the storage's clock. */
  lastModifiedMs: number;
  /** Present on `head`. */
  userMetadata?: Record<string, string>;
  contentType?: string;
}

export interface OpenedObject {
  /** The asked range, or everything. The caller reads it to the end or cancels it. */
  body: ReadableStream<Uint8Array>;
  /** Size of the whole object. */
  sizeBytes: number;
  /** Where the storage tells it along with the bytes; else `head` knows. */
  userMetadata?: Record<string, string>;
}

export interface UnfinishedUpload {
  key: string;
  uploadId: string;
  initiatedAtMs: number;
}

export interface PresignOptions {
  expiresSeconds: number;
  /** Sent back as Content-Type and Content-Disposition (ASCII) of the answer. */
  contentType: string;
  contentDisposition: string;
}

/**
 * Where the bytes live. Two implementations: store/local.ts and store/s3/. All calls reject with an AppError:
 * `storage_unavailable` when a later try may work, `storage_error` when storage said a definite no, `disk_full`, and for
 * `open` of an absent key `gone`. "Could not look" is never answered as "missing".
 */
export interface Storage {
  readonly name: StorageName;
  /** Bucket name; for local storage `local`. */
  readonly bucket: string;
  /**
   * What was refused until now that uploads can do without, one sentence each for people: what does not work then and what
   * to change. Each is logged when it is met first. Absent: nothing ever is.
   */
  readonly shortcomings?: readonly string[];
  /** Resolves once the object is durable under its key. A put that rejects leaves nothing behind, as far as storage can be reached. */
  put(request: PutRequest): Promise<{ sizeBytes: number }>;
  /** @param range first and last byte, both included, as in HTTP. */
  open(key: string, range?: { first: number; last: number }, signal?: AbortSignal): Promise<OpenedObject>;
  /** The object's facts, or null when storage says that it is not there. */
  head(key: string): Promise<ObjectInfo | null>;
  /** Removes the object; an absent one is no error. */
  delete(key: string): Promise<void>;
  /**
   * Gives the object another key, with type and user metadata; its time becomes now. An object that was at `to` is
   * replaced. Durable when it resolves; one that rejects half way leaves the whole object at `from`, at `to`, or at both, and
   * may be tried again. Rejects with `gone` when there is nothing at `from`.
   */
  move(from: string, to: string): Promise<void>;
  /** Objects whose key begins with `prefix`, in byte order of their keys. */
  list(prefix: string, options?: { startAfter?: string }): AsyncIterable<ObjectInfo>;
  /** A URL that gives the object to whoever holds it, or null where storage has none. */
  presign(key: string, options: PresignOptions): Promise<string | null>;
  /** Ends a multipart upload; an unknown one is no error. */
  abortMultipart(key: string, uploadId: string): Promise<void>;
  /** Multipart uploads that are neither completed nor aborted. */
  listUnfinished(prefix: string): AsyncIterable<UnfinishedUpload>;
  readonly resumable: ResumablePuts;
  /** A cheap call or two under the configured prefix that prove address, credentials and bucket; a list need not be allowed. */
  probe(signal?: AbortSignal): Promise<void>;
}
