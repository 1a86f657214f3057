import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Hono } from "hono";

import { type AccessEnv, createAccess } from "../../src/auth/access.ts";
import { createAttempts } from "../../src/auth/attempts.ts";
import { createDatasetteCookie } from "../../src/auth/datasette.ts";
import { createTrustedProxies } from "../../src/auth/forwarding.ts";
import { createHostCheck } from "../../src/auth/hosts.ts";
import type { NamedScopes } from "../../src/auth/named.ts";
import { createPasswords } from "../../src/auth/passwords.ts";
import { createPeople } from "../../src/auth/people.ts";
import { createSessionCookie } from "../../src/auth/session-cookie.ts";
import { createSignIn } from "../../src/auth/sign-in.tsx";
import { toAppError } from "../../src/errors.ts";
import { closeDatabase } from "../../src/sqlite.ts";
import { openStateDatabase } from "../../src/state/database.ts";
import { createInvitations } from "../../src/state/invitations.ts";
import { sessionLifeMs } from "../../src/state/sessions.ts";
import { createTokens, type Scope } from "../../src/state/tokens.ts";
import { createUsers } from "../../src/state/users.ts";

export const base = "/-/s3-uploads";

const passwords = createPasswords({ memoryCost: 64, timeCost: 1 });

interface WorldOptions {
  anonymous?: Scope[];
  publicUrl?: string;
  trustedProxies?: string[];
  datasetteSecret?: string;
  datasetteActors?: NamedScopes;
  /** What people of a proxy may do, whose header is X-Forwarded-User. */
  proxyUsers?: NamedScopes;
}

/** A small app behind the real guard, with real tokens in a database of its own; dispose of it. */
export function createWorld(options: WorldOptions = {}) {
  let { anonymous = [], publicUrl, trustedProxies = [], proxyUsers } = options;
  let { datasetteSecret, datasetteActors = { root: ["admin"] } } = options;
  let folder = mkdtempSync(join(tmpdir(), "auth-"));
  let db = openStateDatabase(join(folder, "internal", "state.db"));
  let time = { nowMs: Date.UTC(2026, 10, 23) };
  let clock = { nowMs: () => time.nowMs };
  let tokens = createTokens(db, clock);
  let site = { basePath: base, publicUrl: publicUrl ?? null };
  let cookie = createSessionCookie({ ...site, lifeSeconds: sessionLifeMs / 1000 });
  let users = createUsers(db, clock);
  let invitations = createInvitations(db, clock);
  let attempts = createAttempts(clock);
  let people = createPeople({ users, passwords, attempts, clock });
  let { guard, identify, requires } = createAccess({
    ...site,
    tokens,
    cookie,
    checkHost: createHostCheck({ host: "127.0.0.1", publicUrl: site.publicUrl, hostname: "nas" }),
    trustedProxies: createTrustedProxies(trustedProxies),
    anonymousScopes: anonymous,
    people,
    invitations,
    datasette:
      datasetteSecret === undefined
        ? null
        : { read: createDatasetteCookie(datasetteSecret, clock), actors: datasetteActors },
    proxy: proxyUsers === undefined ? null : { header: "X-Forwarded-User", users: proxyUsers },
  });

  let app = new Hono<AccessEnv>().use(guard, identify);
  app.onError((error) => {
    let { code, message, facts } = toAppError(error);
    return Response.json({ success: false, error: { code, message } }, { status: facts.status });
  });
  app.get("/who", (context) => context.json(context.var.identity));
  app.get("/from", (context) => context.json(context.var.client));
  app.get("/files", requires("view"), (context) => context.text("files"));
  app.post("/upload", requires("upload"), (context) => context.text("uploaded"));
  app.delete("/files/1", requires("delete"), (context) => context.text("deleted"));
  app.get("/admin", requires("admin"), (context) => context.text("admin"));
  app.route(base, createSignIn({ tokens, cookie, clock, basePath: base, people, users, attempts }));

  return {
    app,
    tokens,
    users,
    invitations,
    time,
    /** Adds somebody who signs in by name. */
    addUser: async (name: string, password: string, ...scopes: Scope[]) =>
      users.add({ name, scopes, passwordHash: await passwords.hash(password) }),
    /** Sends one request, by default to a host that is believed. */
    async ask(path: string, init: RequestInit & { headers?: Record<string, string>; peer?: string } = {}) {
      let { peer, ...rest } = init;
      let env = peer === undefined ? {} : { requestIP: () => ({ address: peer }) };
      let response = await app.request(`http://127.0.0.1:8080${path}`, rest, env);
      let text = await response.text();
      return { status: response.status, headers: response.headers, text, code: codeIn(text) };
    },
    [Symbol.dispose]() {
      closeDatabase(db);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function codeIn(text: string): string | undefined {
  if (!text.startsWith("{")) return undefined;
  let body: { error?: { code?: string } } = JSON.parse(text);
  return body.error?.code;
}
