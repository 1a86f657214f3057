import type { Database } from "bun:sqlite";

import type { Clock } from "../clock.ts";
import type { CommitSync } from "../commit-sync.ts";
import { immediately, translatedFor } from "../sqlite.ts";
import { DAY_MS } from "../units.ts";

/** How long a retry with the same key gets the first answer. */
export const idempotencyLifeMs = DAY_MS;

/** What an upload with an Idempotency-Key was given; the row behind the uid may not have come to be. */
export interface RememberedUpload {
  uid: string;
  filename: string;
}

/** Answers of uploads by Idempotency-Key and position of the file in its request. Faults throw AppError. */
export interface Idempotency {
  /** What was remembered less than a day ago, or null. */
  find(key: string, position: number): RememberedUpload | null;
  /** Durable when it resolves. Called before the row is made; a later attempt with the same key takes the place. */
  remember(key: string, position: number, upload: RememberedUpload): Promise<void>;
  /** Removes what is too old to be found; `remember` does it as well. */
  forgetExpired(): void;
}

/** @param db the private database of `openStateDatabase`, and how its commits get on disk */
export function createIdempotency(db: Database, commits: CommitSync, clock: Clock): Idempotency {
  let translated = translatedFor(db);
  let select = db.prepare<RememberedUpload, [string, number, number, number]>(
    "SELECT uid, filename FROM idempotency WHERE key_sha256 = ? AND position = ? AND created_at_ms > ? AND created_at_ms < ?",
  );
  let insert = db.prepare<unknown, [string, number, string, string, number]>(
    `INSERT INTO idempotency (key_sha256, position, uid, filename, created_at_ms) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (key_sha256, position) DO UPDATE
     SET uid = excluded.uid, filename = excluded.filename, created_at_ms = excluded.created_at_ms`,
  );
  let prune = db.prepare<unknown, [number]>("DELETE FROM idempotency WHERE created_at_ms <= ?");
  let oldestMs = () => clock.nowMs() - idempotencyLifeMs;
  /** What was written under a clock that was far ahead would else stand for its key until then. */
  let newestMs = () => clock.nowMs() + idempotencyLifeMs;

  return {
    find: (key, position) =>
      translated("look up an Idempotency-Key", () =>
        select.get(digest(key), position, oldestMs(), newestMs()),
      ),
    async remember(key, position, upload) {
      translated("remember an Idempotency-Key", () =>
        immediately(db, () => {
          prune.run(oldestMs());
          insert.run(digest(key), position, upload.uid, upload.filename, clock.nowMs());
        }),
      );
      await commits.synced();
    },
    forgetExpired: () =>
      translated("forget old Idempotency-Keys", () => {
        prune.run(oldestMs());
      }),
  };
}

/** Keys are the clients' own and may be secrets of theirs: only their digest is kept. */
function digest(key: string): string {
  return new Bun.CryptoHasher("sha256").update(key).digest("hex");
}
