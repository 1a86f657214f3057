import type { ByteStream, StorageName } from "../domain.ts";

/** A file on its way into storage. */
export interface PutRequest {
  /** Used once in the life of the bucket, so that looking at it afterwards proves what happened. */
  key: string;
  body: ByteStream;
  /** Exact length in bytes when known, else null. */
  declaredBytes: number | null;
  /** No more than this many bytes will come; the part size of a multipart upload follows from it. */
  mostBytes: number;
  contentType: string;
  /** Names without the `x-amz-meta-` prefix; values ASCII. */
  userMetadata: Record<string, string>;
  /** Digest of every byte of `body`, 64 hex digits; may be asked only once `body` has ended. */
  sha256: () => string;
  /** Called with a multipart upload's id before its first part leaves; durable when its promise resolves. */
  onMultipartCreated: (uploadId: string) => Promise<void> | void;
  /** Stops the put. What was begun in storage is undone before the returned promise rejects. */
  signal: AbortSignal;
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
  /** A cheap call or two under the configured prefix that prove address, credentials and bucket; a list need not be allowed. */
  probe(signal?: AbortSignal): Promise<void>;
}
