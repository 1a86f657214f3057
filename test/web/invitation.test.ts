import { afterEach, beforeEach, describe, expect, test } from "bun:test";

import type { NewInvitation } from "../../src/state/invitations.ts";
import { DAY_MS } from "../../src/units.ts";
import { createTestApp, type TestApp, testBase } from "../support/app.ts";

let app: TestApp;
let nowMs = Date.UTC(2026, 10, 23);
beforeEach(() => {
  nowMs = Date.UTC(2026, 10, 23);
  app = createTestApp({ anonymousScopes: [], clock: { nowMs: () => nowMs } });
});
afterEach(() => app.close());

const page = { Accept: "text/html" };

function invite(given: Partial<NewInvitation> = {}): string {
  let facts = {
    note: "",
    createdBy: "user:ann",
    expiresAtMs: nowMs + DAY_MS,
    maxBytes: null,
    maxFiles: null,
  };
  return app.invitations.create({ ...facts, ...given }).secret;
}

function open(secret: string, headers: Record<string, string> = {}) {
  return app.ask(`/invitation?key=${secret}`, { headers: { ...page, ...headers } });
}

describe("opening an invitation", () => {
  test("leads to the upload page, with the secret in the cookie and in no address", async () => {
    let secret = invite();
    let answer = await open(secret, { "Sec-Fetch-Site": "cross-site" });
    expect([answer.status, answer.headers.get("Location")]).toEqual([303, testBase]);
    expect(answer.headers.get("Set-Cookie")).toBe(
      `s3u_session=${secret}; Max-Age=3600; Path=${testBase}; HttpOnly; SameSite=Lax`,
    );
    expect(answer.headers.get("Referrer-Policy")).toBe("no-referrer");
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
  });

  test.each(["", "s3i_", `s3i_${"A".repeat(43)}`, `s3u_${"A".repeat(43)}`])(
    "that there is not (%p) is 404, and throttled",
    async (secret) => {
      let answer = await open(secret);
      expect([answer.status, answer.headers.get("Set-Cookie")]).toEqual([404, null]);
      expect(await answer.text()).toContain("This invitation is not known here");
      for (let i = 0; i < 9; i++) await open(secret);
      expect((await open(secret)).status).toBe(429);
    },
  );

  test("asks first who has signed in already, and does not sign them out by a link", async () => {
    let { id } = app.tokens.create({ name: "a", scopes: ["view"] });
    let session = app.tokens.sessions.create(id);
    let headers = { Cookie: `s3u_session=${session}` };
    let secret = invite();
    let answer = await open(secret, headers);
    expect([answer.status, answer.headers.get("Set-Cookie")]).toEqual([200, null]);
    expect(await answer.text()).toContain("You are signed in already");
    let post = (more: Record<string, string> = {}) =>
      app.ask("/invitation", {
        method: "POST",
        headers: { ...page, ...headers, "Content-Type": "application/x-www-form-urlencoded", ...more },
        body: `key=${secret}`,
      });
    expect((await post({ Origin: "https://evil.example" })).status).toBe(403);
    let agreed = await post();
    expect([agreed.status, agreed.headers.get("Set-Cookie")?.includes(secret)]).toEqual([303, true]);
    expect(app.tokens.sessions.verify(session)).toBeNull();
  });

  test("asks first whom a Datasette knows, too: the invitation would count before it", async () => {
    app.close();
    app = createTestApp({
      anonymousScopes: [],
      clock: { nowMs: () => nowMs },
      datasette: { read: (name) => ({ id: name, name }), actors: { root: ["admin"] } },
    });
    let answer = await open(invite(), { Cookie: "ds_actor=root" });
    expect([answer.status, answer.headers.get("Set-Cookie")]).toEqual([200, null]);
    expect(await answer.text()).toContain("You are signed in already");
  });
});

describe("somebody who is invited", () => {
  test("sees what may be sent, until when, and nothing else", async () => {
    await app.addFile("secret", { filename: "hidden.txt" });
    let note = "Photos, <please>\nall of them";
    let headers = { ...page, Cookie: `s3u_session=${invite({ note, maxFiles: 3, maxBytes: 2048 })}` };
    let html = await (await app.ask("", { headers })).text();
    expect(html).toContain("You are invited to send files");
    expect(html).toContain("Photos, &lt;please&gt;\nall of them");
    expect(html).toContain("3 more files");
    expect(html).toContain("2 KB more in all");
    expect(html).toContain("24 Nov 2026, 00:00");
    expect(html).toContain('data-max-bytes="2048"');
    for (let not of ["hidden.txt", "/files", "/account", "/admin", "user:ann"])
      expect(html).not.toContain(not);
    for (let path of [
      "/files",
      "/files.json",
      "/files.csv",
      "/files/1",
      "/files/1.json",
      "/files/1/download",
    ]) {
      expect((await app.ask(path, { headers })).status).toBe(403);
    }
  });

  test("gets a receipt for the files that were sent, without a way to them", async () => {
    let cookie = { Cookie: `s3u_session=${invite()}` };
    let body = new FormData();
    body.append("file", new File(["hello"], "letter.txt"));
    let sent = await app.ask("/upload", { method: "POST", headers: { ...page, ...cookie }, body });
    expect(sent.status).toBe(303);
    let receipt = (sent.headers.get("Location") ?? "").slice(testBase.length);
    let html = await (await app.ask(receipt, { headers: { ...page, ...cookie } })).text();
    expect(html).toContain("letter.txt");
    expect(html).not.toContain("/files/1");
    expect((await app.ask(receipt, { headers: page })).status).toBe(401);
  });

  test("is told when everything has been sent", async () => {
    let headers = { ...page, Cookie: `s3u_session=${invite({ maxFiles: 1 })}` };
    let usage = app.accounts.allowances.of({ type: "invitation", id: 1 });
    let hold = usage.begin(1);
    await hold.charge("a", 1);
    hold.release();
    let html = await (await app.ask("", { headers })).text();
    expect(html).toContain("Everything that may be sent this way has been sent.");
    expect(html).not.toContain('<form id="upload"');
    expect(html).not.toContain('type="module"');
  });

  test("is told when the invitation has ended, and by whom to get another", async () => {
    let headers = { ...page, Cookie: `s3u_session=${invite()}` };
    nowMs += DAY_MS;
    let answer = await app.ask("", { headers });
    expect([answer.status, (await answer.text()).includes("Your invitation has ended.")]).toEqual([
      401,
      true,
    ]);
  });

  test("leaves by the button, and signs in instead", async () => {
    let headers = { ...page, Cookie: `s3u_session=${invite()}` };
    expect(await (await app.ask("", { headers })).text()).toContain("Leave");
    let left = await app.ask("/sign-out", { method: "POST", headers });
    expect(left.headers.get("Set-Cookie")).toContain("s3u_session=; Max-Age=0");
  });
});
