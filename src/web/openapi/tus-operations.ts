import type { JsonObject } from "../../domain.ts";
import { checksumAlgorithms, pieceType, tusStatuses, tusVersion } from "../tus-headers.ts";
import { header, headerParameter, jsonAnswer, type Operation, type Operations } from "./operation.ts";
import { storingCodes } from "./upload-operations.ts";

const count: JsonObject = { type: "integer", minimum: 0 };
const version = {
  ...headerParameter("Tus-Resumable", "The version that is spoken.", { const: tusVersion }),
  required: true,
};
const uploadId: JsonObject = {
  name: "id",
  in: "path",
  required: true,
  description: "The end of the Location that the creation answered with.",
  schema: { type: "string", format: "uuid" },
};
const length = headerParameter("Upload-Length", "Bytes of the whole file.", count);
const offset = headerParameter("Upload-Offset", "Where the bytes of this request begin.", count);
const checksum = headerParameter(
  "Upload-Checksum",
  `One of ${checksumAlgorithms}, a space, and the digest of this request's bytes in base64.`,
);
const piece: JsonObject = { content: { [pieceType]: { schema: { type: "string", format: "binary" } } } };
const status = {
  "Upload-Offset": header("Bytes that are kept.", count),
  "Upload-Expires": header("When it is removed unless more comes."),
  "S3-Uploads-File-Id": header("Number of the file, once it is whole.", { type: "integer" }),
  "S3-Uploads-File-Url": header("Its download, once it is whole."),
};
const pieceCodes = [
  ...storingCodes,
  "unsupported_media_type",
  "not_found",
  "gone",
  "wrong_offset",
  "unsupported_version",
  "wrong_checksum",
] as const;

const whatIsSpoken: Omit<Operation, "id"> = {
  summary: "What of tus is spoken here",
  answers: {
    204: {
      description: "In the headers.",
      headers: {
        "Tus-Version": header("Versions."),
        "Tus-Extension": header("Extensions."),
        "Tus-Max-Size": header("Largest file in bytes.", count),
      },
    },
  },
};

/** tus 1.0.0; its own specification says the rest: https://tus.io/protocols/resumable-upload */
export const TUS_OPERATIONS: Operations = {
  "OPTIONS /tus": { id: "tusOptions", ...whatIsSpoken },
  "OPTIONS /tus/{id}": {
    id: "tusOptionsOfUpload",
    ...whatIsSpoken,
    parameters: [uploadId],
    codes: ["not_found"],
  },
  "POST /tus": {
    id: "tusCreate",
    summary: "Begin a file that comes in pieces",
    parameters: [
      version,
      length,
      headerParameter("Upload-Defer-Length", "1 when the length will be told later.", { const: "1" }),
      headerParameter("Upload-Metadata", "`filename` and `filetype`, each with its value in base64."),
      checksum,
    ],
    requestBody: piece,
    answers: {
      201: {
        ...jsonAnswer("Begun. JSON only when the request held the whole file and asked for it.", "Upload", {
          Location: header("Where the pieces go."),
          ...status,
        }),
      },
    },
    codes: pieceCodes,
    statuses: tusStatuses,
  },
  "GET /tus/{id}": {
    id: "tusStatus",
    summary: "Where an upload stands; clients of tus send HEAD",
    parameters: [uploadId, { ...version, required: false, description: "HEAD needs it." }],
    answers: { 200: jsonAnswer("Also in the headers.", "Unfinished", status) },
    codes: ["not_found", "gone", "unsupported_version", ...storingCodes],
    statuses: tusStatuses,
  },
  "PATCH /tus/{id}": {
    id: "tusAppend",
    summary: "Send the next piece",
    parameters: [uploadId, version, { ...offset, required: true }, length, checksum],
    requestBody: { required: true, ...piece },
    answers: {
      200: jsonAnswer("The file is whole, for who asks for JSON.", "Upload", status),
      204: { description: "The piece is kept.", headers: status },
    },
    codes: pieceCodes,
    statuses: tusStatuses,
  },
  "POST /tus/{id}": {
    id: "tusOverride",
    summary: "PATCH, DELETE or HEAD for clients that know only POST",
    parameters: [
      uploadId,
      version,
      {
        ...headerParameter("X-HTTP-Method-Override", "What is meant.", { enum: ["PATCH", "DELETE", "HEAD"] }),
        required: true,
      },
      offset,
      length,
      checksum,
    ],
    requestBody: piece,
    answers: {
      200: { description: "As of what is meant.", headers: status },
      204: { description: "As of what is meant.", headers: status },
    },
    codes: ["method_not_allowed", ...pieceCodes],
    statuses: tusStatuses,
  },
  "DELETE /tus/{id}": {
    id: "tusTerminate",
    summary: "Give an upload up",
    parameters: [uploadId, version],
    answers: { 204: { description: "It is gone." } },
    codes: ["not_found", "gone", "unsupported_version", "storage_error", "storage_unavailable"],
  },
};
