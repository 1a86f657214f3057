import type { JsonObject } from "../../domain.ts";
import { LIST_FIELDS, PAGE_FIELDS } from "../list-fields.ts";
import { maxIds } from "../parameters.ts";
import {
  bytesAnswer,
  header,
  headerParameter,
  idParameter,
  jsonAnswer,
  type Operation,
  type Operations,
  queryParameters,
} from "./operation.ts";
import { ref } from "./schemas.ts";

const listParameters = queryParameters(LIST_FIELDS);
const pageParameters = queryParameters(PAGE_FIELDS);
const notModified = { description: "The client has these bytes already." };
const etag = { ETag: header("Names the bytes, which never change.") };
const orPage = "A page for browsers, JSON with `Accept: application/json`.";

const idSchema: JsonObject = {
  type: "object",
  required: ["id"],
  properties: { id: { type: "array", minItems: 1, maxItems: maxIds, items: ref("IdOrUid") } },
};
const ids: JsonObject = {
  required: true,
  content: {
    "application/x-www-form-urlencoded": { schema: idSchema },
    "multipart/form-data": { schema: idSchema },
  },
};

function withPage(answer: JsonObject): JsonObject {
  return { ...answer, content: { ...(answer["content"] as JsonObject), "text/html": {} } };
}

function deletion(id: string, summary: string): Operation {
  return {
    id,
    summary,
    description: "Row and object, at once. An object that other rows share stays.",
    parameters: [idParameter],
    answers: { 200: jsonAnswer("It is gone.", "Deleted") },
    codes: ["bad_request", "not_found", "storage_error", "storage_unavailable", "disk_full"],
  };
}

const list: Operation = {
  id: "listFiles",
  summary: "A page of the list",
  description:
    "Go on with `next_url` until it is null. Files that come or go meanwhile neither repeat nor hide others.",
  parameters: [...listParameters, ...pageParameters],
  answers: { 200: jsonAnswer("The rows of the page.", "FileList") },
  codes: ["invalid_parameter"],
};

const one: Operation = {
  id: "getFile",
  summary: "What is known of a file",
  parameters: [idParameter],
  answers: { 200: jsonAnswer("Its row.", "OneFile") },
  codes: ["not_found"],
};

export const FILE_OPERATIONS: Operations = {
  "GET /files.json": list,
  "GET /files": {
    ...list,
    id: "listFilesOrPage",
    description: orPage,
    answers: {
      200: withPage(jsonAnswer("The rows of the page.", "FileList")),
      303: { description: "To the same page under a shorter address, for browsers." },
    },
  },
  "GET /files.csv": {
    id: "exportFiles",
    summary: "Every row of a list, as a table for spreadsheets",
    parameters: listParameters,
    answers: { 200: bytesAnswer("CSV with a line of column names.", "text/csv") },
    codes: ["invalid_parameter"],
  },
  "GET /files/{id}.json": one,
  "GET /files/{id}": {
    ...one,
    id: "getFileOrPage",
    description: orPage,
    answers: { 200: withPage(jsonAnswer("Its row.", "OneFile")) },
  },
  "GET /files/{id}/download": {
    id: "downloadFile",
    summary: "The bytes of a file",
    description: "Types that could run scripts come as attachments.",
    parameters: [
      idParameter,
      headerParameter("Range", "One range of bytes; several get the whole file."),
      headerParameter("If-Range", "ETag or date under which the range counts."),
      headerParameter("If-Match", "ETags of which the file must have one."),
      headerParameter("If-Unmodified-Since", "Date after which it must not have come."),
      headerParameter("If-None-Match", "ETags that the client has."),
      headerParameter("If-Modified-Since", "Date of what the client has."),
    ],
    answers: {
      200: bytesAnswer("The whole file.", "*/*", etag),
      206: bytesAnswer("The part that was asked for.", "*/*", {
        ...etag,
        "Content-Range": header("Which part it is."),
      }),
      302: {
        description: "To a presigned address of the bucket, good for some minutes.",
        headers: { Location: header("Where the bytes are.") },
      },
      304: notModified,
    },
    codes: ["not_found", "gone", "storage_error", "storage_unavailable", "server_busy"],
    failures: {
      412: "`invalid_parameter`: the file is not the one that If-Match or If-Unmodified-Since names.",
      416: "`invalid_parameter`: the file has no bytes in that range.",
    },
  },
  "GET /files/{id}/thumbnail": {
    id: "getThumbnail",
    summary: "A small picture of a picture",
    description:
      "404 for what can't be drawn. With the signature that Datasette's views have, it needs no credentials.",
    parameters: [
      idParameter,
      headerParameter("If-None-Match", "ETags that the client has."),
      { name: "signature", in: "query", description: "Goes with a uid.", schema: { type: "string" } },
    ],
    answers: { 200: bytesAnswer("The thumbnail.", "image/webp", etag), 304: notModified },
    codes: ["not_found", "gone", "storage_error", "storage_unavailable", "server_busy"],
  },
  "DELETE /files/{id}": deletion("deleteFile", "Delete a file"),
  "POST /files/{id}/delete": deletion("deleteFileByPost", "Delete a file, for clients that know no DELETE"),
  "POST /files/delete": {
    id: "deleteFiles",
    summary: "Delete several files",
    requestBody: ids,
    answers: {
      200: jsonAnswer("All are gone.", "Deleted"),
      207: jsonAnswer("Some are gone; `failed` names the others.", "Deleted"),
    },
    codes: [
      "bad_request",
      "invalid_parameter",
      "not_found",
      "storage_error",
      "storage_unavailable",
      "disk_full",
    ],
  },
  "POST /files/restore": {
    id: "restoreFiles",
    summary: "Undo a deletion from a page, within 30 seconds",
    requestBody: ids,
    answers: {
      200: jsonAnswer("All are back.", "Restored"),
      207: jsonAnswer("Some are back; `failed` names the others.", "Restored"),
    },
    codes: ["bad_request", "invalid_parameter", "not_found", "gone"],
  },
};
