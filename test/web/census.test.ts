import { afterAll, expect, test } from "bun:test";

import { demandOf } from "../../src/auth/access.ts";
import { AUDIT_EVENTS, type AuditEvent } from "../../src/state/audit.ts";
import { createTestApp, type TestApp, testBase } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";

/** Every route, and what it demands; "open" is for those that tell nothing about files, "session" for one's own sign-in. */
const expected: Record<string, string> = {
  "GET /": "open",
  [`GET ${testBase}/healthz`]: "open",
  [`GET ${testBase}/readyz`]: "open",
  [`GET ${testBase}/static/:name{.+}`]: "open",
  [`GET ${testBase}/openapi.json`]: "open",
  [`GET ${testBase}/sign-in`]: "open",
  [`POST ${testBase}/sign-in`]: "open",
  [`POST ${testBase}/sign-out`]: "open",
  [`GET ${testBase}`]: "upload",
  [`GET ${testBase}/uploaded/:receipt`]: "upload",
  [`POST ${testBase}/upload`]: "upload",
  [`PUT ${testBase}/upload/:filename`]: "upload",
  [`OPTIONS ${testBase}/tus`]: "open",
  [`POST ${testBase}/tus`]: "upload",
  [`OPTIONS ${testBase}/tus/:id{[0-9A-Fa-f-]+}`]: "open",
  [`GET ${testBase}/tus/:id{[0-9A-Fa-f-]+}`]: "upload",
  [`PATCH ${testBase}/tus/:id{[0-9A-Fa-f-]+}`]: "upload",
  [`DELETE ${testBase}/tus/:id{[0-9A-Fa-f-]+}`]: "upload",
  [`POST ${testBase}/tus/:id{[0-9A-Fa-f-]+}`]: "upload",
  [`GET ${testBase}/files`]: "view",
  [`GET ${testBase}/files.json`]: "view",
  [`GET ${testBase}/files.csv`]: "view",
  [`GET ${testBase}/files/:id{[0-9A-Fa-f-]+}`]: "view",
  [`GET ${testBase}/files/:id{[0-9A-Fa-f-]+\\.json}`]: "view",
  [`GET ${testBase}/files/:id{[0-9A-Fa-f-]+}/download`]: "view",
  [`GET ${testBase}/files/:id{[0-9A-Fa-f-]+}/thumbnail`]: "view",
  [`DELETE ${testBase}/files/:id{[0-9A-Fa-f-]+}`]: "delete",
  [`POST ${testBase}/files/:id{[0-9A-Fa-f-]+}/delete`]: "delete",
  [`POST ${testBase}/files/delete`]: "delete",
  [`POST ${testBase}/files/restore`]: "delete",
  [`GET ${testBase}/invitation`]: "open",
  [`POST ${testBase}/invitation`]: "open",
  [`GET ${testBase}/account`]: "session",
  [`POST ${testBase}/account/password`]: "session",
  [`POST ${testBase}/account/sign-out-everywhere`]: "session",
  [`GET ${testBase}/admin`]: "admin",
  [`GET ${testBase}/admin/tokens`]: "admin",
  [`POST ${testBase}/admin/tokens`]: "admin",
  [`POST ${testBase}/admin/tokens/:id{[0-9]+}/revoke`]: "admin",
  [`GET ${testBase}/admin/users`]: "admin",
  [`POST ${testBase}/admin/users`]: "admin",
  [`POST ${testBase}/admin/users/:id{[0-9]+}/password`]: "admin",
  [`POST ${testBase}/admin/users/:id{[0-9]+}/scopes`]: "admin",
  [`POST ${testBase}/admin/users/:id{[0-9]+}/remove`]: "admin",
  [`GET ${testBase}/admin/invitations`]: "admin",
  [`POST ${testBase}/admin/invitations`]: "admin",
  [`POST ${testBase}/admin/invitations/:id{[0-9]+}/revoke`]: "admin",
  [`GET ${testBase}/metrics`]: "view",
  [`GET ${testBase}/audit`]: "admin",
  [`GET ${testBase}/audit.json`]: "admin",
};

/** What the audit log is told by every route that changes something; null for those that change no file and no right. */
const audited: Record<string, AuditEvent | null> = {
  [`POST ${testBase}/sign-in`]: "sign_in",
  [`POST ${testBase}/sign-out`]: "sign_out",
  [`POST ${testBase}/upload`]: "upload",
  [`PUT ${testBase}/upload/:filename`]: "upload",
  [`DELETE ${testBase}/files/:id{[0-9A-Fa-f-]+}`]: "delete",
  [`POST ${testBase}/files/:id{[0-9A-Fa-f-]+}/delete`]: "delete",
  [`POST ${testBase}/files/delete`]: "delete",
  [`POST ${testBase}/files/restore`]: "restore",
  // With the last byte of a file.
  [`POST ${testBase}/tus`]: "upload",
  [`PATCH ${testBase}/tus/:id{[0-9A-Fa-f-]+}`]: "upload",
  [`POST ${testBase}/tus/:id{[0-9A-Fa-f-]+}`]: "upload",
  [`DELETE ${testBase}/tus/:id{[0-9A-Fa-f-]+}`]: null,
  [`POST ${testBase}/invitation`]: null,
  [`POST ${testBase}/account/password`]: "password_changed",
  [`POST ${testBase}/account/sign-out-everywhere`]: "sign_out_everywhere",
  [`POST ${testBase}/admin/tokens`]: "token_created",
  [`POST ${testBase}/admin/tokens/:id{[0-9]+}/revoke`]: "token_revoked",
  [`POST ${testBase}/admin/users`]: "user_added",
  [`POST ${testBase}/admin/users/:id{[0-9]+}/password`]: "password_changed",
  [`POST ${testBase}/admin/users/:id{[0-9]+}/scopes`]: "user_changed",
  [`POST ${testBase}/admin/users/:id{[0-9]+}/remove`]: "user_removed",
  [`POST ${testBase}/admin/invitations`]: "invitation_created",
  [`POST ${testBase}/admin/invitations/:id{[0-9]+}/revoke`]: "invitation_revoked",
};

/** What lasts as long as its sender or reader likes, and so counts among the transfers of a client. */
const transfers = [
  `POST ${testBase}/upload`,
  `PUT ${testBase}/upload/:filename`,
  ...Object.keys(expected).filter((route) => route.includes("/tus")),
  `GET ${testBase}/files.csv`,
  `GET ${testBase}/files/:id{[0-9A-Fa-f-]+}/download`,
];

let nobody = createTestApp({ anonymousScopes: [] });
afterAll(() => nobody.close());

test("every route is listed here with what it demands, before anything else is done", () => {
  let found: Record<string, string> = {};
  for (let { method, path, handler } of nobody.app.routes) {
    if (method === "ALL") continue;
    // Decides nothing: it leads whoever may view away from what they may not do.
    if (handler.name === "viewersToFiles") continue;
    // The first handler of a route is the one that decides.
    found[`${method} ${path}`] ??= demandOf(handler) ?? "open";
  }
  expect(found).toEqual(expected);
});

test("every route that changes something says what the audit log is told", () => {
  let changing = Object.keys(expected).filter((route) => !/^(?:GET|OPTIONS) /.test(route));
  expect(Object.keys(audited).toSorted()).toEqual(changing.toSorted());
  for (let event of Object.values(audited)) if (event !== null) expect(AUDIT_EVENTS).toContain(event);
});

test("every route is held to its client's requests and transfers, but those for health and static files", async () => {
  let free = Object.keys(expected).filter((route) => /\/(?:healthz|readyz|static)\b|^GET \/$/.test(route));
  let limited = createTestApp({ limits: { requestsPerMinute: 1 } });
  let busy = createTestApp({ limits: { transfers: 1 } });
  try {
    // More than is sent whole.
    let reading = await busy.addFile("x".repeat(300_000));
    let held = await askFrom(busy, `GET ${testBase}/files/${reading.id}/download`);
    for (let [nth, route] of Object.keys(expected).entries()) {
      let address = `192.0.2.${nth + 1}`;
      await askFrom(limited, route, address);
      let again = await askFrom(limited, route, address);
      expect([route, again.status === 429]).toEqual([route, !free.includes(route)]);
      let beside = await askFrom(busy, route);
      expect([route, beside.status === 429]).toEqual([route, transfers.includes(route)]);
    }
    await held.body?.cancel();
  } finally {
    limited.close();
    busy.close();
  }
});

let guarded = Object.entries(expected).filter(([, demand]) => demand !== "open");

test.each(guarded)("%s refuses nobody in particular with 401", async (route) => {
  let { method, path } = requestFor(route);
  let response = await nobody.app.request(path, { method, headers: { Host: "127.0.0.1" } });
  await expectError(response, 401, "authentication_required");
  expect(response.headers.get("WWW-Authenticate")).toStartWith("Bearer");
});

test.each(guarded.filter(([route]) => route !== `GET ${testBase}`))(
  "%s refuses a token without the scope with 403",
  async (route, demand) => {
    let scopes = (["upload", "view", "delete"] as const).filter((scope) => scope !== demand);
    let { method, path } = requestFor(route);
    let { token } = nobody.tokens.create({ name: `${method} ${path}`.slice(0, 64), scopes });
    let headers = { Host: "127.0.0.1", Authorization: `Bearer ${token}` };
    await expectError(await nobody.app.request(path, { method, headers }), 403, "permission_denied");
  },
);

test("the start page leads whoever may only view to the files, and refuses whoever may only delete", async () => {
  let viewer = await startAs("view");
  expect([viewer.status, viewer.headers.get("Location")]).toEqual([302, `${testBase}/files`]);
  await expectError(await startAs("delete"), 403, "permission_denied");
});

test.each(guarded)("%s refuses a host that is not ours", async (route) => {
  let { method, path } = requestFor(route);
  let response = await nobody.app.request(path, { method, headers: { Host: "rebound.example" } });
  await expectError(response, 403, "untrusted_host");
});

test.each(guarded.filter(([route]) => !route.startsWith("GET")))(
  "%s refuses another web site",
  async (route) => {
    let { method, path } = requestFor(route);
    let headers = { Host: "127.0.0.1", "Sec-Fetch-Site": "cross-site" };
    await expectError(await nobody.app.request(path, { method, headers }), 403, "cross_site_request");
  },
);

async function startAs(scope: "view" | "delete"): Promise<Response> {
  let { token } = nobody.tokens.create({ name: `only ${scope}`, scopes: [scope] });
  return await nobody.ask("", { headers: { Authorization: `Bearer ${token}` } });
}

function askFrom(world: TestApp, route: string, address = "192.0.2.200") {
  let { method, path } = requestFor(route);
  let env = { requestIP: () => ({ address }) };
  return world.app.request(path, { method, headers: { Host: "127.0.0.1" } }, env);
}

function requestFor(route: string): { method: string; path: string } {
  let [method = "", pattern = ""] = route.split(" ");
  let path = pattern.replace(/:id\{.*?\\\.json\}/, "7.json").replace(/:id\{[^}]*\}/, "7");
  return { method, path: path.replace(":filename", "a.txt") };
}
