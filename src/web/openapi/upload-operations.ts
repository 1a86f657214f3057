import type { JsonObject } from "../../domain.ts";
import type { ErrorCode } from "../../errors.ts";
import { idempotencyKeyPattern, maxIdempotencyKeyChars } from "../parameters.ts";
import { headerParameter, jsonAnswer, type Operations } from "./operation.ts";

const binary: JsonObject = { type: "string", format: "binary" };

/** What storing a file can fail by, whichever way it comes. */
export const storingCodes = [
  "bad_request",
  "invalid_filename",
  "upload_stalled",
  "duplicate",
  "file_too_large",
  "quota_exceeded",
  "type_not_allowed",
  "type_mismatch",
  "storage_error",
  "storage_unavailable",
  "server_busy",
  "storage_full",
  "disk_full",
] as const satisfies ErrorCode[];

const idempotencyKey = headerParameter(
  "Idempotency-Key",
  "A retry with the same key and the same files is answered with the first result, for a day.",
  { type: "string", maxLength: maxIdempotencyKeyChars, pattern: idempotencyKeyPattern.source },
);

export const UPLOAD_OPERATIONS: Operations = {
  "POST /upload": {
    id: "uploadFiles",
    summary: "Send files as a form",
    description:
      "Every part that has a file name is a file, whatever its field is called; other fields are dropped.",
    parameters: [idempotencyKey],
    requestBody: {
      required: true,
      content: {
        "multipart/form-data": {
          schema: {
            type: "object",
            required: ["file"],
            properties: { file: { type: "array", minItems: 1, items: binary } },
          },
        },
      },
    },
    answers: {
      201: jsonAnswer("Every file was taken.", "Upload"),
      207: jsonAnswer("Some files were taken: each of `files` has `success`.", "Upload"),
    },
    codes: ["malformed_multipart", "no_file", "invalid_parameter", ...storingCodes],
  },
  "PUT /upload/{filename}": {
    id: "uploadFile",
    summary: "Send one file as it is",
    description: "The body is the file, under any Content-Type, with or without a Content-Length.",
    parameters: [
      { name: "filename", in: "path", required: true, schema: { type: "string", minLength: 1 } },
      idempotencyKey,
    ],
    requestBody: { required: true, content: { "application/octet-stream": { schema: binary } } },
    answers: { 201: jsonAnswer("The file was taken.", "Upload") },
    codes: ["invalid_parameter", ...storingCodes],
  },
};
