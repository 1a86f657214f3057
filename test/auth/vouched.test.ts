import { describe, expect, test } from "bun:test";

import { createDatasetteCookie } from "../../src/auth/datasette.ts";
import { createWorld } from "./world.ts";

/** Signed by itsdangerous 2.2 with this secret, as Datasette does it. */
const secret = "a secret of sixteen characters or more";
const cookies = {
  root: "eyJhIjp7ImlkIjoicm9vdCJ9fQ.gG8P8r_qWNYB6G1qf-0wm82LYN8",
  zoë: "eyJhIjp7ImlkIjoiem_DqyIsIm5hbWUiOiJab8OrIn19.SWuiREJcTvsCqwoqckgxr34k998",
  /** Long enough to be deflated. */
  ann: ".eJyrVkpUsqpWykxRslJKzMtT0lEqSU3MLVayilZKVAAxgSKjjFEGCiO2thYAiR-kjA.Lhg-lrFQcDnhMANJ6cSd-xyRWYA",
  /** Until 1,800,000,000 seconds since 1970. */
  annUntil: "eyJhIjp7ImlkIjoiYW5uIn0sImUiOiJCeG9jT0UifQ.wZRAg8ISSfE1BoIGe12c6mMIaxA",
  seven: "eyJhIjp7ImlkIjo3fX0.EBdMT1y0zLfX5_zugsJ_EeUR3rk",
};
const worthless = {
  "an actor without an id": "eyJhIjp7Im5hbWUiOiJ4In19.6mzm5gYm8FJX2Cy10NOCgajKv7c",
  "no actor": "eyJiIjoxfQ.p3wV2IhkHcv_PauZwyWVRNf9nmY",
  "a list": "WzFd.i56sXcLrPnGOTVAUeR-6wGzaVnw",
  "an end that is no number": "eyJhIjp7ImlkIjoiYW5uIn0sImUiOiItISJ9.LMY4lgtUE_gUdlifqoqLhIoeJ0U",
  "another namespace": "eyJhIjp7ImlkIjoicm9vdCJ9fQ.Xhvn6eBFwWHvtbYA4ZXyLphgBEo",
  "another secret": "eyJhIjp7ImlkIjoicm9vdCJ9fQ.jCUy3RunzqinUCh56gAfrtK4ZD4",
  "another payload": "eyJhIjp7ImlkIjoiYW5uIn19.gG8P8r_qWNYB6G1qf-0wm82LYN8",
  "no signature": "eyJhIjp7ImlkIjoicm9vdCJ9fQ.",
  "nothing but a signature": ".gG8P8r_qWNYB6G1qf-0wm82LYN8",
  "no dot": "eyJhIjp7ImlkIjoicm9vdCJ9fQ",
  nothing: "",
};

function cookieOf(value: string) {
  return { headers: { Cookie: `ds_actor=${value}` } };
}

/** A request of a peer that names a user. */
function from(peer: string, user: string, more: Record<string, string> = {}) {
  return { peer, headers: { "X-Forwarded-User": user, ...more } };
}

describe("Datasette's cookie", () => {
  let read = createDatasetteCookie(secret, { nowMs: () => 1_799_999_999_000 });

  test("tells its actor, plain, in other letters, deflated, as a number, and with an end", () => {
    expect(read(cookies.root)).toEqual({ id: "root", name: "root" });
    expect(read(cookies.zoë)?.id).toBe("zoë");
    expect(read(cookies.ann)?.id).toBe("ann");
    expect(read(cookies.seven)?.id).toBe("7");
    expect(read(cookies.annUntil)?.id).toBe("ann");
    let later = createDatasetteCookie(secret, { nowMs: () => 1_800_000_001_000 });
    expect(later(cookies.annUntil)).toBeNull();
    expect(later(cookies.root)?.id).toBe("root");
  });

  test.each(Object.entries(worthless))("with %s tells nobody", (_, cookie) => {
    expect(read(cookie)).toBeNull();
  });

  test("with any character changed tells nobody", () => {
    for (let at = 0; at < cookies.root.length; at++) {
      let other = cookies.root[at] === "A" ? "B" : "A";
      let changed = cookies.root.slice(0, at) + other + cookies.root.slice(at + 1);
      let actor = read(changed);
      // The last character of a signature holds two bits that mean nothing.
      if (at < cookies.root.length - 1) expect(actor).toBeNull();
    }
  });
});

describe("somebody from Datasette", () => {
  let asked = { datasetteSecret: secret, datasetteActors: { root: ["admin"], "*": ["view"] } as const };

  test("may what the map says, by id, and the others what the star says", async () => {
    using world = createWorld(asked);
    expect((await world.ask("/admin", cookieOf(cookies.root))).status).toBe(200);
    expect(JSON.parse((await world.ask("/who", cookieOf(cookies.ann))).text)).toMatchObject({
      kind: "datasette",
      actor: { type: "datasette", id: "ann" },
      scopes: ["view"],
    });
    expect((await world.ask("/admin", cookieOf(cookies.ann))).code).toBe("permission_denied");
  });

  test("who is not in the map has what nobody in particular has, and a name in the refusal", async () => {
    using world = createWorld({ datasetteSecret: secret, anonymous: ["upload"] });
    let ann = cookieOf(cookies.ann);
    expect((await world.ask("/upload", { method: "POST", ...ann })).status).toBe(200);
    let refused = await world.ask("/files", ann);
    expect([refused.code, refused.text.includes("“ann” may not see files.")]).toEqual([
      "permission_denied",
      true,
    ]);
  });

  test("is nobody in particular by a bad cookie, and where no secret is shared", async () => {
    using world = createWorld(asked);
    expect((await world.ask("/files", cookieOf(worthless["another secret"]))).status).toBe(401);
    using closed = createWorld();
    expect((await closed.ask("/files", cookieOf(cookies.root))).status).toBe(401);
  });

  test("is known by a session of ours, or a token, before the cookie", async () => {
    using world = createWorld(asked);
    let { id, token } = world.tokens.create({ name: "a", scopes: ["upload"] });
    let session = world.tokens.sessions.create(id);
    let both = { Cookie: `ds_actor=${cookies.root}; s3u_session=${session}` };
    expect(JSON.parse((await world.ask("/who", { headers: both })).text).kind).toBe("session");
    let bearer = { Cookie: `ds_actor=${cookies.root}`, Authorization: `Bearer ${token}` };
    expect(JSON.parse((await world.ask("/who", { headers: bearer })).text).kind).toBe("token");
  });

  test("is not driven by another site", async () => {
    using world = createWorld(asked);
    let headers = { Cookie: `ds_actor=${cookies.root}`, "Sec-Fetch-Site": "same-site" };
    expect((await world.ask("/upload", { method: "POST", headers })).code).toBe("cross_site_request");
  });
});

describe("a trusted proxy's header", () => {
  let asked = {
    trustedProxies: ["10.0.0.1"],
    proxyUsers: { ann: ["admin"], "*": ["view"] },
  } as const;
  let world = () => createWorld({ ...asked, trustedProxies: [...asked.trustedProxies] });

  test("tells who asks, and the map what they may do", async () => {
    using given = world();
    expect(JSON.parse((await given.ask("/who", from("10.0.0.1", " ann "))).text)).toMatchObject({
      kind: "proxy",
      actor: { type: "proxy", id: "ann", name: "ann" },
      scopes: ["admin"],
    });
    expect((await given.ask("/files", from("10.0.0.1", "bob"))).status).toBe(200);
    expect((await given.ask("/admin", from("10.0.0.1", "bob"))).code).toBe("permission_denied");
    expect((await given.ask("/admin", from("::ffff:10.0.0.1", "ann"))).status).toBe(200);
  });

  test.each([
    ["a stranger", "203.0.113.9", {}],
    ["a neighbour of the proxy", "10.0.0.2", {}],
    ["a stranger who names the proxy as its own", "203.0.113.9", { "X-Forwarded-For": "10.0.0.1" }],
  ])("from %s is refused", async (_, peer, more) => {
    using given = world();
    let answer = await given.ask("/files", from(peer, "ann", more));
    expect([answer.status, answer.code]).toEqual([403, "permission_denied"]);
    expect(answer.text).toContain("trusted_proxies");
  });

  test("from one without an address is refused", async () => {
    using given = world();
    expect((await given.ask("/files", { headers: { "X-Forwarded-User": "ann" } })).status).toBe(403);
  });

  test("that was sent twice is refused: the first may be the sender's own", async () => {
    using given = world();
    expect((await given.ask("/admin", from("10.0.0.1", "ann, bob"))).code).toBe("bad_request");
  });

  test("that is missing or empty leaves the sender nobody in particular", async () => {
    using given = world();
    expect((await given.ask("/files", { peer: "10.0.0.1" })).status).toBe(401);
    expect((await given.ask("/files", from("10.0.0.1", ""))).status).toBe(401);
  });

  test("counts before a session that was left in the browser, and after a token", async () => {
    using given = world();
    let { id, token } = given.tokens.create({ name: "a", scopes: ["upload"] });
    let session = given.tokens.sessions.create(id);
    let who = async (more: Record<string, string>) =>
      JSON.parse((await given.ask("/who", from("10.0.0.1", "ann", more))).text).kind;
    expect(await who({ Cookie: `s3u_session=${session}` })).toBe("proxy");
    expect(await who({ Authorization: `Bearer ${token}` })).toBe("token");
  });

  test("of another name, or where none is configured, means nothing", async () => {
    using given = world();
    let headers = { "X-Remote-User": "ann", X_Forwarded_User: "ann" };
    expect((await given.ask("/files", { peer: "10.0.0.1", headers })).status).toBe(401);
    using closed = createWorld({ trustedProxies: ["10.0.0.1"] });
    expect((await closed.ask("/files", from("10.0.0.1", "ann"))).status).toBe(401);
  });
});
