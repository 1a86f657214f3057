import { COLUMN_DESCRIPTIONS } from "../../datasette/columns.ts";
import { FILE_KINDS, type JsonObject } from "../../domain.ts";
import { ERROR_CODES, type ErrorDetails } from "../../errors.ts";
import type { FileJson } from "../file-json.ts";

const text: JsonObject = { type: "string" };
const count: JsonObject = { type: "integer", minimum: 0 };
const id: JsonObject = { type: "integer", minimum: 1 };
const uid: JsonObject = { type: "string", format: "uuid" };
const texts: JsonObject = { type: "array", items: text };
const address: JsonObject = { type: "string", format: "uri-reference" };
const orNull = (schema: JsonObject): JsonObject => ({ ...schema, type: [schema["type"] ?? null, "null"] });
const success: JsonObject = { const: true };

/** A schema of `components`, by its name. */
export function ref(name: keyof typeof SCHEMAS): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

function object(properties: Record<string, JsonObject>, optional: readonly string[] = []): JsonObject {
  let required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", required, properties };
}

const fileProperties = {
  id,
  uid,
  filename: text,
  storage: { enum: ["s3", "local"] },
  bucket: text,
  s3_key: text,
  content_type: text,
  kind: { enum: [...FILE_KINDS] },
  size_bytes: count,
  checksum_sha256: { type: "string", pattern: "^[0-9a-f]{64}$" },
  width: orNull(count),
  height: orNull(count),
  taken_at: orNull(text),
  latitude: { type: ["number", "null"], minimum: -90, maximum: 90 },
  longitude: { type: ["number", "null"], minimum: -180, maximum: 180 },
  metadata: { type: "object" },
  created_at: { type: "string", format: "date-time" },
  created_date: { type: "string", format: "date" },
  url: address,
} satisfies Record<keyof FileJson, JsonObject>;

const descriptions: Record<keyof FileJson, string> = {
  ...COLUMN_DESCRIPTIONS,
  metadata: COLUMN_DESCRIPTIONS.metadata_json.replace(", as JSON", ""),
  url: "Where its bytes can be downloaded",
};

const errorDetails = {
  filename: text,
  parameter: text,
  limit_bytes: count,
  actual_bytes: count,
  found_type: text,
  declared_type: text,
  extension: text,
  allowed: texts,
  blocked: texts,
  retry_after_seconds: count,
  duplicate_of: id,
} satisfies Record<keyof ErrorDetails, JsonObject>;

const file = { $ref: "#/components/schemas/File" };
const error = { $ref: "#/components/schemas/Error" };
const failed: JsonObject = { type: "array", items: object({ id: text, error }) };
const taken = { success, file_id: id, url: address, file, duplicate_of: id };

function described(properties: typeof fileProperties): Record<string, JsonObject> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      { ...schema, description: descriptions[name as keyof FileJson] },
    ]),
  );
}

/** `components/schemas`: the shapes of what is answered, each once. */
export const SCHEMAS = {
  IdOrUid: { description: "Number of a file, or its uid.", anyOf: [id, uid] },
  File: object(described(fileProperties)),
  OneFile: object({ success, file }),
  FileList: object({
    success,
    rows: { type: "array", items: file },
    next: { ...orNull(text), description: "For `_next`; null at the end." },
    next_url: orNull(address),
    previous: { ...orNull(text), description: "For `_prev`; null at the start." },
    previous_url: orNull(address),
  }),
  FileOfUpload: {
    oneOf: [object(taken, ["duplicate_of"]), object({ success: { const: false }, filename: text, error })],
  },
  Upload: {
    description: "The first file that was taken, and all of them in `files`.",
    ...object({ ...taken, files: { type: "array", items: { $ref: "#/components/schemas/FileOfUpload" } } }, [
      "duplicate_of",
    ]),
  },
  Deleted: object({ success, deleted: { type: "array", items: id }, failed }, ["failed"]),
  Restored: object({ success, restored: { type: "array", items: id }, failed }, ["failed"]),
  Unfinished: object({ success, offset: count, length: orNull(count), file_id: id, url: address }, [
    "file_id",
    "url",
  ]),
  AuditLog: object({
    success,
    entries: {
      type: "array",
      items: object({
        id,
        at: { type: "string", format: "date-time" },
        event: text,
        actor: orNull(text),
        address: orNull(text),
        request_id: orNull(text),
        detail: { type: "object" },
      }),
    },
    next: orNull(text),
    next_url: orNull(address),
  }),
  Status: object({ success, status: text }),
  Error: object(
    {
      code: { enum: Object.keys(ERROR_CODES), description: "What to go by." },
      message: { ...text, description: "One sentence, for people." },
      ...errorDetails,
    },
    Object.keys(errorDetails),
  ),
  Failure: {
    description:
      "The one shape of every failure. Nothing of the request is kept, so that it can be sent again.",
    ...object({
      success: { const: false },
      error,
      request_id: { ...text, description: "Also in the log, and in X-Request-Id." },
    }),
  },
} satisfies Record<string, JsonObject>;
