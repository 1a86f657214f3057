import { Database } from "bun:sqlite";
import { join } from "node:path";

/** Columns of the catalog that say where a file's bytes are and what they are. */
export interface Row {
  id: number;
  uid: string;
  filename: string;
  storage: string;
  bucket: string;
  s3_key: string;
  size_bytes: number;
  checksum_sha256: string;
}

/** A file that comes in pieces, as the server knows it. */
export interface PiecesRow {
  uid: string;
  state: "open" | "finished" | "ended";
  key: string | null;
  offset_bytes: number;
  length_bytes: number | null;
}

/** The two databases of a server, read by themselves while it runs or not. */
export function openDatabases(dataDir: string) {
  function read<T>(file: string, sql: string): T[] {
    using db = new Database(join(dataDir, file), { readonly: true });
    db.run("PRAGMA busy_timeout = 5000");
    return db.query<T, []>(sql).all();
  }
  return {
    rows: () =>
      read<Row>(
        "uploads.db",
        "SELECT id, uid, filename, storage, bucket, s3_key, size_bytes, checksum_sha256 FROM s3_uploads",
      ),
    /** What recovery and the finishing of whole uploads have still to do: uploads that can go on are nobody's but their sender's. */
    unsettled: () => [
      ...read<object>(
        "internal/state.db",
        `SELECT * FROM intents WHERE uid NOT IN (SELECT uid FROM resumable_uploads WHERE state = 'open')`,
      ),
      ...read<object>(
        "internal/state.db",
        "SELECT uid, key FROM resumable_uploads WHERE state = 'open' AND offset_bytes = length_bytes",
      ),
    ],
    /** Files that are out of sight until their deletion is undone or final. */
    trashedUids: () =>
      new Set(read<{ uid: string }>("internal/state.db", "SELECT uid FROM trash").map(({ uid }) => uid)),
    pieces: () =>
      read<PiecesRow>(
        "internal/state.db",
        "SELECT uid, state, key, offset_bytes, length_bytes FROM resumable_uploads",
      ),
    faults: () =>
      ["uploads.db", "internal/state.db"].flatMap((file) =>
        read<{ integrity_check: string }>(file, "PRAGMA integrity_check")
          .filter(({ integrity_check }) => integrity_check !== "ok")
          .map(({ integrity_check }) => `${file}: ${integrity_check}`),
      ),
  };
}

export type Databases = ReturnType<typeof openDatabases>;
