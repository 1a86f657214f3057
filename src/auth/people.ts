import { createHmac, randomBytes } from "node:crypto";

import type { Clock } from "../clock.ts";
import { type UserFacts, userName, type Users } from "../state/users.ts";
import { MINUTE_MS } from "../units.ts";
import type { Attempts } from "./attempts.ts";
import type { AccessEvent } from "./events.ts";
import { senderOf } from "./ip.ts";
import type { Passwords } from "./passwords.ts";

/** A program that sends its password with every request pays for it once in this time. */
const rememberMs = 5 * MINUTE_MS;
const maxRemembered = 1_000;
/** Stands for every name that nobody can have, so that guesses of such names share a limit. */
const noName = "";

/** People who sign in with a name and a password. */
export interface People {
  /**
   * Null when name and password do not belong together. Rejects with `too_many_requests` for a sender, a name or a
   * crowd that failed too often, and with `server_busy`.
   */
  recognise(name: string, password: string, address: string | null): Promise<UserFacts | null>;
  /** A sign-in by this name that failed, for the audit log. A name that no user has may be a password: it is not told. */
  failure(name: string): AccessEvent;
}

export interface PeopleDeps {
  users: Pick<Users, "find">;
  passwords: Pick<Passwords, "verify">;
  attempts: Attempts;
  clock: Clock;
}

export function createPeople({ users, passwords, attempts, clock }: PeopleDeps): People {
  // Passwords that were right a moment ago, as digests under a key that lives as long as the process. The stored hash
  // is in the digest: with another password, or a removed user, it is another one.
  let key = randomBytes(32);
  let recent = new Map<string, number>();
  let running = new Map<string, Promise<boolean>>();

  function isRecent(digest: string): boolean {
    return (recent.get(digest) ?? 0) > clock.nowMs();
  }

  function remember(digest: string): void {
    recent.delete(digest);
    recent.set(digest, clock.nowMs() + rememberMs);
    let oldest = recent.keys().next();
    if (recent.size > maxRemembered && !oldest.done) recent.delete(oldest.value);
  }

  async function verify(name: string, password: string, hash: string | null, address: string | null) {
    let attempt = attempts.begin(address, name);
    let fits = await passwords.verify(password, hash).catch((error: unknown) => {
      attempt.withdraw();
      throw error;
    });
    if (fits) attempt.succeeded();
    return fits;
  }

  return {
    async recognise(untrustedName, password, address) {
      let user = users.find(untrustedName);
      if (user === null) {
        await verify(userName(untrustedName) ?? noName, password, null, address);
        return null;
      }
      let { id, name, scopes, passwordHash } = user;
      let digest = digestOf(key, id, passwordHash, password);
      if (isRecent(digest)) {
        // Who is throttled stays so: else the right guess would be told from the wrong ones, as fast as they come.
        attempts.begin(address, name).succeeded();
      } else {
        // A program that begins with many requests at once is one attempt.
        let asked = `${senderOf(address ?? "")} ${digest}`;
        let mine = running.get(asked) ?? verify(name, password, passwordHash, address);
        running.set(asked, mine);
        let fits = await mine.finally(() => running.delete(asked));
        if (!fits) return null;
        remember(digest);
      }
      return { id, name, scopes };
    },
    failure(untrustedName) {
      let user = users.find(untrustedName);
      return { action: "sign_in_failed", ...(user && { subject: `user:${user.name}` }) };
    },
  };
}

function digestOf(key: Buffer, id: number, hash: string, password: string): string {
  return createHmac("sha256", key)
    .update(JSON.stringify([id, hash, password]))
    .digest("base64");
}
