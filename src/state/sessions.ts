import type { Database } from "bun:sqlite";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

import type { Clock } from "../clock.ts";
import { immediately, translatedFor } from "../sqlite.ts";
import { DAY_MS } from "../units.ts";
import type { TokenIdentity } from "./tokens.ts";
import type { UserFacts } from "./users.ts";

/** A session ends this long after its last use, and whenever its token or user is no good any more. */
export const sessionLifeMs = 30 * DAY_MS;

/** Its end is moved on at most this often, so that a request seldom writes. */
const renewStepMs = DAY_MS;
/** Of one token or user. The oldest go first; a script that signs in for each request must not fill the disk. */
const maxSessionsEach = 200;
const secretBytes = 32;
const secretPattern = /^[\w-]{43}$/;

/** Whom a session stands for. */
export interface SessionOwner {
  type: "token" | "user";
  id: number;
}

export type Session = { renewed: boolean } & (
  { type: "token"; identity: TokenIdentity } | { type: "user"; identity: UserFacts }
);

export interface Sessions {
  /** @returns the secret for the cookie, given here once: only its SHA-256 is stored. */
  create(tokenId: number): string;
  createForUser(userId: number): string;
  /** `renewed` says that the session's life began anew: the cookie has to be given again. */
  verify(secret: string): Session | null;
  /** Ends the session; an unknown one is no error. */
  remove(secret: string): void;
  /** Ends every session of a token or user; gives their number. */
  removeAll(owner: SessionOwner): number;
}

interface SessionRow {
  id: number;
  secret_sha256: Uint8Array;
  token_id: number | null;
  user_id: number | null;
  expires_at_ms: number;
}

/** Those of a session that are still good, else null. */
export interface SessionOwners {
  useToken(tokenId: number): TokenIdentity | null;
  findUser(userId: number): UserFacts | null;
}

export function createSessions(db: Database, clock: Clock, owners: SessionOwners): Sessions {
  let translated = translatedFor(db);
  let byDigest = db.prepare<SessionRow, [Uint8Array]>("SELECT * FROM web_sessions WHERE secret_sha256 = ?1");
  let insert = db.prepare<unknown, [Uint8Array, number | null, number | null, number, number]>(
    "INSERT INTO web_sessions (secret_sha256, token_id, user_id, created_at_ms, expires_at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
  );
  let renew = db.prepare<unknown, [number, number]>(
    "UPDATE web_sessions SET expires_at_ms = ?2 WHERE id = ?1",
  );
  let removeExpired = db.prepare<unknown, [number]>("DELETE FROM web_sessions WHERE expires_at_ms <= ?1");
  let remove = db.prepare<unknown, [Uint8Array]>("DELETE FROM web_sessions WHERE secret_sha256 = ?1");
  let ofOwner = {
    token: statementsFor(db, "token_id"),
    user: statementsFor(db, "user_id"),
  };

  function add({ type, id }: SessionOwner): string {
    let secret = randomBytes(secretBytes).toString("base64url");
    let nowMs = clock.nowMs();
    let [tokenId, userId] = type === "token" ? [id, null] : [null, id];
    immediately(db, () => {
      removeExpired.run(nowMs);
      insert.run(digest(secret), tokenId, userId, nowMs, nowMs + sessionLifeMs);
      ofOwner[type].removeSurplus.run(id, maxSessionsEach);
    });
    return secret;
  }

  function find(secret: string): SessionRow | null {
    if (!secretPattern.test(secret)) return null;
    let wanted = digest(secret);
    let row = byDigest.get(wanted);
    return row !== null && timingSafeEqual(row.secret_sha256, wanted) ? row : null;
  }

  function verify(secret: string): Session | null {
    let row = find(secret);
    if (row === null || row.expires_at_ms <= clock.nowMs()) return null;
    if (row.token_id !== null) {
      let identity = owners.useToken(row.token_id);
      return identity && { type: "token", identity, renewed: prolong(row) };
    }
    let identity = row.user_id === null ? null : owners.findUser(row.user_id);
    return identity && { type: "user", identity, renewed: prolong(row) };
  }

  /** True when the session's end was moved on. */
  function prolong(row: SessionRow): boolean {
    let endsAtMs = clock.nowMs() + sessionLifeMs;
    if (endsAtMs - row.expires_at_ms < renewStepMs) return false;
    try {
      renew.run(row.id, endsAtMs);
      return true;
    } catch {
      // A full disk or a busy writer: the session is good all the same, and the next request tries again.
      return false;
    }
  }

  return {
    create: (id) => translated("start a web session", () => add({ type: "token", id })),
    createForUser: (id) => translated("start a web session", () => add({ type: "user", id })),
    verify: (secret) => translated("look up a web session", () => verify(secret)),
    remove: (secret) =>
      translated("end a web session", () => {
        if (secretPattern.test(secret)) remove.run(digest(secret));
      }),
    removeAll: ({ type, id }) => translated("end web sessions", () => ofOwner[type].removeAll.all(id).length),
  };
}

function statementsFor(db: Database, column: "token_id" | "user_id") {
  return {
    removeSurplus: db.prepare<unknown, [number, number]>(
      `DELETE FROM web_sessions WHERE ${column} = ?1 AND id NOT IN
       (SELECT id FROM web_sessions WHERE ${column} = ?1 ORDER BY expires_at_ms DESC, id DESC LIMIT ?2)`,
    ),
    removeAll: db.prepare<{ id: number }, [number]>(
      `DELETE FROM web_sessions WHERE ${column} = ?1 RETURNING id`,
    ),
  };
}

function digest(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}
