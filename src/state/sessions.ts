import type { Database } from "bun:sqlite";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

import type { Clock } from "../clock.ts";
import { immediately, translatedFor } from "../sqlite.ts";
import { DAY_MS } from "../units.ts";
import type { TokenIdentity } from "./tokens.ts";

/** A session ends this long after its last use, and whenever its token expires or is revoked. */
export const sessionLifeMs = 30 * DAY_MS;

/** Its end is moved on at most this often, so that a request seldom writes. */
const renewStepMs = DAY_MS;
/** The oldest go first; a script that signs in for each request must not fill the disk. */
const maxSessionsPerToken = 200;
const secretBytes = 32;
const secretPattern = /^[\w-]{43}$/;

export interface Sessions {
  /** @returns the secret for the cookie, given here once: only its SHA-256 is stored. */
  create(tokenId: number): string;
  /** `renewed` says that the session's life began anew: the cookie has to be given again. */
  verify(secret: string): { identity: TokenIdentity; renewed: boolean } | null;
  /** Ends the session; an unknown one is no error. */
  remove(secret: string): void;
}

interface SessionRow {
  id: number;
  secret_sha256: Uint8Array;
  token_id: number;
  expires_at_ms: number;
}

/** @param useToken the identity of a token that is still good, else null */
export function createSessions(
  db: Database,
  clock: Clock,
  useToken: (tokenId: number) => TokenIdentity | null,
): Sessions {
  let translated = translatedFor(db);
  let byDigest = db.prepare<SessionRow, [Uint8Array]>("SELECT * FROM web_sessions WHERE secret_sha256 = ?1");
  let insert = db.prepare<unknown, [Uint8Array, number, number, number]>(
    "INSERT INTO web_sessions (secret_sha256, token_id, created_at_ms, expires_at_ms) VALUES (?1, ?2, ?3, ?4)",
  );
  let renew = db.prepare<unknown, [number, number]>(
    "UPDATE web_sessions SET expires_at_ms = ?2 WHERE id = ?1",
  );
  let removeExpired = db.prepare<unknown, [number]>("DELETE FROM web_sessions WHERE expires_at_ms <= ?1");
  let removeSurplus = db.prepare<unknown, [number, number]>(
    `DELETE FROM web_sessions WHERE token_id = ?1 AND id NOT IN
     (SELECT id FROM web_sessions WHERE token_id = ?1 ORDER BY expires_at_ms DESC, id DESC LIMIT ?2)`,
  );
  let remove = db.prepare<unknown, [Uint8Array]>("DELETE FROM web_sessions WHERE secret_sha256 = ?1");

  function add(tokenId: number): string {
    let secret = randomBytes(secretBytes).toString("base64url");
    let nowMs = clock.nowMs();
    immediately(db, () => {
      removeExpired.run(nowMs);
      insert.run(digest(secret), tokenId, nowMs, nowMs + sessionLifeMs);
      removeSurplus.run(tokenId, maxSessionsPerToken);
    });
    return secret;
  }

  function find(secret: string): SessionRow | null {
    if (!secretPattern.test(secret)) return null;
    let wanted = digest(secret);
    let row = byDigest.get(wanted);
    return row !== null && timingSafeEqual(row.secret_sha256, wanted) ? row : null;
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
    create: (tokenId) => translated("start a web session", () => add(tokenId)),
    verify: (secret) =>
      translated("look up a web session", () => {
        let row = find(secret);
        if (row === null || row.expires_at_ms <= clock.nowMs()) return null;
        let identity = useToken(row.token_id);
        return identity === null ? null : { identity, renewed: prolong(row) };
      }),
    remove: (secret) =>
      translated("end a web session", () => {
        if (secretPattern.test(secret)) remove.run(digest(secret));
      }),
  };
}

function digest(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}
