import { describe, expect, test } from "bun:test";

import { createAttempts } from "../../src/auth/attempts.ts";
import { createPasswords, generatePassword } from "../../src/auth/passwords.ts";
import { createPeople } from "../../src/auth/people.ts";
import type { AppError } from "../../src/errors.ts";
import { createWorld } from "./world.ts";

const password = "correct horse battery";
const passwords = createPasswords();
const cheap = createPasswords({ memoryCost: 64, timeCost: 1 });

function basic(name: string, secret: string) {
  return { Authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}` };
}

describe("a password", () => {
  test("is kept as argon2id with a salt, and fits only itself", async () => {
    let [one, two] = await Promise.all([passwords.hash(password), passwords.hash(password)]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=32768,t=2,p=1\$/);
    expect(two).not.toBe(one);
    expect(await passwords.verify(password, one)).toBe(true);
    expect(await passwords.verify(`${password}x`, one)).toBe(false);
    expect(await passwords.verify(password, null)).toBe(false);
  });

  test("is the same in composed and decomposed letters", async () => {
    let hash = await cheap.hash("Zoë likes pears");
    expect(await cheap.verify("Zoe\u0308 likes pears", hash)).toBe(true);
  });

  test.each([
    ["", "at least 10 characters"],
    ["nine char", "at least 10 characters"],
    ["x".repeat(1001), "at most 1000 characters"],
    ["😀".repeat(501), "at most 1000 characters"],
  ])("is refused when it is too short or too long, and that is said", async (text, said) => {
    let refusal = await passwords.hash(text).catch((error: AppError) => error);
    expect(refusal).toMatchObject({ code: "invalid_parameter", message: expect.stringContaining(said) });
  });

  test("is hashed for an unknown name as well", async () => {
    let asked: (string | null)[] = [];
    let counting = {
      verify: async (_: string, hash: string | null) => {
        asked.push(hash);
        return false;
      },
    };
    let clock = { nowMs: () => 0 };
    let people = createPeople({
      users: { find: () => null },
      passwords: counting,
      attempts: createAttempts(clock),
      clock,
    });
    expect(await people.recognise("nobody", password, null)).toBeNull();
    expect(asked).toEqual([null]);
  });

  test("that is made for somebody is long, and different each time", () => {
    expect(generatePassword()).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
    expect(new Set(Array.from({ length: 100 }, generatePassword)).size).toBe(100);
  });

  test("is not checked for more at once than may wait", async () => {
    let hash = await cheap.hash(password);
    let fresh = createPasswords({ memoryCost: 64, timeCost: 1 });
    let answers = await Promise.allSettled(Array.from({ length: 60 }, () => fresh.verify("wrong", hash)));
    let refused = answers.filter((answer) => answer.status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    for (let { reason } of refused) expect((reason as AppError).code).toBe("server_busy");
    expect(await fresh.verify(password, hash)).toBe(true);
  });
});

describe("curl -u name:password", () => {
  test("is the user, without a session", async () => {
    using world = createWorld();
    await world.addUser("ann", password, "upload", "view");
    let answer = await world.ask("/who", { headers: basic("Ann", password) });
    expect(JSON.parse(answer.text)).toMatchObject({
      kind: "password",
      actor: { type: "user", id: "1", name: "ann" },
      scopes: ["upload", "view"],
    });
    expect(answer.headers.get("Set-Cookie")).toBeNull();
  });

  test("is 401 for another password, and throttled", async () => {
    using world = createWorld({ anonymous: ["view"] });
    await world.addUser("ann", password, "view");
    let ask = async (secret: string) =>
      (await world.ask("/files", { headers: basic("ann", secret), peer: "203.0.113.9" })).status;
    for (let i = 0; i < 10; i++) expect(await ask(`wrong ${i}`)).toBe(401);
    expect(await ask("wrong")).toBe(429);
    expect(await ask(password)).toBe(429);
    world.time.nowMs += 30_000;
    expect(await ask(password)).toBe(200);
  });

  test("many at once with the right password are one attempt, and the next ones none", async () => {
    using world = createWorld();
    await world.addUser("ann", password, "view");
    let ask = () => world.ask("/files", { headers: basic("ann", password), peer: "203.0.113.9" });
    let answers = await Promise.all(Array.from({ length: 40 }, ask));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    for (let i = 0; i < 40; i++) expect((await ask()).status).toBe(200);
  });

  test("that is right is as throttled as one that is wrong, also when it was right a moment ago", async () => {
    using world = createWorld();
    await world.addUser("ann", password, "view");
    let ask = async (secret: string, peer: string) =>
      (await world.ask("/files", { headers: basic("ann", secret), peer })).status;
    expect(await ask(password, "203.0.113.1")).toBe(200);
    for (let i = 0; i < 10; i++) await ask(`wrong ${i}`, "203.0.113.9");
    expect([await ask("wrong", "203.0.113.9"), await ask(password, "203.0.113.9")]).toEqual([429, 429]);
    expect(await ask(password, "203.0.113.1")).toBe(200);
  });

  test("ends with the password and with the user, whatever was remembered", async () => {
    using world = createWorld();
    await world.addUser("ann", password, "view");
    let ask = async (secret: string) => (await world.ask("/files", { headers: basic("ann", secret) })).status;
    expect(await ask(password)).toBe(200);
    world.users.setPassword("ann", await cheap.hash("another long one"));
    expect([await ask(password), await ask("another long one")]).toEqual([401, 200]);
    world.users.remove("ann");
    expect(await ask("another long one")).toBe(401);
  });

  test("is no proof that no other site sent it: browsers remember such passwords", async () => {
    using world = createWorld();
    await world.addUser("ann", password, "upload");
    let headers = { ...basic("ann", password), "Sec-Fetch-Site": "cross-site" };
    expect((await world.ask("/upload", { method: "POST", headers })).code).toBe("cross_site_request");
  });
});

describe("an invitation's secret", () => {
  const facts = { note: "", createdBy: "x", maxBytes: null, maxFiles: null };

  test("uploads and does nothing else, by cookie and as Bearer", async () => {
    using world = createWorld({ anonymous: ["view"] });
    let { id, secret } = world.invitations.create({ ...facts, expiresAtMs: world.time.nowMs + 1000 });
    for (let headers of [
      { Cookie: `s3u_session=${secret}` },
      { Authorization: `Bearer ${secret}` },
    ] as Record<string, string>[]) {
      expect(JSON.parse((await world.ask("/who", { headers })).text)).toEqual({
        kind: "invitation",
        actor: { type: "invitation", id: String(id), name: String(id) },
        scopes: ["upload"],
        folder: null,
        isCounted: true,
      });
      expect((await world.ask("/upload", { method: "POST", headers })).status).toBe(200);
      expect((await world.ask("/files", { headers })).code).toBe("permission_denied");
      expect((await world.ask("/files/1", { method: "DELETE", headers })).code).toBe("permission_denied");
      expect((await world.ask("/admin", { headers })).code).toBe("permission_denied");
    }
  });

  test("that is over says so to a browser, and is 401 as Bearer", async () => {
    using world = createWorld();
    let { secret } = world.invitations.create({ ...facts, expiresAtMs: world.time.nowMs + 1000 });
    world.time.nowMs += 1000;
    let headers = { Cookie: `s3u_session=${secret}` };
    let answer = await world.ask("/upload", { method: "POST", headers });
    expect(answer.code).toBe("authentication_required");
    expect(answer.text).toContain("Your invitation has ended.");
    let bearer = { Authorization: `Bearer ${secret}` };
    expect((await world.ask("/upload", { method: "POST", headers: bearer })).status).toBe(401);
  });
});
