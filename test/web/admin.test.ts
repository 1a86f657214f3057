import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import { createTestApp, type TestApp, testBase } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";

let app: TestApp;
let cookie: string;
beforeEach(async () => {
  app = createTestApp({ anonymousScopes: [] });
  let passwordHash = await app.passwords.hash("correct horse battery");
  let { id } = app.users.add({ name: "root", scopes: ["admin"], passwordHash });
  cookie = `s3u_session=${app.tokens.sessions.createForUser(id)}`;
});
afterEach(() => app.close());

const page = { Accept: "text/html" };

function get(path: string, headers: Record<string, string> = { Cookie: cookie }) {
  return app.ask(path, { headers: { ...page, ...headers } });
}

/** What the hidden field of a page holds. */
async function formToken(path: string, headers: Record<string, string> = { Cookie: cookie }) {
  return /name="form_token" value="([^"]+)"/.exec(await (await get(path, headers)).text())?.[1] ?? "";
}

async function post(
  path: string,
  fields: Record<string, string | string[]>,
  headers: Record<string, string> = { Cookie: cookie },
) {
  let body = new URLSearchParams();
  for (let [name, value] of Object.entries(fields)) {
    for (let one of [value].flat()) body.append(name, one);
  }
  return await app.ask(path, {
    method: "POST",
    headers: { ...page, "Content-Type": "application/x-www-form-urlencoded", ...headers },
    body: body.toString(),
  });
}

function shown(html: string): string {
  return /id="secret"[^>]* value="([^"]+)"/.exec(html)?.[1] ?? "";
}

describe("tokens", () => {
  test("are made with their limits, shown once, and work at once", async () => {
    let answer = await post("/admin/tokens", {
      form_token: await formToken("/admin/tokens"),
      name: "backup <b>",
      scope: ["view", "upload"],
      expires: "30d",
      prefix: "clients/acme",
      max_mb: "5",
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    let html = await answer.text();
    expect(html).toContain("The token “backup &lt;b&gt;” is ready");
    let token = shown(html);
    expect(app.tokens.verify(token)).toMatchObject({
      name: "backup <b>",
      scopes: ["upload", "view"],
      folder: "clients/acme/",
      maxBytes: 5 * 1024 * 1024,
    });
    let later = await (await get("/admin/tokens")).text();
    expect(later).toContain("backup &lt;b&gt;");
    expect(later).not.toContain(token);
    expect(app.events.at(-1)).toMatchObject({
      action: "token_created",
      actor: "user:root",
      subject: "token:backup <b>",
    });
    expect(JSON.stringify(app.events)).not.toContain(token);
  });

  test("are revoked, with everybody who signed in by them", async () => {
    let { id, token } = app.tokens.create({ name: "old", scopes: ["view"] });
    let session = app.tokens.sessions.create(id);
    let form_token = await formToken("/admin/tokens");
    let answer = await post(`/admin/tokens/${id}/revoke`, { form_token });
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, `${testBase}/admin/tokens`]);
    expect([app.tokens.verify(token), app.tokens.sessions.verify(session)]).toEqual([null, null]);
    expect((await post(`/admin/tokens/${id}/revoke`, { form_token })).status).toBe(404);
  });

  test.each([
    ["no scope", { name: "a", scope: [] }, "A token needs at least one scope."],
    ["a name that is taken", { name: "taken" }, "There is a token named “taken” already."],
    ["a prefix that climbs", { name: "a", prefix: "../x" }, "A prefix is folders like clients/acme"],
    ["a size that is none", { name: "a", max_mb: "many" }, "The total size is a whole number"],
    ["a time that is none", { name: "a", expires: "soon" }, "The time is a number of days"],
  ])("with %s are refused, and what was typed stays", async (_, fields, sentence) => {
    app.tokens.create({ name: "taken", scopes: ["view"] });
    let form_token = await formToken("/admin/tokens");
    let answer = await post("/admin/tokens", { form_token, scope: ["delete"], ...fields });
    let html = await answer.text();
    expect(answer.status).toBe(400);
    expect(html).toContain(sentence);
    expect(html).toContain(`name="name" value="${fields.name}"`);
    expect(app.tokens.list()).toHaveLength(1);
  });
});

describe("users", () => {
  test("are added with a password that is made, and sign in by it", async () => {
    let form_token = await formToken("/admin/users");
    let answer = await post("/admin/users", { form_token, name: "Ann", scope: ["view"], password: "" });
    let password = shown(await answer.text());
    expect(answer.status).toBe(201);
    let signIn = await post("/sign-in", { name: "ann", password }, {});
    expect(signIn.status).toBe(303);
    expect(app.events.map(({ action, actor }) => [action, actor])).toEqual([
      ["user_added", "user:root"],
      ["sign_in", "user:ann"],
    ]);
  });

  test("are added with a password that was typed, which is not shown", async () => {
    let form_token = await formToken("/admin/users");
    let fields = { form_token, name: "ann", scope: ["view"], password: "a typed password" };
    expect(await (await post("/admin/users", fields)).text()).not.toContain("a typed password");
    let short = { form_token, name: "bob", scope: ["view"], password: "short" };
    let refused = await post("/admin/users", short);
    expect([refused.status, (await refused.text()).includes('value="short"')]).toEqual([400, false]);
  });

  test("get a new password, and are removed, both of which end their sign-ins", async () => {
    let passwordHash = await app.passwords.hash("correct horse battery");
    let { id } = app.users.add({ name: "ann", scopes: ["view"], passwordHash });
    let sessions = [app.tokens.sessions.createForUser(id)];
    let form_token = await formToken("/admin/users");
    let reset = await post(`/admin/users/${id}/password`, { form_token });
    expect(shown(await reset.text())).toMatch(/^[a-z2-9-]{23}$/);
    expect(app.tokens.sessions.verify(sessions[0] ?? "")).toBeNull();
    sessions.push(app.tokens.sessions.createForUser(id));
    expect((await post(`/admin/users/${id}/remove`, { form_token })).status).toBe(303);
    expect(app.tokens.sessions.verify(sessions[1] ?? "")).toBeNull();
    expect(app.users.list().map(({ name }) => name)).toEqual(["root"]);
  });

  test("get other rights, which hold at once for who has signed in", async () => {
    let passwordHash = await app.passwords.hash("correct horse battery");
    let { id } = app.users.add({ name: "ann", scopes: ["upload", "view"], passwordHash });
    let headers = { Cookie: `s3u_session=${app.tokens.sessions.createForUser(id)}` };
    let form_token = await formToken("/admin/users");
    expect((await app.ask("/files.json", { headers })).status).toBe(200);
    let changed = await post(`/admin/users/${id}/scopes`, { form_token, scope: ["upload", "bogus"] });
    expect([changed.status, changed.headers.get("Location")]).toEqual([303, `${testBase}/admin/users`]);
    expect((await app.ask("/files.json", { headers })).status).toBe(403);
    expect(app.events.at(-1)).toMatchObject({
      action: "user_changed",
      actor: "user:root",
      subject: "user:ann",
      detail: { scopes: ["upload"] },
    });
    let none = await post(`/admin/users/${id}/scopes`, { form_token });
    expect([none.status, (await none.text()).includes("A user needs at least one scope.")]).toEqual([
      400,
      true,
    ]);
    expect(app.users.get(id)?.scopes).toEqual(["upload"]);
    expect((await post("/admin/users/99/scopes", { form_token, scope: ["view"] })).status).toBe(404);
  });

  test("do not shut themselves out", async () => {
    let form_token = await formToken("/admin/users");
    for (let deed of ["remove", "password", "scopes"]) {
      expect((await post(`/admin/users/1/${deed}`, { form_token, scope: ["view"] })).status).toBe(403);
    }
    expect(app.users.count()).toBe(1);
    expect((await get("/account")).status).toBe(200);
  });
});

describe("invitations", () => {
  test("are made as a link, and revoked", async () => {
    let form_token = await formToken("/admin/invitations");
    let answer = await post("/admin/invitations", {
      form_token,
      note: "Your <b>photos</b>",
      expires: "7d",
      max_files: "3",
      max_mb: "10",
    });
    let html = await answer.text();
    expect(html).toContain("Your &lt;b&gt;photos&lt;/b&gt;");
    let link = shown(html);
    expect(link).toStartWith(`http://127.0.0.1:8080${testBase}/invitation?key=s3i_`);
    let opened = await app.app.request(link, { headers: { Host: "127.0.0.1:8080" } });
    expect(opened.status).toBe(303);
    expect(app.invitations.list()).toMatchObject([{ createdBy: "user:root", maxFiles: 3 }]);
    expect((await post("/admin/invitations/1/revoke", { form_token })).status).toBe(303);
    let gone = await app.app.request(link, { headers: { Host: "127.0.0.1:8080" } });
    expect(gone.status).toBe(404);
  });

  test("need an end", async () => {
    let form_token = await formToken("/admin/invitations");
    expect((await post("/admin/invitations", { form_token, note: "x", expires: "" })).status).toBe(400);
  });
});

describe("a form that gives or takes rights", () => {
  let forms = [
    "/admin/tokens",
    "/admin/tokens/1/revoke",
    "/admin/users",
    "/admin/users/1/password",
    "/admin/users/1/scopes",
    "/admin/users/1/remove",
    "/admin/invitations",
    "/admin/invitations/1/revoke",
    "/account/password",
    "/account/sign-out-everywhere",
  ];

  test.each(forms)("%s is refused without the token of its page, or with another's", async (path) => {
    let other = app.users.add({
      name: "other",
      scopes: ["admin"],
      passwordHash: await app.passwords.hash("correct horse battery"),
    });
    let theirs = { Cookie: `s3u_session=${app.tokens.sessions.createForUser(other.id)}` };
    let fields = { name: "x", scope: ["view"], expires: "7d" };
    for (let form_token of ["", "x".repeat(43), await formToken("/admin/tokens", theirs)]) {
      let answer = await post(path, { ...fields, form_token });
      expect([answer.status, (await answer.text()).includes("load its page again")]).toEqual([403, true]);
    }
    expect(app.tokens.list()).toEqual([]);
    expect(app.users.count()).toBe(2);
  });

  test("needs none from a program with a token of its own", async () => {
    let { token } = app.tokens.create({ name: "ci", scopes: ["admin"] });
    let headers = { Cookie: "", Authorization: `Bearer ${token}` };
    let answer = await post("/admin/tokens", { name: "made", scope: ["view"] }, headers);
    expect(answer.status).toBe(201);
  });

  test("is for admins alone, also to look at", async () => {
    let { id } = app.tokens.create({ name: "a", scopes: ["upload", "view", "delete"] });
    let headers = { Cookie: `s3u_session=${app.tokens.sessions.create(id)}` };
    for (let path of ["tokens", "users", "invitations"]) {
      expect((await get(`/admin/${path}`, headers)).status).toBe(403);
    }
    let home = await (await get("", headers)).text();
    expect(home).not.toContain("/admin/");
    expect(await (await get("")).text()).toContain(`${testBase}/admin/tokens`);
  });

  test("is told in JSON to one who asks for it", async () => {
    let { token } = app.tokens.create({ name: "ci", scopes: ["view"] });
    let answer = await app.ask("/admin/tokens", {
      headers: { Authorization: `Bearer ${token}`, Accept: "application/json" },
    });
    await expectError(answer, 403, "permission_denied");
  });
});

describe("the account page", () => {
  test("changes the password, which ends every other session", async () => {
    let other = app.tokens.sessions.createForUser(1);
    let form_token = await formToken("/account");
    let wrong = { form_token, current: "not this one", password: "a new long password" };
    let refused = await post("/account/password", wrong);
    expect([refused.status, (await refused.text()).includes("not your current password")]).toEqual([
      400,
      true,
    ]);
    let answer = await post("/account/password", { ...wrong, current: "correct horse battery" });
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, `${testBase}/account?changed`]);
    let fresh = /s3u_session=([\w-]{43})/.exec(answer.headers.get("Set-Cookie") ?? "")?.[1] ?? "";
    expect(app.tokens.sessions.verify(other)).toBeNull();
    expect(app.tokens.sessions.verify(cookie.replace("s3u_session=", ""))).toBeNull();
    expect(app.tokens.sessions.verify(fresh)).toMatchObject({ identity: { name: "root" } });
    expect((await post("/sign-in", { name: "root", password: "a new long password" }, {})).status).toBe(303);
  });

  test("ends every session", async () => {
    let other = app.tokens.sessions.createForUser(1);
    let form_token = await formToken("/account");
    let answer = await post("/account/sign-out-everywhere", { form_token });
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, `${testBase}/sign-in`]);
    expect(answer.headers.get("Set-Cookie")).toContain("s3u_session=; Max-Age=0");
    expect(app.tokens.sessions.verify(other)).toBeNull();
    expect((await get("/account")).status).toBe(401);
  });

  test("of a token has no password to change, and ends that token's sessions", async () => {
    let { id } = app.tokens.create({ name: "ci", scopes: ["view"] });
    let headers = { Cookie: `s3u_session=${app.tokens.sessions.create(id)}` };
    let html = await (await get("/account", headers)).text();
    expect(html).toContain("with the token");
    expect(html).not.toContain('type="password"');
    let form_token = await formToken("/account", headers);
    expect((await post("/account/sign-out-everywhere", { form_token }, headers)).status).toBe(303);
    expect((await get("/account", headers)).status).toBe(401);
    expect((await get("/account")).status).toBe(200);
  });
});
