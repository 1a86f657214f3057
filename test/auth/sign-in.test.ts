import { describe, expect, test } from "bun:test";

import { DAY_MS } from "../../src/units.ts";
import { base, createWorld } from "./world.ts";

const signIn = `${base}/sign-in`;
const browser = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const unknownToken = `s3u_${"A".repeat(43)}`;

function form(fields: Record<string, string>, headers: Record<string, string> = {}) {
  return {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
    body: new URLSearchParams(fields).toString(),
  };
}

function hiddenField(html: string, name: string): string {
  return new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? "";
}

function secretOf(headers: Headers): string {
  return /^s3u_session=([\w-]{43});/.exec(headers.get("Set-Cookie") ?? "")?.[1] ?? "";
}

describe("the sign-in link", () => {
  test("gives a session that works, and leads to the first page", async () => {
    using world = createWorld();
    let { token } = world.tokens.create({ name: "a", scopes: ["view"] });
    let answer = await world.ask(`${signIn}?token=${token}`);
    expect(answer.status).toBe(303);
    expect(answer.headers.get("Location")).toBe(base);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    expect(answer.headers.get("Referrer-Policy")).toBe("no-referrer");
    let secret = secretOf(answer.headers);
    expect(answer.headers.get("Set-Cookie")).toBe(
      `s3u_session=${secret}; Max-Age=2592000; Path=/-/s3-uploads; HttpOnly; SameSite=Lax`,
    );
    expect((await world.ask("/files", { headers: { Cookie: `s3u_session=${secret}` } })).status).toBe(200);
  });

  test.each(["cross-site", "same-site"])("on a %s page asks before it signs anybody in", async (site) => {
    using world = createWorld();
    let { token } = world.tokens.create({ name: "a", scopes: ["view"], linkOnce: true });
    let headers = { ...browser, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate" };
    let asked = await world.ask(`${signIn}?token=${token}`, { headers });
    expect([asked.status, asked.headers.get("Set-Cookie")]).toEqual([200, null]);
    expect(asked.text).toContain("Go on when you trust who gave you the link.");
    expect(asked.headers.get("Referrer-Policy")).toBe("same-origin");
    let link = hiddenField(asked.text, "link");
    let answer = await world.ask(signIn, form({ link }, { ...browser, "Sec-Fetch-Site": "same-origin" }));
    expect(answer.status).toBe(303);
    expect(world.tokens.sessions.verify(secretOf(answer.headers))?.identity.name).toBe("a");
    expect((await world.ask(signIn, form({ link }))).status).toBe(401);
  });

  test("asks a browser that does not say what led to it, unless it is the one of the first start", async () => {
    using world = createWorld();
    let { token } = world.tokens.create({ name: "a", scopes: ["view"] });
    let asked = await world.ask(`${signIn}?token=${token}`, { headers: browser });
    expect([asked.status, asked.headers.get("Set-Cookie")]).toEqual([200, null]);
    let link = hiddenField(asked.text, "link");
    expect((await world.ask(signIn, form({ link }, browser))).status).toBe(303);
    let typed = { ...browser, "Sec-Fetch-Site": "none" };
    expect((await world.ask(`${signIn}?token=${token}`, { headers: typed })).status).toBe(303);
    let first = world.tokens.create({ name: "first link", scopes: ["admin"], linkOnce: true });
    expect((await world.ask(`${signIn}?token=${first.token}`, { headers: browser })).status).toBe(303);
  });

  test("asks before it ends somebody else's sign-in, and leads its own holder on", async () => {
    using world = createWorld();
    let { id } = await world.addUser("ann", "correct horse battery", "view");
    let { token } = world.tokens.create({ name: "a", scopes: ["view"], linkOnce: true });
    let secret = world.tokens.sessions.createForUser(id);
    let headers = { ...browser, Cookie: `s3u_session=${secret}`, "Sec-Fetch-Site": "none" };
    let asked = await world.ask(`${signIn}?token=${token}`, { headers });
    expect([asked.status, asked.headers.get("Set-Cookie")]).toEqual([200, null]);
    expect(asked.text).toContain("You are signed in as <strong>ann</strong>.");
    expect(world.tokens.sessions.verify(secret)).not.toBeNull();
    let answer = await world.ask(signIn, form({ link: hiddenField(asked.text, "link") }, headers));
    expect([answer.status, world.tokens.sessions.verify(secret)]).toEqual([303, null]);
    let own = { ...headers, Cookie: `s3u_session=${secretOf(answer.headers)}` };
    let again = await world.ask(`${signIn}?token=${token}`, { headers: own });
    expect([again.status, again.headers.get("Location")]).toEqual([303, base]);
    expect(again.headers.get("Set-Cookie")).toBeNull();
  });

  test("with a wrong token is 401, without an echo of it", async () => {
    using world = createWorld();
    for (let headers of [browser, { Accept: "*/*" }]) {
      let answer = await world.ask(`${signIn}?token=${unknownToken}`, { headers });
      expect(answer.status).toBe(401);
      expect(answer.text).not.toContain(unknownToken);
      expect(answer.text).toContain("That token is not known here");
      expect(answer.headers.get("Set-Cookie")).toBeNull();
      expect(answer.headers.get("Cache-Control")).toBe("no-store");
      let policy = headers === browser ? "same-origin" : "no-referrer";
      expect(answer.headers.get("Referrer-Policy")).toBe(policy);
    }
  });
});

describe("a link that works once", () => {
  test("signs in once; its token goes on as Bearer, and by being pasted", async () => {
    using world = createWorld();
    let { token } = world.tokens.create({ name: "first link", scopes: ["admin"], linkOnce: true });
    expect((await world.ask(`${signIn}?token=${token}`, { headers: browser })).status).toBe(303);
    let again = await world.ask(`${signIn}?token=${token}`, { headers: browser });
    expect([again.status, again.headers.get("Set-Cookie")]).toEqual([401, null]);
    expect(again.text).toContain("This link has been opened already");
    let headers = { Authorization: `Bearer ${token}` };
    expect((await world.ask("/admin", { headers })).status).toBe(200);
    expect((await world.ask(signIn, form({ token }))).status).toBe(303);
  });

  test("is not spent by a program that looks at it", async () => {
    using world = createWorld();
    let { token } = world.tokens.create({ name: "first link", scopes: ["admin"], linkOnce: true });
    let looked = await world.ask(`${signIn}?token=${token}`, { method: "HEAD" });
    expect([looked.status, looked.headers.get("Set-Cookie")]).toEqual([200, null]);
    expect((await world.ask(`${signIn}?token=${token}`)).status).toBe(303);
  });

  test("is spent by one of two who open it at once", async () => {
    using world = createWorld();
    let { token } = world.tokens.create({ name: "first link", scopes: ["admin"], linkOnce: true });
    let both = await Promise.all([1, 2].map(() => world.ask(`${signIn}?token=${token}`)));
    expect(both.map(({ status }) => status).toSorted()).toEqual([303, 401]);
  });
});

describe("name and password", () => {
  const password = "correct horse battery";

  test("sign in, in a session of their own", async () => {
    using world = createWorld();
    await world.addUser("ann", password, "view");
    let answer = await world.ask(signIn, form({ name: " Ann ", password }));
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, base]);
    let headers = { Cookie: `s3u_session=${secretOf(answer.headers)}` };
    expect(JSON.parse((await world.ask("/who", { headers })).text)).toMatchObject({
      kind: "session",
      actor: { type: "user", name: "ann" },
      scopes: ["view"],
    });
    expect(world.users.list()[0]?.signedInAtMs).toBe(world.time.nowMs);
  });

  test.each([
    ["letters of three bytes", "漢".repeat(1000)],
    ["characters of two units", "😀".repeat(500)],
    ["letters that are typed as two", "e\u0301".repeat(1000)],
  ])("of the longest kind (%s) sign in by form and by Basic", async (_what, long) => {
    using world = createWorld();
    await world.addUser("ann", long, "view");
    expect((await world.ask(signIn, form({ name: "ann", password: long }))).status).toBe(303);
    let pair = Buffer.from(`ann:${long.normalize("NFC")}`).toString("base64");
    expect((await world.ask("/files", { headers: { Authorization: `Basic ${pair}` } })).status).toBe(200);
  });

  test("give another secret at each sign-in, and end the one before", async () => {
    using world = createWorld();
    await world.addUser("ann", password, "view");
    let first = secretOf((await world.ask(signIn, form({ name: "ann", password }))).headers);
    let headers = { Cookie: `s3u_session=${first}` };
    let second = secretOf((await world.ask(signIn, form({ name: "ann", password }, headers))).headers);
    expect(second).not.toBe(first);
    expect(world.tokens.sessions.verify(first)).toBeNull();
  });

  test.each([
    ["another password", { name: "ann", password: "correct horse batterz" }],
    ["an unknown name", { name: "bob", password }],
    ["a name that nobody can have", { name: "a b:c", password }],
    ["no password", { name: "ann" }],
    ["a very long password", { name: "ann", password: "x".repeat(3000) }],
  ])("are refused in the same words for %s", async (_, fields) => {
    using world = createWorld();
    await world.addUser("ann", password, "view");
    let answer = await world.ask(signIn, form(fields, browser));
    expect([answer.status, answer.headers.get("Set-Cookie")]).toEqual([401, null]);
    expect(answer.text).toContain('role="alert">Name and password do not fit.');
    expect(answer.text).not.toContain("correct horse");
  });

  test("are asked for where there are users, and the token stays a way in", async () => {
    using world = createWorld();
    expect((await world.ask(signIn, { headers: browser })).text).not.toContain('name="name"');
    await world.addUser("ann", password, "view");
    let page = (await world.ask(signIn, { headers: browser })).text;
    expect(page).toContain('autocomplete="username"');
    expect(page).toContain('name="token"');
  });

  test("are throttled by sender and, from many senders, by name", async () => {
    using world = createWorld();
    await world.addUser("ann", password, "view");
    let tryFrom = async (peer: string, given: string) =>
      (await world.ask(signIn, { ...form({ name: "ann", password: given }), peer })).status;
    expect(await tryFrom("203.0.113.7", password)).toBe(303);
    let wrong = await Promise.all(
      Array.from({ length: 40 }, (_, nth) => tryFrom(`10.0.0.${nth % 20}`, `wrong password ${nth}`)),
    );
    expect(wrong.filter((status) => status === 401)).toHaveLength(30);
    expect(await tryFrom("10.0.1.1", password)).toBe(429);
    // Who signed in from there before is not locked out by others.
    expect(await tryFrom("203.0.113.7", password)).toBe(303);
  });
});

describe("the cookie is Secure", () => {
  test("when public_url is https", async () => {
    using world = createWorld({ publicUrl: "https://files.example.org" });
    let { token } = world.tokens.create({ name: "a", scopes: ["view"] });
    expect((await world.ask(`${signIn}?token=${token}`)).headers.get("Set-Cookie")).toContain("; Secure");
  });

  test("when a trusted proxy was reached by https, and nobody else says so", async () => {
    using world = createWorld({ trustedProxies: ["10.0.0.1"] });
    let { token } = world.tokens.create({ name: "a", scopes: ["view"] });
    let headers = { "X-Forwarded-Proto": "https" };
    let cookieVia = async (peer: string) =>
      (await world.ask(`${signIn}?token=${token}`, { headers, peer })).headers.get("Set-Cookie");
    expect(await cookieVia("10.0.0.1")).toContain("; Secure");
    expect(await cookieVia("203.0.113.9")).not.toContain("Secure");
  });
});

describe("the sign-in form", () => {
  test("is a page that may send its own Origin and nobody its address", async () => {
    using world = createWorld();
    let answer = await world.ask(signIn, { headers: browser });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain("<h1>Sign in</h1>");
    expect(answer.text).toContain(`<form method="post" action="${signIn}">`);
    expect(answer.headers.get("Content-Type")).toContain("text/html");
    expect(answer.headers.get("Referrer-Policy")).toBe("same-origin");
  });

  test("signs in with a pasted token, blanks around it or not", async () => {
    using world = createWorld();
    let { token } = world.tokens.create({ name: "a", scopes: ["view"] });
    let answer = await world.ask(signIn, form({ token: ` ${token}\n` }));
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, base]);
    expect(world.tokens.sessions.verify(secretOf(answer.headers))?.identity.name).toBe("a");
  });

  test("replaces the session that was there", async () => {
    using world = createWorld();
    let { id, token } = world.tokens.create({ name: "a", scopes: ["view"] });
    let before = world.tokens.sessions.create(id);
    let answer = await world.ask(signIn, form({ token }, { Cookie: `s3u_session=${before}` }));
    expect(world.tokens.sessions.verify(before)).toBeNull();
    expect(world.tokens.sessions.verify(secretOf(answer.headers))).not.toBeNull();
  });

  test("shows itself again to a browser whose token is wrong", async () => {
    using world = createWorld();
    let answer = await world.ask(signIn, form({ token: unknownToken }, browser));
    expect(answer.status).toBe(401);
    expect(answer.text).toContain('role="alert">That token is not known here');
    expect(answer.text).toContain("<form");
  });

  test("sent from another site is refused", async () => {
    using world = createWorld();
    let { token } = world.tokens.create({ name: "a", scopes: ["view"] });
    let answer = await world.ask(signIn, form({ token }, { Origin: "http://evil.example" }));
    expect([answer.code, answer.headers.get("Set-Cookie")]).toEqual(["cross_site_request", null]);
  });

  test("of another kind, or too large, or empty is refused", async () => {
    using world = createWorld();
    let json = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
    expect((await world.ask(signIn, json)).code).toBe("bad_request");
    expect((await world.ask(signIn, form({ token: "x".repeat(17_000) }))).code).toBe("bad_request");
    expect((await world.ask(signIn, form({}))).code).toBe("authentication_required");
  });

  test("stops listening to a sender after ten failures, for a while and to nobody else's harm", async () => {
    using world = createWorld();
    let { token } = world.tokens.create({ name: "a", scopes: ["view"] });
    let tryWith = async (text: string, peer: string) =>
      (await world.ask(signIn, { ...form({ token: text }), peer })).status;
    for (let i = 0; i < 10; i++) expect(await tryWith("wrong", "203.0.113.9")).toBe(401);
    expect(await tryWith("wrong", "203.0.113.9")).toBe(429);
    expect(await tryWith(token, "203.0.113.9")).toBe(429);
    expect((await world.ask(`${signIn}?token=${token}`, { peer: "203.0.113.9" })).code).toBe(
      "too_many_requests",
    );
    expect(await tryWith(token, "203.0.113.10")).toBe(303);
    world.time.nowMs += 30_000;
    expect(await tryWith(token, "203.0.113.9")).toBe(303);
  });
});

describe("signing out", () => {
  test("ends the session and takes the cookie away", async () => {
    using world = createWorld();
    let { id } = world.tokens.create({ name: "a", scopes: ["view"] });
    let secret = world.tokens.sessions.create(id);
    let headers = { Cookie: `s3u_session=${secret}` };
    let answer = await world.ask(`${base}/sign-out`, { method: "POST", headers });
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, signIn]);
    expect(answer.headers.get("Set-Cookie")).toBe("s3u_session=; Max-Age=0; Path=/-/s3-uploads");
    expect(world.tokens.sessions.verify(secret)).toBeNull();
  });

  test("or in anew wins over the renewal of a session that is a day old", async () => {
    using world = createWorld();
    let { id, token } = world.tokens.create({ name: "a", scopes: ["view"] });
    let secrets = [world.tokens.sessions.create(id), world.tokens.sessions.create(id)];
    world.time.nowMs += DAY_MS;
    let [outgoing, incoming] = secrets.map((secret) => ({ Cookie: `s3u_session=${secret}` }));
    let signedOut = await world.ask(`${base}/sign-out`, { method: "POST", headers: outgoing ?? {} });
    expect(signedOut.headers.getSetCookie()).toEqual(["s3u_session=; Max-Age=0; Path=/-/s3-uploads"]);
    let signedIn = await world.ask(signIn, form({ token }, incoming));
    expect(signedIn.headers.getSetCookie()).toHaveLength(1);
    expect(world.tokens.sessions.verify(secretOf(signedIn.headers))).not.toBeNull();
  });

  test("is not done by another site, nor by a link", async () => {
    using world = createWorld();
    let { id } = world.tokens.create({ name: "a", scopes: ["view"] });
    let secret = world.tokens.sessions.create(id);
    let headers = { Cookie: `s3u_session=${secret}`, "Sec-Fetch-Site": "cross-site" };
    expect((await world.ask(`${base}/sign-out`, { method: "POST", headers })).code).toBe(
      "cross_site_request",
    );
    expect((await world.ask(`${base}/sign-out`, { headers })).status).toBe(404);
    expect(world.tokens.sessions.verify(secret)).not.toBeNull();
  });
});
