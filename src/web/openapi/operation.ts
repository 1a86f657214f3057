import { z } from "zod";

import type { JsonObject } from "../../domain.ts";
import { ERROR_CODES, type ErrorCode } from "../../errors.ts";
import { ref, type SCHEMAS } from "./schemas.ts";

/** What a program can do, as the tables of this folder tell it; the rest is derived. */
export interface Operation {
  id: string;
  summary: string;
  description?: string;
  parameters?: JsonObject[];
  requestBody?: JsonObject;
  /** What it answers when it works, by status. */
  answers: Record<string, JsonObject>;
  /** How it can fail, besides what can happen to every request. */
  codes?: readonly ErrorCode[];
  /** Codes that have another status here than in the table of codes. */
  statuses?: Partial<Record<ErrorCode, number>>;
  /** Failures whose status is not in the table of codes. */
  failures?: Record<string, string>;
}

/** By method and path: `GET /files/{id}`. */
export type Operations = Record<string, Operation>;

export function jsonAnswer(
  description: string,
  schema: keyof typeof SCHEMAS,
  headers?: JsonObject,
): JsonObject {
  return {
    description,
    ...(headers && { headers }),
    content: { "application/json": { schema: ref(schema) } },
  };
}

export function bytesAnswer(description: string, type: string, headers?: JsonObject): JsonObject {
  return { description, ...(headers && { headers }), content: { [type]: {} } };
}

export function header(description: string, schema: JsonObject = { type: "string" }): JsonObject {
  return { description, schema };
}

export function headerParameter(
  name: string,
  description: string,
  schema: JsonObject = { type: "string" },
): JsonObject {
  return { name, in: "header", description, schema };
}

export const idParameter: JsonObject = { name: "id", in: "path", required: true, schema: ref("IdOrUid") };

/** Parameters of an address, out of what checks them. */
export function queryParameters(fields: Record<string, z.ZodType>): JsonObject[] {
  return Object.entries(fields).map(([name, field]) => {
    let { description = "", ...schema } = z.toJSONSchema(field, { io: "input" });
    delete schema.$schema;
    return { name, in: "query", description, schema: schema as JsonObject };
  });
}

/** The failures of an operation, out of the table of codes: one answer a status. */
export function failuresOf(
  codes: readonly ErrorCode[],
  statuses: Partial<Record<ErrorCode, number>> = {},
): Record<string, JsonObject> {
  let byStatus = Map.groupBy(new Set(codes), (code) => statuses[code] ?? ERROR_CODES[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, those]) => {
      let told = those.map((code) => `\`${code}\`: ${ERROR_CODES[code].sentence}`).join("\n");
      let waits = those.some((code) => "retryAfterSeconds" in ERROR_CODES[code]);
      let headers = { "Retry-After": header("Seconds until a retry makes sense.", { type: "integer" }) };
      return [status, jsonAnswer(told, "Failure", waits ? headers : undefined)];
    }),
  );
}
