import type { Database } from "bun:sqlite";
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { immediately, translatedFor } from "../sqlite.ts";
import { MINUTE_MS } from "../units.ts";
import { type Scope, scopesOf, scopesText } from "./scopes.ts";
import { createSessions, type Sessions } from "./sessions.ts";
import { createUsers } from "./users.ts";

export { type Scope, SCOPES } from "./scopes.ts";

/** Who a good token or session stands for. */
export interface TokenIdentity {
  id: number;
  name: string;
  scopes: Scope[];
  /** Keys of its files go below this folder, and it sees no others; ends with a slash. Absent: no such limit. */
  folder?: string;
  /** Most bytes of all its files together, and what it has sent. Absent: no limit. */
  maxBytes?: number;
  usedBytes?: number;
}

export interface TokenFacts extends TokenIdentity {
  /** Milliseconds since 1970. */
  createdAtMs: number;
  /** The token is good before this moment; null: for ever. */
  expiresAtMs: number | null;
  /** Right to the minute; null: never used. */
  lastUsedAtMs: number | null;
}

export interface NewToken {
  /** One line of 1 to 64 characters, not only digits; unique. */
  name: string;
  scopes: readonly Scope[];
  expiresAtMs?: number;
  /** `clients/acme`, with or without a slash at its end. */
  folder?: string;
  maxBytes?: number;
  /** The link that signs in with it works once; the token itself goes on. Default false. */
  linkOnce?: boolean;
}

/** Access tokens and the web sessions that hang on them, in the private database. All calls are synchronous. */
export interface Tokens {
  /**
   * Makes a token. Its text is given here once and is nowhere afterwards. An expired token gives its name up.
   * Throws `invalid_parameter` for a name that is taken or can't be used, and for no scopes.
   */
  create(token: NewToken): { id: number; token: string };
  /** Null for a text that is no token, and for an unknown, revoked or expired one. */
  verify(token: string): TokenIdentity | null;
  /**
   * As `verify`, for the link that holds the token; `"spent"` for one that worked once and has done so.
   * @param isDoubted nobody knows what led to the link: `"ask"` for one that works again and again, which somebody else
   * may have put there. Default false.
   */
  openLink(token: string, isDoubted?: boolean): TokenIdentity | "spent" | "ask" | null;
  /** Every token, oldest first, expired ones too. */
  list(): TokenFacts[];
  /** Deletes the token and ends its sessions; null when there is none with that id or name. */
  revoke(idOrName: string | number): { id: number; name: string } | null;
  /** False once it is revoked. */
  has(id: number): boolean;
  /** Tokens that are good now. */
  count(): number;
  readonly sessions: Sessions;
}

// Prefix as in "secret scanning" tools: a leaked token can be found by its looks.
const tokenPrefix = "s3u_";
const tokenBytes = 32;
const tokenPattern = /^s3u_[\w-]{43}$/;
const maxNameCharacters = 64;
const isId = /^\d+$/;
/** A request writes only when the last note is older than this. */
const lastUsedStepMs = MINUTE_MS;

interface TokenRow {
  id: number;
  name: string;
  token_sha256: Uint8Array;
  scopes: string;
  folder: string | null;
  max_bytes: number | null;
  used_bytes: number;
  link: 1 | 0 | -1;
  created_at_ms: number;
  expires_at_ms: number | null;
  last_used_at_ms: number | null;
}

/** As the prefix of all keys: letters, digits and ._=+@,- in segments that don't begin with a dot. */
const folderPattern = /^(?:[A-Za-z0-9_=+@,-][A-Za-z0-9._=+@,-]*\/){1,8}$/;
const maxFolderCharacters = 200;

/** @param db the private database with its migrations run */
export function createTokens(db: Database, clock: Clock): Tokens {
  let translated = translatedFor(db);
  let users = createUsers(db, clock);
  let byDigest = db.prepare<TokenRow, [Uint8Array]>("SELECT * FROM tokens WHERE token_sha256 = ?1");
  let byName = db.prepare<TokenRow, [string]>("SELECT * FROM tokens WHERE name = ?1");
  let byId = db.prepare<TokenRow, [number]>("SELECT * FROM tokens WHERE id = ?1");
  let all = db.prepare<TokenRow, []>("SELECT * FROM tokens ORDER BY id");
  let living = db.prepare<{ n: number }, [number]>(
    "SELECT count(*) AS n FROM tokens WHERE expires_at_ms IS NULL OR expires_at_ms > ?1",
  );
  let insert = db.prepare<
    { id: number },
    [string, Uint8Array, string, number, number | null, string | null, number | null, number]
  >(
    `INSERT INTO tokens (name, token_sha256, scopes, created_at_ms, expires_at_ms, folder, max_bytes, link)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING id`,
  );
  let spendLink = db.prepare<unknown, [number]>("UPDATE tokens SET link = 0 WHERE id = ?1");
  let touch = db.prepare<unknown, [number, number]>("UPDATE tokens SET last_used_at_ms = ?2 WHERE id = ?1");
  let removeSessions = db.prepare<unknown, [number]>("DELETE FROM web_sessions WHERE token_id = ?1");
  let remove = db.prepare<unknown, [number]>("DELETE FROM tokens WHERE id = ?1");

  function isExpired(row: TokenRow): boolean {
    return row.expires_at_ms !== null && row.expires_at_ms <= clock.nowMs();
  }

  function drop(id: number): void {
    removeSessions.run(id);
    remove.run(id);
  }

  /** The identity of a row that is still good; notes that it was used. */
  function use(row: TokenRow | null): TokenIdentity | null {
    if (row === null || isExpired(row)) return null;
    let nowMs = clock.nowMs();
    if (row.last_used_at_ms === null || Math.abs(nowMs - row.last_used_at_ms) >= lastUsedStepMs) {
      try {
        touch.run(row.id, nowMs);
      } catch {
        // A disk that is full, or a busy writer beside us, is no reason to turn the holder of a good token away.
      }
    }
    return identityOf(row);
  }

  function add(given: NewToken): { id: number; token: string } {
    let { name, expiresAtMs = null, maxBytes = null, linkOnce = false } = given;
    let scopes = scopesText(given.scopes, "A token");
    let folder = given.folder === undefined ? null : parseFolder(given.folder);
    if (folder !== null && given.scopes.includes("admin")) {
      throw refused(
        "prefix",
        "A token with a prefix can't have the scope admin, which could make tokens without one.",
      );
    }
    checkName(name);
    let token = tokenPrefix + randomBytes(tokenBytes).toString("base64url");
    let row = immediately(db, () => {
      let namesake = byName.get(name);
      if (namesake !== null && !isExpired(namesake)) {
        throw refused("name", `There is a token named “${name}” already.`);
      }
      if (namesake !== null) drop(namesake.id);
      let link = linkOnce ? -1 : 1;
      return insert.get(name, digest(token), scopes, clock.nowMs(), expiresAtMs, folder, maxBytes, link);
    });
    if (row === null)
      throw new AppError("internal_error", "The private database gave no id for a new token.");
    return { id: row.id, token };
  }

  function find(token: string): TokenRow | null {
    if (!tokenPattern.test(token)) return null;
    let wanted = digest(token);
    let row = byDigest.get(wanted);
    return row === null || !timingSafeEqual(row.token_sha256, wanted) ? null : row;
  }

  function openLink(token: string, isDoubted: boolean): TokenIdentity | "spent" | "ask" | null {
    let row = find(token);
    let identity = use(row);
    if (row === null || identity === null) return null;
    if (row.link === 1 && isDoubted) return "ask";
    if (row.link === 0) return "spent";
    if (row.link === -1) spendLink.run(row.id);
    return identity;
  }

  function revoke(idOrName: string): { id: number; name: string } | null {
    let row = isId.test(idOrName) ? byId.get(Number(idOrName)) : byName.get(idOrName);
    if (row === null) return null;
    drop(row.id);
    return { id: row.id, name: row.name };
  }

  return {
    create: (token) => translated("make a token", () => add(token)),
    verify: (token) => translated("look up a token", () => use(find(token))),
    openLink: (token, isDoubted = false) =>
      translated("look up a token", () => immediately(db, () => openLink(token, isDoubted))),
    list: () => translated("list the tokens", () => all.all().map(factsOf)),
    revoke: (idOrName) => translated("revoke a token", () => immediately(db, () => revoke(String(idOrName)))),
    has: (id) => translated("look up a token", () => byId.get(id) !== null),
    count: () => translated("count the tokens", () => living.get(clock.nowMs())?.n ?? 0),
    sessions: createSessions(db, clock, {
      useToken: (tokenId) => use(byId.get(tokenId)),
      findUser: users.get,
    }),
  };
}

function refused(parameter: string, message: string): AppError {
  return new AppError("invalid_parameter", message, { details: { parameter } });
}

function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

function identityOf(row: TokenRow): TokenIdentity {
  return {
    id: row.id,
    name: row.name,
    scopes: scopesOf(row.scopes),
    ...(row.folder !== null && { folder: row.folder }),
    ...(row.max_bytes !== null && { maxBytes: row.max_bytes, usedBytes: row.used_bytes }),
  };
}

function parseFolder(given: string): string {
  let folder = `${given.trim().replace(/^\/|\/$/g, "")}/`;
  if (folderPattern.test(folder) && folder.length <= maxFolderCharacters) return folder;
  throw refused(
    "prefix",
    "A prefix is folders like clients/acme of letters, digits and ._=+@,- where no folder begins with a dot.",
  );
}

function factsOf(row: TokenRow): TokenFacts {
  return {
    ...identityOf(row),
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    lastUsedAtMs: row.last_used_at_ms,
  };
}

// A name of digits alone could not be told from an id, and a control character could hide in a list.
function checkName(name: string): void {
  let isOneLine = name !== "" && name.trim() === name && !/\p{C}|[^\P{Z} ]/u.test(name);
  if (isOneLine && name.length <= maxNameCharacters && !isId.test(name)) return;
  throw refused(
    "name",
    `A token's name is one line of 1 to ${maxNameCharacters} characters and not only digits.`,
  );
}
