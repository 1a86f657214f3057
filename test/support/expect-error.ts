import { expect } from "bun:test";

import type { ErrorCode } from "../../src/errors.ts";

/**
 * Asserts the whole shape of a failure, so that no route makes up one of its own.
 * @returns the body, for what is particular to one failure
 */
export async function expectError(response: Response, status: number, code: ErrorCode) {
  let text = await response.text();
  expect({ status: response.status, text }).toEqual({
    status,
    text: expect.stringContaining(`"code":"${code}"`),
  });
  expect(response.headers.get("Content-Type")).toBe("application/json");
  expect(text.endsWith("}\n")).toBe(true);
  let body = JSON.parse(text) as {
    success: boolean;
    error: { code: string; message: string; [detail: string]: unknown };
    request_id: string;
    [key: string]: unknown;
  };
  expect(body.success).toBe(false);
  expect(body.error.code).toBe(code);
  expect(body.error.message).toMatch(/^\S/);
  expect(body.request_id).toBe(response.headers.get("X-Request-Id") ?? "no header");
  expect(body.request_id).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  return body;
}
