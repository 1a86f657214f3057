import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";

import { createTestApp } from "../support/app.ts";

setDefaultTimeout(60_000);

const mutations = 4_000;

let world = createTestApp({ anonymousScopes: [] });
afterAll(() => world.close());

let { id, token } = world.tokens.create({ name: "real", scopes: ["upload", "view", "delete", "admin"] });
let session = world.tokens.sessions.create(id);

/** The same numbers for the same seed (mulberry32). */
function createRandom(seed: number) {
  let state = seed;
  let next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    below: (limit: number) => Math.floor(next() * limit),
    of: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T,
  };
}

const alphabet = [..."abzAZ019-_=+/.%&;,'\"\\ \t@:*?|<>(){}[]#~`$^!", "\u00e9", "\u00ff", "\u0080", "\u00a0"];
const words = [
  "",
  "null",
  "undefined",
  "true",
  "admin",
  "0",
  "-1",
  "NaN",
  "' OR 1=1 --",
  '" OR ""="',
  "%00",
  "%0d%0a",
  "../",
  "${7*7}",
  '{"id":1}',
  "[object Object]",
  "__proto__",
  "s3u_",
  "s3u_" + "A".repeat(43),
  "A".repeat(43),
  "A".repeat(4000),
  "=".repeat(500),
  "Bearer",
  "Basic",
  "Bearer Bearer",
  "Basic Og==",
  "Basic ====",
  "Digest a=b",
  "s3u_session",
  "s3u_session=",
  ";",
  ",",
];

/** Something that begins as the real thing and is not it any more. */
function mutate(real: string, random: ReturnType<typeof createRandom>): string {
  let text = real;
  for (let times = 1 + random.below(3); times > 0; times--) {
    let at = random.below(text.length + 1);
    let other = [
      () => text.slice(0, at) + random.of(alphabet) + text.slice(at + 1),
      () => text.slice(0, at) + random.of(alphabet) + text.slice(at),
      () => text.slice(0, at) + text.slice(at + 1 + random.below(5)),
      () => text.slice(0, at) + random.of(words) + text.slice(at),
      () => text.slice(at) + text.slice(0, at),
      () => text.toUpperCase(),
      () => text.toLowerCase(),
      () => text + text,
      () => [...text].toReversed().join(""),
      () => encodeURIComponent(text) + "%",
      () => btoa(encodeURIComponent(text)),
      () => random.of(words),
    ];
    text = random.of(other)();
  }
  return text;
}

function isSent(value: string): boolean {
  try {
    return new Headers({ a: value }).get("a") !== null;
  } catch {
    return false;
  }
}

/** Asks with these headers for what only the known may see; whoever is known counts. */
async function statusesOf(header: string, values: string[]): Promise<{ letIn: string[]; seen: Set<number> }> {
  let seen = new Set<number>();
  let letIn: string[] = [];
  for (let value of values) {
    if (!isSent(value)) continue;
    let { status } = await world.ask("/files.json", { headers: { [header]: value } });
    seen.add(status);
    if (status < 400) letIn.push(value);
  }
  return { letIn, seen };
}

function makeMany(seed: number, make: (random: ReturnType<typeof createRandom>) => string): string[] {
  let random = createRandom(seed);
  return Array.from({ length: mutations }, () => make(random));
}

describe("what is not a secret of ours lets nobody in, and is no fault of ours:", () => {
  test("the real ones do, or the rest would prove nothing", async () => {
    for (let headers of [
      { Authorization: `Bearer ${token}` },
      { Authorization: `Basic ${btoa(`anybody:${token}`)}` },
      { Cookie: `s3u_session=${session}` },
    ]) {
      expect((await world.ask("/files.json", { headers })).status).toBe(200);
    }
  });

  test("mutated tokens", async () => {
    let tokens = makeMany(1, (random) => mutate(token, random)).filter((one) => one.trim() !== token);
    let { letIn, seen } = await statusesOf(
      "Authorization",
      tokens.map((one) => `Bearer ${one}`),
    );
    expect([letIn, [...seen]]).toEqual([[], [401]]);
    for (let one of tokens) expect(world.tokens.verify(one)).toBeNull();
  });

  test("mutated passwords of Basic", async () => {
    let pairs = makeMany(2, (random) => mutate(`anybody:${token}`, random));
    let others = pairs.filter((pair) => pair.slice(pair.indexOf(":") + 1) !== token);
    let values = others.map((pair) => `Basic ${Buffer.from(pair).toString("base64")}`);
    let { letIn, seen } = await statusesOf("Authorization", values);
    // Too many wrong passwords are not even looked at.
    expect([letIn, [...seen].toSorted()]).toEqual([[], [401, 429]]);
  });

  test("mutated Authorization headers", async () => {
    let headers = makeMany(3, (random) => mutate(`Bearer ${token}`, random));
    // What means the same is the same: another case of the scheme, more blanks.
    let others = headers.filter((one) => !/^\s*bearer\s+(\S+)\s*$/i.exec(one)?.includes(token));
    let { letIn, seen } = await statusesOf("Authorization", others);
    expect([letIn, [...seen].toSorted()]).toEqual([[], [401]]);
  });

  test("mutated sessions", async () => {
    let secrets = makeMany(4, (random) => mutate(session, random)).filter((one) => one !== session);
    for (let one of secrets) expect(world.tokens.sessions.verify(one)).toBeNull();
    // A cookie ends at a semicolon, and blanks and quotes around it are none of it.
    let others = secrets.filter((one) => one.split(";")[0]?.replace(/^[\s"]+|[\s"]+$/g, "") !== session);
    let { letIn, seen } = await statusesOf(
      "Cookie",
      others.map((one) => `s3u_session=${one}`),
    );
    expect([letIn, [...seen]]).toEqual([[], [401]]);
  });

  test("mutated Cookie headers", async () => {
    let cookies = makeMany(5, (random) => mutate(`a=b; s3u_session=${session}; c=d`, random));
    let others = cookies.filter((one) => !one.includes(session));
    let { letIn, seen } = await statusesOf("Cookie", others);
    expect([letIn, [...seen]]).toEqual([[], [401]]);
  });

  test("digests, ids and names of the real ones", async () => {
    let digests = [token, session].flatMap((secret) => {
      let sum = new Bun.CryptoHasher("sha256").update(secret);
      return (["hex", "base64", "base64url"] as const).map((form) => sum.copy().digest(form));
    });
    let guesses = [...digests, String(id), "real", `token ${id} real`];
    let { letIn, seen } = await statusesOf(
      "Authorization",
      guesses.map((one) => `Bearer ${one}`),
    );
    let cookies = await statusesOf(
      "Cookie",
      guesses.map((one) => `s3u_session=${one}`),
    );
    expect([...letIn, ...cookies.letIn, ...seen, ...cookies.seen]).toEqual([401, 401]);
  });

  test("a token as a session, and a session as a token", async () => {
    let asSession = await statusesOf("Cookie", [`s3u_session=${token}`]);
    let asToken = await statusesOf("Authorization", [`Bearer ${session}`]);
    expect([...asSession.seen, ...asToken.seen]).toEqual([401, 401]);
  });

  test("mutated tokens at the sign-in page, as link and as form", async () => {
    let headers = { "Content-Type": "application/x-www-form-urlencoded" };
    let random = createRandom(6);
    for (let nth = 0; nth < 300; nth++) {
      let guess = mutate(token, random);
      if (guess.trim() === token) continue;
      // Each from a network of its own, so that none is only told to slow down.
      let env = { requestIP: () => ({ address: `2001:db8:${nth.toString(16)}::1` }) };
      let query = new URLSearchParams({ token: guess });
      let link = await world.ask(`/sign-in?${query}`, { env });
      let form = await world.ask("/sign-in", { method: "POST", headers, body: String(query), env });
      expect([guess, link.status, form.status]).toEqual([guess, 401, 401]);
      expect(link.headers.get("Set-Cookie")).toBeNull();
    }
  });
});

test("bytes that are no text, on a real connection, are refused and let nobody in", async () => {
  let server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => world.app.fetch(request, {}),
  });
  let random = createRandom(7);
  try {
    let statuses = await Promise.all(
      Array.from({ length: 400 }, () => {
        let bytes = Buffer.from(Array.from({ length: 1 + random.below(80) }, () => random.below(256)));
        let header = random.of([
          "Authorization: Bearer ",
          "Authorization: ",
          "Cookie: s3u_session=",
          "Cookie: ",
        ]);
        return rawStatus(server.port ?? 0, header, bytes);
      }),
    );
    for (let status of statuses) expect(["400", "401", "431", "none"]).toContain(status);
    expect(statuses).toContain("401");
  } finally {
    await server.stop(true);
  }
});

/** The status, or `none` when the connection was closed without one. */
function rawStatus(port: number, header: string, bytes: Buffer): Promise<string> {
  let { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  let head = `GET /-/s3-uploads/files.json HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${header}`;
  void Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) => void socket.write(Buffer.concat([Buffer.from(head), bytes, Buffer.from("\r\n\r\n")])),
      data(socket, part) {
        text += part.toString("latin1");
        let status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1];
        if (status) resolve(status);
        if (status) socket.end();
      },
      close: () => resolve("none"),
      error: () => resolve("none"),
    },
  });
  return promise;
}
