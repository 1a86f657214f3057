import type { Database } from "bun:sqlite";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { immediately, translatedFor } from "../sqlite.ts";
import { MINUTE_MS } from "../units.ts";

/** Leave to send files, for whoever has its link. */
export interface Invitation {
  id: number;
  /** Shown to those who are invited; may be empty. */
  note: string;
  createdBy: string;
  createdAtMs: number;
  /** It is good before this moment. */
  expiresAtMs: number;
  /** All files together, in bytes and in number; null for no limit. */
  maxBytes: number | null;
  maxFiles: number | null;
  usedBytes: number;
  usedFiles: number;
  /** Right to the minute; null: never. */
  lastUsedAtMs: number | null;
}

export type NewInvitation = Pick<Invitation, "note" | "createdBy" | "expiresAtMs" | "maxBytes" | "maxFiles">;

/** Invitations in the private database. All calls are synchronous. */
export interface Invitations {
  /** The secret is given here once and is nowhere afterwards. Throws `invalid_parameter` for what can't be. */
  create(invitation: NewInvitation): { id: number; secret: string };
  /** Null for an unknown, revoked or expired one; one that is used up is still good to look at. */
  verify(secret: string): Invitation | null;
  get(id: number): Invitation | null;
  /** Every one, the newest first, expired ones too. */
  list(): Invitation[];
  /** Ends it at once; null when there is none with that id. */
  revoke(id: number): Invitation | null;
}

const secretPrefix = "s3i_";
const secretBytes = 32;
const secretPattern = /^s3i_[\w-]{43}$/;
const maxNoteCharacters = 500;
const lastUsedStepMs = MINUTE_MS;

interface StoredInvitation {
  id: number;
  secret_sha256: Uint8Array;
  note: string;
  created_by: string;
  created_at_ms: number;
  expires_at_ms: number;
  max_bytes: number | null;
  max_files: number | null;
  used_bytes: number;
  used_files: number;
  last_used_at_ms: number | null;
}

/** @param db the private database with its migrations run */
export function createInvitations(db: Database, clock: Clock): Invitations {
  let translated = translatedFor(db);
  let byDigest = db.prepare<StoredInvitation, [Uint8Array]>(
    "SELECT * FROM invitations WHERE secret_sha256 = ?1",
  );
  let byId = db.prepare<StoredInvitation, [number]>("SELECT * FROM invitations WHERE id = ?1");
  let all = db.prepare<StoredInvitation, []>("SELECT * FROM invitations ORDER BY id DESC");
  let insert = db.prepare<
    { id: number },
    [Uint8Array, string, string, number, number, number | null, number | null]
  >(
    `INSERT INTO invitations (secret_sha256, note, created_by, created_at_ms, expires_at_ms, max_bytes, max_files)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id`,
  );
  let touch = db.prepare<unknown, [number, number]>(
    "UPDATE invitations SET last_used_at_ms = ?2 WHERE id = ?1",
  );
  let remove = db.prepare<unknown, [number]>("DELETE FROM invitations WHERE id = ?1");

  function add(invitation: NewInvitation): { id: number; secret: string } {
    let { createdBy, expiresAtMs, maxBytes, maxFiles } = invitation;
    let note = invitation.note.replace(/\r\n?/g, "\n").trim();
    if (note.length > maxNoteCharacters || /[^\P{Cc}\n]/u.test(note)) {
      throw refused(
        "note",
        `The note has at most ${maxNoteCharacters} characters and no control characters.`,
      );
    }
    if (expiresAtMs <= clock.nowMs()) throw refused("expires", "The invitation would be over already.");
    let secret = secretPrefix + randomBytes(secretBytes).toString("base64url");
    let row = insert.get(digest(secret), note, createdBy, clock.nowMs(), expiresAtMs, maxBytes, maxFiles);
    if (row === null) {
      throw new AppError("internal_error", "The private database gave no id for an invitation.");
    }
    return { id: row.id, secret };
  }

  function find(secret: string): Invitation | null {
    if (!secretPattern.test(secret)) return null;
    let wanted = digest(secret);
    let row = byDigest.get(wanted);
    if (row === null || !timingSafeEqual(row.secret_sha256, wanted)) return null;
    let nowMs = clock.nowMs();
    if (row.expires_at_ms <= nowMs) return null;
    if (row.last_used_at_ms === null || nowMs - row.last_used_at_ms >= lastUsedStepMs) {
      try {
        touch.run(row.id, nowMs);
      } catch {
        // A disk that is full, or a busy writer beside us, is no reason to turn anybody away.
      }
    }
    return factsOf(row);
  }

  return {
    create: (invitation) => translated("make an invitation", () => add(invitation)),
    verify: (secret) => translated("look up an invitation", () => find(secret)),
    get: (id) =>
      translated("look up an invitation", () => {
        let row = byId.get(id);
        return row && factsOf(row);
      }),
    list: () => translated("list the invitations", () => all.all().map(factsOf)),
    revoke: (id) =>
      translated("revoke an invitation", () =>
        immediately(db, () => {
          let row = byId.get(id);
          remove.run(id);
          return row && factsOf(row);
        }),
      ),
  };
}

/** Whether a text has the looks of an invitation's secret: it may stand where a token or session does. */
export function looksLikeInvitation(text: string): boolean {
  return text.startsWith(secretPrefix);
}

function digest(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}

function factsOf(row: StoredInvitation): Invitation {
  return {
    id: row.id,
    note: row.note,
    createdBy: row.created_by,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    maxBytes: row.max_bytes,
    maxFiles: row.max_files,
    usedBytes: row.used_bytes,
    usedFiles: row.used_files,
    lastUsedAtMs: row.last_used_at_ms,
  };
}

function refused(parameter: string, message: string): AppError {
  return new AppError("invalid_parameter", message, { details: { parameter } });
}
