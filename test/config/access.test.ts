import { describe, expect, test } from "bun:test";

import { configOf, linesOf } from "./load-helpers.ts";

describe("who may do what, by name", () => {
  test.each([
    ["as text", { env: { S3_UPLOADS_DATASETTE_ACTORS: " root = admin, ann=view+Upload,*=none " } }],
    [
      "in a file",
      {
        configFile: "a.yaml",
        files: { "a.yaml": "datasette_actors: {root: admin, ann: [upload, view], '*': none}" },
      },
    ],
  ])("is understood %s", (_, sources) => {
    expect(configOf(sources).datasette_actors).toEqual({ root: ["admin"], ann: ["upload", "view"], "*": [] });
  });

  test("may have names with an equals sign", () => {
    let env = { S3_UPLOADS_DATASETTE_ACTORS: "uid=ann=view" };
    expect(configOf({ env }).datasette_actors).toEqual({ "uid=ann": ["view"] });
  });

  test.each(["ann", "ann=", "ann=all", "=view", "ann=view,ann=admin", "ann=view+none"])(
    "is refused as %p",
    (given) => {
      let lines = linesOf({ env: { S3_UPLOADS_DATASETTE_ACTORS: given } });
      expect(lines.join("\n")).toContain("must be names with what they may");
    },
  );

  test("is root alone for Datasette, and nobody for a proxy, when nothing is said", () => {
    let { datasette_actors, proxy_users } = configOf({});
    expect([datasette_actors, proxy_users]).toEqual([{ root: ["admin"] }, {}]);
  });
});

describe("a proxy's header", () => {
  let proxy = { S3_UPLOADS_TRUSTED_PROXIES: "10.0.0.1", S3_UPLOADS_PROXY_USERS: "*=view" };

  test("counts with the proxy's address and what its people may do", () => {
    let env = { ...proxy, S3_UPLOADS_PROXY_USER_HEADER: "X-Forwarded-User" };
    expect(configOf({ env }).proxy_user_header).toBe("X-Forwarded-User");
  });

  test.each([
    ["trusted_proxies", { ...proxy, S3_UPLOADS_TRUSTED_PROXIES: undefined }],
    ["proxy_users", { ...proxy, S3_UPLOADS_PROXY_USERS: undefined }],
  ])("is refused without %s", (missing, env) => {
    let lines = linesOf({ env: { ...env, S3_UPLOADS_PROXY_USER_HEADER: "Remote-User" } });
    expect(lines.join("\n")).toContain(missing);
  });

  test.each(["Authorization", "cookie", "X-Forwarded-For", "Host", "a b", "X_User", "Content-Type"])(
    "can't be %p",
    (name) => {
      let lines = linesOf({ env: { ...proxy, S3_UPLOADS_PROXY_USER_HEADER: name } });
      expect(lines.join("\n")).toContain("must be the name of a header");
    },
  );
});

describe("Datasette's secret", () => {
  test("is taken from Datasette's own variable, and never shown", () => {
    let env = { DATASETTE_SECRET: "a long secret of datasette" };
    let config = configOf({ env });
    expect(config.datasette_secret).toBe(env.DATASETTE_SECRET);
    expect(JSON.stringify(config)).not.toContain(env.DATASETTE_SECRET);
  });

  test("has to be long enough to keep others from signing", () => {
    expect(linesOf({ env: { S3_UPLOADS_DATASETTE_SECRET: "short" } }).join("\n")).toContain(
      "at least 16 characters",
    );
  });
});
