import { describe, expect, test } from "bun:test";

import { createAccess, demandOf } from "../../src/auth/access.ts";
import { SCOPES } from "../../src/state/tokens.ts";
import { DAY_MS } from "../../src/units.ts";
import { createWorld } from "./world.ts";

function basic(user: string, password: string) {
  return { Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
}

function bearer(token: string) {
  return { Authorization: `Bearer ${token}` };
}

const unknownToken = `s3u_${"A".repeat(43)}`;

describe("the guard", () => {
  test("refuses a host that is not believed, on every route", async () => {
    using world = createWorld({ anonymous: ["view"] });
    for (let path of ["/files", "/-/s3-uploads/sign-in", "/nowhere"]) {
      let answer = await world.ask(path, { headers: { Host: "evil.example" } });
      expect([answer.status, answer.code]).toEqual([403, "untrusted_host"]);
      expect(answer.text).toContain("public_url");
    }
    expect((await world.ask("/files", { headers: { Host: "" } })).code).toBe("bad_request");
    expect((await world.ask("/files", { headers: { Host: "nas:8080" } })).status).toBe(200);
  });

  test("refuses what another site sends, whatever it brings along but a bearer token", async () => {
    using world = createWorld({ anonymous: ["upload"] });
    let { id, token } = world.tokens.create({ name: "a", scopes: ["upload"] });
    let session = { Cookie: `s3u_session=${world.tokens.sessions.create(id)}` };
    for (let site of [
      { "Sec-Fetch-Site": "cross-site" },
      { Origin: "http://evil.example" },
      { Origin: "null" },
    ]) {
      for (let headers of [{}, session, basic("me", token), bearer(unknownToken), bearer("")]) {
        let answer = await world.ask("/upload", { method: "POST", headers: { ...site, ...headers } });
        expect([answer.status, answer.code]).toEqual([403, "cross_site_request"]);
      }
      let answer = await world.ask("/upload", { method: "POST", headers: { ...site, ...bearer(token) } });
      expect(answer.status).toBe(200);
    }
  });

  test("lets our own pages, programs, and foreign links to a page through", async () => {
    using world = createWorld({ anonymous: ["upload", "view"] });
    let post = (headers: Record<string, string>) => world.ask("/upload", { method: "POST", headers });
    expect((await post({ "Sec-Fetch-Site": "same-origin", Origin: "http://127.0.0.1:8080" })).status).toBe(
      200,
    );
    expect((await post({ Origin: "http://127.0.0.1:8080" })).status).toBe(200);
    expect((await post({})).status).toBe(200);
    let link = {
      "Sec-Fetch-Site": "cross-site",
      "Sec-Fetch-Mode": "navigate",
      Referer: "http://evil.example/",
    };
    expect((await world.ask("/files", { headers: link })).status).toBe(200);
  });

  test("believes forwarded headers of a trusted proxy only", async () => {
    using world = createWorld({
      anonymous: ["view"],
      publicUrl: "https://files.example.org",
      trustedProxies: ["10.0.0.0/8"],
    });
    let forwarded = {
      Host: "backend:8080",
      "X-Forwarded-Host": "files.example.org",
      "X-Forwarded-For": "203.0.113.9",
      "X-Forwarded-Proto": "https",
    };
    let byProxy = await world.ask("/from", { headers: forwarded, peer: "::ffff:10.0.0.1" });
    expect(JSON.parse(byProxy.text)).toMatchObject({
      address: "203.0.113.9",
      untrustedHost: "files.example.org",
      secure: true,
    });
    expect((await world.ask("/from", { headers: forwarded, peer: "203.0.113.9" })).code).toBe(
      "untrusted_host",
    );
    let evil = { ...forwarded, "X-Forwarded-Host": "evil.example" };
    expect((await world.ask("/from", { headers: evil, peer: "10.0.0.1" })).code).toBe("untrusted_host");
  });
});

describe("who asks", () => {
  test("is nobody in particular without credentials", async () => {
    using world = createWorld({ anonymous: ["view"] });
    expect(JSON.parse((await world.ask("/who")).text)).toEqual({
      kind: "anonymous",
      actor: null,
      scopes: ["view"],
      folder: null,
      isCounted: false,
    });
  });

  test("is the token's holder by Bearer, and by Basic with any user", async () => {
    using world = createWorld();
    let { id, token } = world.tokens.create({ name: "ci", scopes: ["upload", "view"] });
    let actor = { type: "token", id: String(id), name: "ci" };
    let expected = { kind: "token", actor, scopes: ["upload", "view"], folder: null, isCounted: false };
    for (let headers of [
      bearer(token),
      { Authorization: `bearer   ${token} ` },
      basic("me", token),
      basic("", token),
      { Authorization: basic("me", token).Authorization.replace("Basic", "BASIC") },
    ]) {
      expect(JSON.parse((await world.ask("/who", { headers })).text)).toEqual(expected);
    }
  });

  test.each([
    ["an unknown token", bearer(unknownToken)],
    ["an empty token", bearer("")],
    ["an unknown token by Basic", basic("me", unknownToken)],
    ["a password that is no token", basic("me", "secret")],
    ["Basic without a colon", { Authorization: `Basic ${btoa(unknownToken)}` }],
    ["Basic that is no base64", { Authorization: "Basic ???" }],
    ["another scheme", { Authorization: "Digest username=me" }],
    ["no scheme", { Authorization: "hello" }],
    ["an empty header", { Authorization: "" }],
    ["a very long header", bearer("x".repeat(10_000))],
  ])("is refused with %s, even where nobody in particular may", async (_, headers) => {
    using world = createWorld({ anonymous: ["view"] });
    let answer = await world.ask("/files", { headers });
    expect([answer.status, answer.code]).toEqual([401, "authentication_required"]);
    expect(answer.headers.get("WWW-Authenticate")).toBe('Bearer realm="s3-uploads"');
    expect(answer.text).not.toContain("s3u_");
  });

  test("is refused with an expired or revoked token", async () => {
    using world = createWorld({ anonymous: ["view"] });
    let expiresAtMs = world.time.nowMs + DAY_MS;
    let brief = world.tokens.create({ name: "brief", scopes: ["view"], expiresAtMs }).token;
    let gone = world.tokens.create({ name: "gone", scopes: ["view"] }).token;
    expect((await world.ask("/files", { headers: bearer(brief) })).status).toBe(200);
    expect((await world.ask("/files", { headers: bearer(gone) })).status).toBe(200);
    world.time.nowMs = expiresAtMs;
    world.tokens.revoke("gone");
    expect((await world.ask("/files", { headers: bearer(brief) })).status).toBe(401);
    expect((await world.ask("/files", { headers: bearer(gone) })).status).toBe(401);
  });

  test("is the token's holder by a session, and nobody in particular when it has ended", async () => {
    using world = createWorld({ anonymous: ["upload"] });
    let { id } = world.tokens.create({ name: "ci", scopes: ["view"] });
    let headers = { Cookie: `theme=dark; s3u_session=${world.tokens.sessions.create(id)}` };
    expect(JSON.parse((await world.ask("/who", { headers })).text)).toMatchObject({
      kind: "session",
      scopes: ["view"],
    });
    world.tokens.revoke(id);
    expect(JSON.parse((await world.ask("/who", { headers })).text)).toMatchObject({ kind: "anonymous" });
  });

  test("is given the cookie again when the session's life began anew", async () => {
    using world = createWorld();
    let { id } = world.tokens.create({ name: "ci", scopes: ["view"] });
    let secret = world.tokens.sessions.create(id);
    let headers = { Cookie: `s3u_session=${secret}` };
    expect((await world.ask("/files", { headers })).headers.get("Set-Cookie")).toBeNull();
    world.time.nowMs += DAY_MS;
    let again = (await world.ask("/files", { headers })).headers.get("Set-Cookie");
    expect(again).toBe(`s3u_session=${secret}; Max-Age=2592000; Path=/-/s3-uploads; HttpOnly; SameSite=Lax`);
  });
});

describe("what is demanded", () => {
  const routes = [
    ["POST", "/upload", "upload"],
    ["GET", "/files", "view"],
    ["DELETE", "/files/1", "delete"],
    ["GET", "/admin", "admin"],
  ] as const;

  test.each(SCOPES.map((scope) => [scope]))("%s opens its own routes; admin opens all", async (scope) => {
    using world = createWorld();
    let { token } = world.tokens.create({ name: "Zoë's", scopes: [scope] });
    for (let [method, path, demanded] of routes) {
      let answer = await world.ask(path, { method, headers: bearer(token) });
      let may = scope === demanded || scope === "admin";
      expect([path, answer.status, answer.code]).toEqual([
        path,
        may ? 200 : 403,
        may ? undefined : "permission_denied",
      ]);
    }
  });

  test("is 401 for nobody in particular, with a sentence that helps, unless it is allowed", async () => {
    using world = createWorld({ anonymous: ["upload"] });
    expect((await world.ask("/upload", { method: "POST" })).status).toBe(200);
    for (let [method, path] of routes.slice(1)) {
      let answer = await world.ask(path, { method });
      expect([answer.status, answer.code]).toEqual([401, "authentication_required"]);
      expect(answer.text).toContain("/-/s3-uploads/sign-in");
      expect(answer.headers.get("WWW-Authenticate")).toBe('Bearer realm="s3-uploads"');
    }
  });

  test("is the token's scopes alone, not what nobody in particular may", async () => {
    using world = createWorld({ anonymous: ["upload", "view", "delete"] });
    let { token } = world.tokens.create({ name: "a", scopes: ["upload"] });
    let answer = await world.ask("/files/1", { method: "DELETE", headers: bearer(token) });
    expect(answer.code).toBe("permission_denied");
    expect(answer.text).toContain("The token “a” may not delete files.");
  });

  test("can be read off a route, for a census", () => {
    using world = createWorld();
    let demanded = world.app.routes.flatMap(({ path, handler }) => {
      let scope = demandOf(handler);
      return scope === null ? [] : [[path, scope] as const];
    });
    expect(new Map(demanded)).toEqual(new Map(routes.map(([, path, scope]) => [path, scope])));
    expect(demandOf(createAccess)).toBeNull();
  });
});
