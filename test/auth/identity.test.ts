import { expect, test } from "bun:test";

import { type Actor, actorText, isAllowed } from "../../src/auth/identity.ts";

test.each<[Actor | null, string]>([
  [null, "anonymous"],
  [{ type: "user", id: "1", name: "ann" }, "user:ann"],
  [{ type: "token", id: "2", name: "backup at night" }, "token:backup at night"],
  [{ type: "proxy", id: "x", name: "a\nb\u202ec" }, "proxy:a_b_c"],
  [{ type: "datasette", id: "x", name: "x".repeat(5000) }, `datasette:${"x".repeat(100)}`],
])("an actor is one short line", (actor, text) => {
  expect(actorText({ actor })).toBe(text);
});

test("admin covers every scope, and no other scope covers one", () => {
  expect(isAllowed({ scopes: ["admin"] }, "delete")).toBe(true);
  expect(isAllowed({ scopes: ["upload"] }, "view")).toBe(false);
  expect(isAllowed({ scopes: ["upload"] }, "admin")).toBe(false);
});
