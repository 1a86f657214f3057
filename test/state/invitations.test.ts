import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { AppError } from "../../src/errors.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createInvitations, type NewInvitation } from "../../src/state/invitations.ts";
import { DAY_MS } from "../../src/units.ts";

const folder = mkdtempSync(join(tmpdir(), "invitations-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function world() {
  let path = join(folder, `${++made}`, "state.db");
  let db = openStateDatabase(path);
  let time = { nowMs: Date.UTC(2026, 10, 23) };
  let invitations = createInvitations(db, { nowMs: () => time.nowMs });
  let create = (given: Partial<NewInvitation> = {}) =>
    invitations.create({
      note: "",
      createdBy: "user:ann",
      expiresAtMs: time.nowMs + DAY_MS,
      maxBytes: null,
      maxFiles: null,
      ...given,
    });
  return { path, db, time, invitations, create, [Symbol.dispose]: () => closeDatabase(db) };
}

describe("an invitation", () => {
  test("is found by its secret until it ends", () => {
    using given = world();
    let { id, secret } = given.create({ note: " Photos of the fair\r\nplease ", maxBytes: 10, maxFiles: 2 });
    expect(secret).toMatch(/^s3i_[\w-]{43}$/);
    expect(given.invitations.verify(secret)).toMatchObject({
      id,
      note: "Photos of the fair\nplease",
      createdBy: "user:ann",
      maxBytes: 10,
      maxFiles: 2,
      usedBytes: 0,
      usedFiles: 0,
    });
    for (let wrong of ["", "s3i_", secret.slice(0, -1), `${secret}A`, secret.replace("s3i_", "s3u_")]) {
      expect(given.invitations.verify(wrong)).toBeNull();
    }
    given.time.nowMs += DAY_MS;
    expect(given.invitations.verify(secret)).toBeNull();
    expect(given.invitations.list()).toHaveLength(1);
  });

  test("ends at once when it is revoked", () => {
    using given = world();
    let { id, secret } = given.create();
    expect(given.invitations.revoke(id)?.id).toBe(id);
    expect(given.invitations.verify(secret)).toBeNull();
    expect(given.invitations.revoke(id)).toBeNull();
    expect(given.invitations.list()).toEqual([]);
  });

  test("is stored without its secret", () => {
    using given = world();
    let { secret } = given.create();
    given.db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    expect(readFileSync(given.path).includes(secret)).toBe(false);
    expect(readFileSync(given.path).includes(secret.slice(4))).toBe(false);
  });

  test.each<[string, Partial<NewInvitation>]>([
    ["a note that is too long", { note: "x".repeat(501) }],
    ["a note with control characters", { note: "a\u0000b" }],
    ["an end that is over", { expiresAtMs: 0 }],
  ])("is refused with %s", (_, given) => {
    using there = world();
    expect(() => there.create(given)).toThrow(AppError);
  });
});
