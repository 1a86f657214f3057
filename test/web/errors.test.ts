import { expect, test } from "bun:test";

import { AppError, ERROR_CODES } from "../../src/errors.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { silentLog } from "../../src/log.ts";
import type { Log } from "../../src/log.ts";
import { createTestApp } from "../support/app.ts";
import { expectError } from "../support/expect-error.ts";

type Line = { level: string; facts: Record<string, unknown>; message: string };

function failingApp(error: unknown, lines: Line[] = []) {
  let log: Log = { ...silentLog, child: () => log };
  for (let level of ["info", "warn", "error"] as const) {
    log[level] = (facts, message) => lines.push({ level, facts: { ...facts }, message });
  }
  let deleteFile = async () => {
    throw error;
  };
  return createTestApp({ deleteFile, log });
}

test.each(Object.entries(ERROR_CODES))(
  "%s has the table's status, shape and Retry-After",
  async (code, facts) => {
    let name = code as ErrorCode;
    let server = facts.status >= 500;
    let details = { filename: "a.jpg", limit_bytes: 1, actual_bytes: 2 };
    let app = failingApp(
      new AppError(name, "It is 10.0.0.7 that failed.", { details, cause: new Error("cause") }),
    );
    let response = await app.ask("/files/7", { method: "DELETE" });
    let { error } = await expectError(response, facts.status, name);
    expect(error.message).toBe(server ? facts.sentence : "It is 10.0.0.7 that failed.");
    expect(error["filename"]).toBe("a.jpg");
    expect(error["limit_bytes"]).toEqual(server ? undefined : 1);
    let retry = "retryAfterSeconds" in facts ? String(facts.retryAfterSeconds) : null;
    expect(response.headers.get("Retry-After")).toBe(retry);
    expect(response.headers.get("Connection")).toBe(name === "upload_stalled" ? "close" : null);
    app.close();
  },
);

test("a 5xx is logged with its cause; what the client did wrong is not", async () => {
  let lines: Line[] = [];
  let cause = new TypeError("x is undefined at /srv/app");
  let app = failingApp(cause, lines);
  let body = await expectError(await app.ask("/files/7", { method: "DELETE" }), 500, "internal_error");
  expect(JSON.stringify(body)).not.toContain("/srv/app");
  let fault = lines.find(({ level }) => level === "error");
  expect(fault?.facts["err"]).toMatchObject({ code: "internal_error", cause });
  app.close();

  lines.length = 0;
  let refused = failingApp(new AppError("not_found"), lines);
  await refused.ask("/files/7", { method: "DELETE" });
  expect(lines.map(({ level, message }) => [level, message])).toEqual([["info", "request"]]);
  expect(lines[0]?.facts).toMatchObject({ method: "DELETE", path: "/-/s3-uploads/files/7", status: 404 });
  refused.close();
});

test("a fault that a later try may not meet is a warning", async () => {
  let lines: Line[] = [];
  let app = failingApp(new AppError("storage_unavailable"), lines);
  await app.ask("/files/7", { method: "DELETE" });
  expect(lines.map(({ level }) => level)).toEqual(["warn", "info"]);
  app.close();
});

test("the log never has the query", async () => {
  let lines: Line[] = [];
  let app = failingApp(new AppError("not_found"), lines);
  await app.ask("/files/7?token=secret", { method: "DELETE" });
  expect(JSON.stringify(lines)).not.toContain("secret");
  app.close();
});

test("a browser gets a page and htmx a piece for the notices", async () => {
  let hostile = `<img src=x onerror="alert(1)">`;
  let app = failingApp(new AppError("duplicate", `${hostile} is here.`, { details: { filename: hostile } }));
  let browser = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
  let page = await app.ask("/files/7", { method: "DELETE", headers: browser });
  expect(page.status).toBe(409);
  expect(page.headers.get("Content-Type")).toBe("text/html; charset=UTF-8");
  expect(page.headers.get("Vary")).toBe("Accept, HX-Request");
  let html = await page.text();
  expect(html).toStartWith("<!doctype html><html");
  expect(html).toContain(page.headers.get("X-Request-Id") ?? "no id");
  expect(html).not.toContain("<img src=x");
  expect(html).toContain("&lt;img src=x");

  let headers = { Accept: "text/html", "HX-Request": "true", "HX-Request-Type": "partial" };
  let piece = await app.ask("/files/7", { method: "DELETE", headers });
  expect(piece.status).toBe(409);
  expect(piece.headers.get("HX-Retarget")).toBe("#notices");
  let fragment = await piece.text();
  expect(fragment).toStartWith("<section");
  expect(fragment).not.toContain("<img src=x");
  app.close();
});
