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
    /** Ids that the full-text index knows, to be compared with the rows. */
    openIntents: () =>
      read<{ kind: string; uid: string; key: string }>("internal/state.db", "SELECT * FROM intents"),
    faults: () =>
      ["uploads.db", "internal/state.db"].flatMap((file) =>
        read<{ integrity_check: string }>(file, "PRAGMA integrity_check")
          .filter(({ integrity_check }) => integrity_check !== "ok")
          .map(({ integrity_check }) => `${file}: ${integrity_check}`),
      ),
  };
}

export type Databases = ReturnType<typeof openDatabases>;
