import type { Database } from "bun:sqlite";

import type { Clock } from "../clock.ts";
import { AppError } from "../errors.ts";
import { immediately, translatedFor } from "../sqlite.ts";
import { type Scope, scopesOf, scopesText } from "./scopes.ts";

/** Somebody who signs in with a name and a password. */
export interface UserFacts {
  id: number;
  name: string;
  scopes: Scope[];
}

export interface UserRow extends UserFacts {
  createdAtMs: number;
  /** Null: never. */
  signedInAtMs: number | null;
}

/** People, in the private database. Passwords come and go as argon2id hashes. All calls are synchronous. */
export interface Users {
  /** Throws `invalid_parameter` for a name that is taken or can't be used, and for no scopes. */
  add(user: { name: string; passwordHash: string; scopes: readonly Scope[] }): UserFacts;
  /** By name in any case; null for an unknown one. */
  find(name: string): (UserFacts & { passwordHash: string }) | null;
  get(id: number): UserFacts | null;
  /** In the order of their names. */
  list(): UserRow[];
  /** Gives another password and ends every session; null when there is none with that id or name. */
  setPassword(idOrName: string | number, passwordHash: string): UserFacts | null;
  /** Gives other rights, which hold from the next request on; null when there is none with that id or name. Throws `invalid_parameter` for none. */
  setScopes(idOrName: string | number, scopes: readonly Scope[]): UserFacts | null;
  /** Notes a sign-in. */
  noteSignIn(id: number): void;
  /** Deletes the user and ends every session; null when there is none with that id or name. */
  remove(idOrName: string | number): UserFacts | null;
  count(): number;
}

const maxNameCharacters = 64;
/** No colon, which ends a name in Basic credentials, and nothing that looks different from what it is. */
const namePattern = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@+-]*$/u;
const isId = /^\d+$/;

interface StoredUser {
  id: number;
  name: string;
  password_hash: string;
  scopes: string;
  created_at_ms: number;
  signed_in_at_ms: number | null;
}

/** @param db the private database with its migrations run */
export function createUsers(db: Database, clock: Clock): Users {
  let translated = translatedFor(db);
  let byName = db.prepare<StoredUser, [string]>("SELECT * FROM users WHERE name = ?1");
  let byId = db.prepare<StoredUser, [number]>("SELECT * FROM users WHERE id = ?1");
  let all = db.prepare<StoredUser, []>("SELECT * FROM users ORDER BY name");
  let insert = db.prepare<StoredUser, [string, string, string, number]>(
    "INSERT INTO users (name, password_hash, scopes, created_at_ms) VALUES (?1, ?2, ?3, ?4) RETURNING *",
  );
  let setHash = db.prepare<unknown, [number, string]>("UPDATE users SET password_hash = ?2 WHERE id = ?1");
  let changeScopes = db.prepare<StoredUser, [number, string]>(
    "UPDATE users SET scopes = ?2 WHERE id = ?1 RETURNING *",
  );
  let touch = db.prepare<unknown, [number, number]>("UPDATE users SET signed_in_at_ms = ?2 WHERE id = ?1");
  let endSessions = db.prepare<unknown, [number]>("DELETE FROM web_sessions WHERE user_id = ?1");
  let remove = db.prepare<unknown, [number]>("DELETE FROM users WHERE id = ?1");
  let counted = db.prepare<{ n: number }, []>("SELECT count(*) AS n FROM users");

  function row(idOrName: string | number): StoredUser | null {
    let text = String(idOrName);
    if (isId.test(text)) return byId.get(Number(text));
    return byName.get(userName(text) ?? "");
  }

  function add(untrustedName: string, passwordHash: string, scopes: readonly Scope[]): UserFacts {
    let name = userName(untrustedName);
    if (name === null) {
      throw refused(
        `A user's name is 1 to ${maxNameCharacters} letters, digits and . _ @ + -, begins with a letter or digit, and is not only digits.`,
      );
    }
    let stored = scopesText(scopes, "A user");
    let made = immediately(db, () => {
      if (byName.get(name) !== null) throw refused(`There is a user named “${name}” already.`);
      return insert.get(name, passwordHash, stored, clock.nowMs());
    });
    if (made === null) throw new AppError("internal_error", "The private database gave no id for a user.");
    return factsOf(made);
  }

  /** Does something to a user and ends every session. */
  function change(idOrName: string | number, work: (id: number) => void): UserFacts | null {
    return immediately(db, () => {
      let found = row(idOrName);
      if (found === null) return null;
      endSessions.run(found.id);
      work(found.id);
      return factsOf(found);
    });
  }

  return {
    add: (user) => translated("add a user", () => add(user.name, user.passwordHash, user.scopes)),
    find: (name) =>
      translated("look up a user", () => {
        let found = byName.get(userName(name) ?? "");
        return found && { ...factsOf(found), passwordHash: found.password_hash };
      }),
    get: (id) =>
      translated("look up a user", () => {
        let found = byId.get(id);
        return found && factsOf(found);
      }),
    list: () =>
      translated("list the users", () =>
        all.all().map((user) => ({
          ...factsOf(user),
          createdAtMs: user.created_at_ms,
          signedInAtMs: user.signed_in_at_ms,
        })),
      ),
    setPassword: (idOrName, hash) =>
      translated("change a password", () => change(idOrName, (id) => setHash.run(id, hash))),
    setScopes: (idOrName, scopes) =>
      translated("change a user's rights", () => {
        let stored = scopesText(scopes, "A user");
        let changed = immediately(db, () => changeScopes.get(row(idOrName)?.id ?? -1, stored));
        return changed && factsOf(changed);
      }),
    noteSignIn: (id) =>
      translated("note a sign-in", () => {
        touch.run(id, clock.nowMs());
      }),
    remove: (idOrName) => translated("remove a user", () => change(idOrName, (id) => remove.run(id))),
    count: () => translated("count the users", () => counted.get()?.n ?? 0),
  };
}

/** A name as it is stored and compared; null for one that no user can have. */
export function userName(untrusted: string): string | null {
  let name = untrusted
    .slice(0, 4 * maxNameCharacters)
    .trim()
    .normalize("NFKC")
    .toLowerCase();
  return namePattern.test(name) && name.length <= maxNameCharacters && !isId.test(name) ? name : null;
}

function factsOf({ id, name, scopes }: StoredUser): UserFacts {
  return { id, name, scopes: scopesOf(scopes) };
}

function refused(message: string): AppError {
  return new AppError("invalid_parameter", message, { details: { parameter: "name" } });
}
