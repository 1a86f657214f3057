import { afterAll, beforeAll, describe, expect, test } from "bun:test";

import { createTestApp } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";

let world = createTestApp({ anonymousScopes: [] });
afterAll(() => world.close());

let admin: Record<string, string>;
let clerk: { id: number; token: string };
beforeAll(async () => {
  admin = { Authorization: `Bearer ${world.tokens.create({ name: "boss", scopes: ["admin"] }).token}` };
  clerk = world.tokens.create({ name: "clerk <b>", scopes: ["upload", "view", "delete"] });
});

interface AuditJson {
  entries: { id: number; event: string; actor: string | null; address: string | null; detail: object }[];
  next: string | null;
  next_url: string | null;
}

async function read(query = ""): Promise<AuditJson> {
  let answer = await world.ask(`/audit.json${query}`, { headers: admin });
  expect(answer.status).toBe(200);
  return (await answer.json()) as AuditJson;
}

function asClerk(path: string, init: RequestInit & { env?: object } = {}) {
  let headers = { Authorization: `Bearer ${clerk.token}`, "X-Request-Id": "r-7", ...init.headers };
  return world.ask(path, { ...init, headers });
}

describe("the audit log on the web", () => {
  test("is for admins alone", async () => {
    await expectError(await world.ask("/audit.json"), 401, "authentication_required");
    await expectError(await asClerk("/audit.json"), 403, "permission_denied");
  });

  test("tells of deletions and their undoing, with actor, address and request", async () => {
    let first = await world.addFile("one");
    let second = await world.addFile("two");
    let env = { requestIP: () => ({ address: "192.0.2.7" }) };
    let form = { "Content-Type": "application/x-www-form-urlencoded", Accept: "text/html" };
    let body = `id=${first.id}&id=${second.id}`;
    await asClerk("/files/delete", { method: "POST", headers: form, body: `${body}&confirmed=1`, env });
    await asClerk("/files/restore", { method: "POST", headers: form, body: `id=${first.id}`, env });
    let [restored, deleted] = (await read()).entries;
    let by = { actor: "token:clerk <b>", address: "192.0.2.7", request_id: "r-7" };
    expect(restored).toMatchObject({ event: "restore", ...by, detail: { file_ids: [first.id] } });
    expect(deleted).toMatchObject({
      event: "delete",
      ...by,
      detail: { file_ids: [first.id, second.id], can_be_undone: true },
    });
  });

  test("tells of changes of rights on the pages of admins, and of whose", async () => {
    let headers = { ...admin, "Content-Type": "application/x-www-form-urlencoded" };
    let send = (path: string, body: string) => world.ask(path, { method: "POST", headers, body });
    expect((await send("/admin/tokens", "name=fresh&scope=upload")).status).toBe(201);
    expect((await send("/admin/users", "name=ann&password=a+long+password&scope=view")).status).toBe(201);
    expect((await send("/admin/invitations", "expires=7d")).status).toBe(201);
    let { entries } = await read("?_size=3&actor=token:boss");
    expect(entries.map(({ event, detail }) => [event, detail])).toEqual([
      [
        "invitation_created",
        { subject: "invitation:1", expires_at: expect.any(String), max_bytes: null, max_files: null },
      ],
      ["user_added", { subject: "user:ann", scopes: ["view"] }],
      [
        "token_created",
        { subject: "token:fresh", token_id: expect.any(Number), scopes: ["upload"], expires_at: null },
      ],
    ]);
  });

  test("tells of passwords that were wrong, by form, by Basic and on the account page, and for whom", async () => {
    let passwordHash = await world.passwords.hash("correct horse battery");
    let { id } = world.users.add({ name: "zoe", passwordHash, scopes: ["view"] });
    let env = { requestIP: () => ({ address: "198.51.100.7" }) };
    let form = { "Content-Type": "application/x-www-form-urlencoded" };
    let post = (path: string, body: string, headers = {}) =>
      world.ask(path, { method: "POST", headers: { ...form, ...headers }, body, env });
    await post("/sign-in", "name=Zoe&password=wrong+password");
    await post("/sign-in", "name=my-secret-password&password=");
    for (let name of ["ZOE", "my-secret-password"]) {
      let pair = Buffer.from(`${name}:wrong password`).toString("base64");
      await world.ask("/files.json", { headers: { Authorization: `Basic ${pair}` }, env });
    }
    let cookie = { Cookie: `s3u_session=${world.tokens.sessions.createForUser(id)}` };
    let page = await (await world.ask("/account", { headers: cookie })).text();
    let formToken = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? "";
    let fields = new URLSearchParams({ form_token: formToken, current: "wrong", password: "a new password" });
    await post("/account/password", String(fields), cookie);
    let { entries } = await read("?event=sign_in_failed&_size=5");
    expect(entries.map(({ actor, address, detail }) => [actor, address, detail])).toEqual([
      ["user:zoe", "198.51.100.7", { subject: "user:zoe" }],
      [null, "198.51.100.7", {}],
      [null, "198.51.100.7", { subject: "user:zoe" }],
      [null, "198.51.100.7", {}],
      [null, "198.51.100.7", { subject: "user:zoe" }],
    ]);
    expect(JSON.stringify(await read())).not.toContain("my-secret-password");
  });

  test("tells of sign-ins that worked, that failed, and of signing out, never of the secret", async () => {
    let signIn = (token: string) =>
      world.ask("/sign-in", {
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: `token=${token}`,
      });
    await signIn("s3u_wrong-but-secret");
    let answer = await signIn(clerk.token);
    let cookie = answer.headers.get("Set-Cookie")?.split(";")[0] ?? "";
    await world.ask("/sign-out", { method: "POST", headers: { Cookie: cookie } });
    let { entries } = await read("?_size=3");
    expect(entries.map(({ event, actor }) => [event, actor])).toEqual([
      ["sign_out", "token:clerk <b>"],
      ["sign_in", "token:clerk <b>"],
      ["sign_in_failed", null],
    ]);
    let everything = JSON.stringify(await read());
    expect(everything).not.toContain("wrong-but-secret");
    expect(everything).not.toContain(clerk.token);
  });

  test("goes on page by page, and is narrowed", async () => {
    for (let nth = 0; nth < 5; nth++) {
      world.audit.write("upload", { actor: "pager", address: null, requestId: null }, { nth });
    }
    let first = await read("?actor=pager&_size=3");
    expect(first.entries).toHaveLength(3);
    expect(first.next_url).toContain(`actor=pager&_size=3&_next=${first.next}`);
    let rest = await read(`?actor=pager&_size=3&_next=${first.next}`);
    expect([rest.entries.length, rest.next]).toEqual([2, null]);
    expect((await read("?event=restore")).entries.every(({ event }) => event === "restore")).toBe(true);
    expect((await read("?day=2000-01-01")).entries).toEqual([]);
    world.audit.write("upload", { actor: null, address: null, requestId: null });
    let nobody = (await read("?actor=anonymous")).entries;
    expect(nobody.length).toBeGreaterThan(0);
    expect(nobody.every(({ actor }) => actor === null)).toBe(true);
  });

  test.each(["?event=nonsense", "?day=2026-02-30", "?_size=0", "?_size=9999", "?_next=x"])(
    "refuses %s",
    async (query) => {
      let answer = await world.ask(`/audit.json${query}`, { headers: admin });
      await expectError(answer, 400, "invalid_parameter");
    },
  );

  test("shows itself as a page, whatever the names are", async () => {
    let answer = await world.ask("/audit", { headers: { ...admin, Accept: "text/html" } });
    let html = await answer.text();
    expect(html).toContain('aria-current="page">Audit</a>');
    expect(html).toContain("clerk &lt;b&gt;");
    expect(html).not.toContain("clerk <b>");
    expect(html).toContain(">anonymous</a>");
  });
});
