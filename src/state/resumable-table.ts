import type { Database } from "bun:sqlite";

import type { CommitSync } from "../commit-sync.ts";
import type { JsonObject, MediaType, Requester, StorageName } from "../domain.ts";
import { AppError } from "../errors.ts";
import { immediately, translated } from "../sqlite.ts";
import type { Advance, HeldBytes, StoredPart } from "../store/storage.ts";
import { createHeldTable } from "./held-table.ts";
import type { Holder } from "./usage.ts";

/** A file that comes in pieces, as it is on disk. */
export interface ResumableUpload {
  uid: string;
  /** `ended`: expired, taken back by its sender, or refused. */
  state: "open" | "finished" | "ended";
  filename: string;
  declaredType: string | null;
  /** As the sender wrote it. */
  clientMetadata: string;
  storage: StorageName;
  bucket: string;
  /** Whoever began it, as `senderKey` says; null: nobody in particular. */
  sender: string | null;
  /** The sender's own, below which the file is to lie; null for most. */
  folder: string | null;
  /** Whose count the file goes to; null when it is not counted. */
  holder: Holder | null;
  /** Who asked for it, for the audit log; null where nobody keeps one. */
  by: Requester | null;
  /** Null: not told yet. */
  lengthBytes: number | null;
  offsetBytes: number;
  storedBytes: number;
  partBytes: number;
  /** What the file is and where it goes; null as long as nobody knows. */
  verdict: Verdict | null;
  multipartUploadId: string | null;
  /** Of a finished one. */
  fileId: number | null;
  createdAtMs: number;
  activeAtMs: number;
}

export interface Verdict {
  key: string;
  media: MediaType;
  mismatch: JsonObject | null;
}

export type NewResumableUpload = Pick<
  ResumableUpload,
  | "uid"
  | "filename"
  | "declaredType"
  | "clientMetadata"
  | "storage"
  | "bucket"
  | "sender"
  | "folder"
  | "holder"
  | "by"
  | "lengthBytes"
  | "partBytes"
  | "createdAtMs"
>;

/** Resumable uploads in the private database. What returns a promise is durable when it resolves; faults throw AppError. */
export interface ResumableTable {
  add(upload: NewResumableUpload): Promise<void>;
  find(uid: string): ResumableUpload | null;
  setLength(uid: string, lengthBytes: number): Promise<void>;
  /** @param head the bytes that the verdict rests on; null takes a verdict back. */
  decide(uid: string, decided: { verdict: Verdict; head: Uint8Array } | null): Promise<void>;
  multipartBegun(uid: string, uploadId: string): Promise<void>;
  /** Writes down how far a file has come; several at once are one step. */
  advance(uid: string, advances: readonly Advance[], nowMs: number): Promise<void>;
  parts(uid: string): StoredPart[];
  lastPart(uid: string): StoredPart | null;
  held(upload: Pick<ResumableUpload, "uid" | "storedBytes" | "offsetBytes">): HeldBytes;
  head(uid: string): Uint8Array;
  finish(uid: string, fileId: number, nowMs: number): Promise<void>;
  end(uid: string, nowMs: number): Promise<void>;
  /** Open ones, the longest untouched first. */
  open(): ResumableUpload[];
  /** Open ones whose last byte has come. */
  openAndWhole(): ResumableUpload[];
  countOpen(): number;
  /** Open ones that nobody has touched since. */
  openUntouchedSince(ms: number): ResumableUpload[];
  /** Removes what was finished or ended before. */
  forget(beforeMs: number): void;
}

interface UploadRow {
  uid: string;
  state: ResumableUpload["state"];
  filename: string;
  declared_type: string | null;
  client_metadata: string;
  storage: StorageName;
  bucket: string;
  sender: string | null;
  folder: string | null;
  holder: Holder["type"] | null;
  holder_id: number | null;
  by_json: string | null;
  length_bytes: number | null;
  offset_bytes: number;
  stored_bytes: number;
  part_bytes: number;
  key: string | null;
  media_json: string | null;
  mismatch_json: string | null;
  multipart_upload_id: string | null;
  file_id: number | null;
  created_at_ms: number;
  active_at_ms: number;
}

type PartRow = { number: number; size_bytes: number; etag: string | null; crc32: string | null };

/** @param db the private database of `openStateDatabase`, and how its commits get on disk */
export function createResumableTable(db: Database, commits: CommitSync): ResumableTable {
  let heldBytes = createHeldTable(db);
  let insert = db.prepare<unknown, (string | number | null)[]>(
    `INSERT INTO resumable_uploads (uid, state, filename, declared_type, client_metadata, storage, bucket, sender, folder,
       holder, holder_id, by_json, length_bytes, offset_bytes, stored_bytes, part_bytes, created_at_ms, active_at_ms)
     VALUES (?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?)`,
  );
  let select = db.prepare<UploadRow, [string]>("SELECT * FROM resumable_uploads WHERE uid = ?");
  let selectOpen = db.prepare<UploadRow, [number]>(
    "SELECT * FROM resumable_uploads WHERE state = 'open' AND active_at_ms < ? ORDER BY active_at_ms",
  );
  let selectWhole = db.prepare<UploadRow, []>(
    "SELECT * FROM resumable_uploads WHERE state = 'open' AND offset_bytes = length_bytes ORDER BY active_at_ms",
  );
  let count = db.prepare<{ n: number }, []>(
    "SELECT count(*) AS n FROM resumable_uploads WHERE state = 'open'",
  );
  let updateLength = db.prepare<unknown, [number, string]>(
    "UPDATE resumable_uploads SET length_bytes = ? WHERE uid = ?",
  );
  let updateVerdict = db.prepare<unknown, [string | null, string | null, string | null, string]>(
    `UPDATE resumable_uploads SET key = ?, media_json = ?, mismatch_json = ?, multipart_upload_id = NULL
     WHERE uid = ?`,
  );
  let putHead = db.prepare<unknown, [string, Uint8Array]>(
    `INSERT INTO resumable_heads (uid, bytes) VALUES (?, ?) ON CONFLICT (uid) DO UPDATE SET bytes = excluded.bytes`,
  );
  let selectHead = db.prepare<{ bytes: Uint8Array }, [string]>(
    "SELECT bytes FROM resumable_heads WHERE uid = ?",
  );
  let removeHead = db.prepare<unknown, [string]>("DELETE FROM resumable_heads WHERE uid = ?");
  let updateMultipart = db.prepare<unknown, [string, string]>(
    "UPDATE resumable_uploads SET multipart_upload_id = ? WHERE uid = ?",
  );
  let updateOffset = db.prepare<unknown, [number, number, number, string]>(
    `UPDATE resumable_uploads SET offset_bytes = ?, stored_bytes = ?, active_at_ms = ? WHERE uid = ? AND state = 'open'`,
  );
  let addPart = db.prepare<unknown, [string, number, number, string | null, string | null]>(
    "INSERT INTO resumable_parts (uid, number, size_bytes, etag, crc32) VALUES (?, ?, ?, ?, ?)",
  );
  let selectParts = db.prepare<PartRow, [string]>(
    "SELECT * FROM resumable_parts WHERE uid = ? ORDER BY number",
  );
  let selectLastPart = db.prepare<PartRow, [string]>(
    "SELECT * FROM resumable_parts WHERE uid = ? ORDER BY number DESC LIMIT 1",
  );
  let removeParts = db.prepare<unknown, [string]>("DELETE FROM resumable_parts WHERE uid = ?");
  let updateState = db.prepare<unknown, [string, number | null, number, string]>(
    "UPDATE resumable_uploads SET state = ?, file_id = ?, active_at_ms = ? WHERE uid = ? AND state = 'open'",
  );
  let prune = db.prepare<unknown, [number]>(
    "DELETE FROM resumable_uploads WHERE state <> 'open' AND active_at_ms < ?",
  );

  async function write(doing: string, work: () => void): Promise<void> {
    translated(doing, () => immediately(db, work));
    await commits.synced();
  }

  /** Whatever else was kept of an upload is of no use once it has come to an end. */
  function close(uid: string, state: "finished" | "ended", fileId: number | null, nowMs: number): void {
    updateState.run(state, fileId, nowMs, uid);
    removeParts.run(uid);
    removeHead.run(uid);
    heldBytes.removeAll(uid);
  }

  function step(uid: string, { offsetBytes, storedBytes, parts, held }: Advance, nowMs: number): void {
    if (updateOffset.run(offsetBytes, storedBytes, nowMs, uid).changes !== 1) {
      throw new AppError("gone", "This upload has come to an end.");
    }
    for (let { number, sizeBytes, etag, crc32 } of parts) addPart.run(uid, number, sizeBytes, etag, crc32);
    heldBytes.removeBefore(uid, storedBytes);
    let at = offsetBytes - held.reduce((sum, block) => sum + block.byteLength, 0);
    for (let block of held) {
      heldBytes.append(uid, at, block);
      at += block.byteLength;
    }
  }

  return {
    add: (upload) =>
      write("begin a resumable upload", () => {
        let { uid, filename, declaredType, clientMetadata, storage, bucket } = upload;
        let { sender, folder, holder, by, lengthBytes, partBytes, createdAtMs } = upload;
        let named = [uid, filename, declaredType, clientMetadata, storage, bucket];
        let sent = [sender, folder, holder?.type ?? null, holder?.id ?? null, by && JSON.stringify(by)];
        insert.run(...named, ...sent, lengthBytes, partBytes, createdAtMs, createdAtMs);
      }),
    find(uid) {
      let row = translated("look up a resumable upload", () => select.get(uid));
      return row && toUpload(row);
    },
    setLength: (uid, lengthBytes) =>
      write("note the length of an upload", () => {
        updateLength.run(lengthBytes, uid);
      }),
    decide: (uid, decided) =>
      write("note what an upload is", () => {
        let { key = null, media = null, mismatch = null } = decided?.verdict ?? {};
        updateVerdict.run(key, media && JSON.stringify(media), mismatch && JSON.stringify(mismatch), uid);
        if (decided) putHead.run(uid, decided.head);
        else removeHead.run(uid);
      }),
    multipartBegun: (uid, uploadId) =>
      write("note a multipart upload", () => {
        updateMultipart.run(uploadId, uid);
      }),
    advance: (uid, advances, nowMs) =>
      write("note how far an upload has come", () => {
        for (let advance of advances) step(uid, advance, nowMs);
      }),
    parts: (uid) => translated("read the parts of an upload", () => selectParts.all(uid).map(toPart)),
    lastPart(uid) {
      let row = translated("read the parts of an upload", () => selectLastPart.get(uid));
      return row && toPart(row);
    },
    held: ({ uid, storedBytes, offsetBytes }) => heldBytes.read(uid, storedBytes, offsetBytes),
    head: (uid) =>
      translated("read the head of an upload", () => selectHead.get(uid)?.bytes ?? new Uint8Array(0)),
    finish: (uid, fileId, nowMs) =>
      write("note that an upload is finished", () => close(uid, "finished", fileId, nowMs)),
    end: (uid, nowMs) => write("note that an upload has ended", () => close(uid, "ended", null, nowMs)),
    open: () =>
      translated("list the resumable uploads", () => selectOpen.all(Number.MAX_SAFE_INTEGER).map(toUpload)),
    openAndWhole: () => translated("list the resumable uploads", () => selectWhole.all().map(toUpload)),
    countOpen: () => translated("count the resumable uploads", () => count.get()?.n ?? 0),
    openUntouchedSince: (ms) =>
      translated("list the resumable uploads", () => selectOpen.all(ms).map(toUpload)),
    forget: (beforeMs) =>
      translated("forget old resumable uploads", () => {
        prune.run(beforeMs);
      }),
  };
}

function toUpload(row: UploadRow): ResumableUpload {
  let { uid, state, filename, storage, bucket, key } = row;
  let verdict =
    key === null
      ? null
      : {
          key,
          // The table's CHECK holds that both are there or neither; what we wrote ourselves is what it was.
          media: JSON.parse(row.media_json ?? "") as MediaType,
          mismatch: row.mismatch_json === null ? null : (JSON.parse(row.mismatch_json) as JsonObject),
        };
  return {
    uid,
    state,
    filename,
    declaredType: row.declared_type,
    clientMetadata: row.client_metadata,
    storage,
    bucket,
    sender: row.sender,
    folder: row.folder,
    // The table's CHECK holds that both are there or neither.
    holder: row.holder && { type: row.holder, id: row.holder_id ?? 0 },
    by: row.by_json === null ? null : (JSON.parse(row.by_json) as Requester),
    lengthBytes: row.length_bytes,
    offsetBytes: row.offset_bytes,
    storedBytes: row.stored_bytes,
    partBytes: row.part_bytes,
    verdict,
    multipartUploadId: row.multipart_upload_id,
    fileId: row.file_id,
    createdAtMs: row.created_at_ms,
    activeAtMs: row.active_at_ms,
  };
}

function toPart({ number, size_bytes: sizeBytes, etag, crc32 }: PartRow): StoredPart {
  return { number, sizeBytes, etag, crc32 };
}
