import type { Requester, StorageName } from "../domain.ts";

/** Where an object is, or will be. */
export interface ObjectPlace {
  storage: StorageName;
  bucket: string;
  key: string;
}

export interface UploadIntent extends ObjectPlace {
  kind: "upload";
  uid: string;
  /** Set once a multipart upload exists. */
  multipartUploadId: string | null;
  createdAtMs: number;
  /** Who asked for it; absent when that is in the audit log already. */
  by?: Requester;
}

export interface DeleteIntent extends ObjectPlace {
  kind: "delete";
  uid: string;
  /** Row to remove. */
  fileId: number;
  createdAtMs: number;
  /** As with an upload. */
  by?: Requester;
}

export type Intent = UploadIntent | DeleteIntent;

/**
 * What the server is about to do to bucket and catalog, written before it does it, so that a restart can finish or undo
 * it. What begins, or is cancelled, is durable when its promise resolves; the two `close` calls are not: a lost close only makes recovery look
 * once more.
 */
export interface Journal {
  beginUpload(intent: ObjectPlace & { uid: string; by?: Requester }): Promise<void>;
  multipartCreated(uid: string, uploadId: string): Promise<void>;
  closeUpload(uid: string): void;
  beginDelete(intent: ObjectPlace & { uid: string; fileId: number; by?: Requester }): Promise<void>;
  closeDelete(uid: string): void;
  /** Closes a deletion that is not to be; durable when it resolves, else a restart would delete the file after all. */
  cancelDelete(uid: string): Promise<void>;
  /** Intents that are still open, oldest first. */
  open(): Intent[];
  /** One of them, or null. */
  find(kind: Intent["kind"], uid: string): Intent | null;
}
