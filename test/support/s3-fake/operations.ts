import { compareByteOrder } from "../../../src/store/byte-order.ts";
import { S3Refusal } from "./bucket.ts";
import type { FakeBucket, FakeObject } from "./bucket.ts";
import type { Operation } from "./faults.ts";
import { textIn, xmlDocument } from "./xml.ts";

export interface Call {
  operation: Operation;
  key: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: Uint8Array;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
}

const pageSize = 1000;
const metadataPrefix = "x-amz-meta-";

/** Which operation a request is; null for what the fake does not know. */
export function operationOf(
  method: string,
  key: string,
  query: URLSearchParams,
  isCopy = false,
): Operation | null {
  if (key === "") {
    if (method !== "GET") return null;
    return query.has("uploads")
      ? "ListMultipartUploads"
      : query.get("list-type") === "2"
        ? "ListObjectsV2"
        : null;
  }
  let hasUpload = query.has("uploadId");
  switch (method) {
    case "PUT":
      if (isCopy) return hasUpload ? "UploadPartCopy" : "CopyObject";
      return hasUpload ? "UploadPart" : "PutObject";
    case "GET":
      return hasUpload ? "ListParts" : "GetObject";
    case "HEAD":
      return "HeadObject";
    case "DELETE":
      return hasUpload ? "AbortMultipartUpload" : "DeleteObject";
    case "POST":
      return hasUpload ? "CompleteMultipartUpload" : query.has("uploads") ? "CreateMultipartUpload" : null;
    default:
      return null;
  }
}

export function perform(bucket: FakeBucket, call: Call): Answer {
  let { key, query, headers } = call;
  let uploadId = query.get("uploadId") ?? "";
  switch (call.operation) {
    case "PutObject":
      return {
        status: 200,
        headers: { etag: bucket.put(key, { ...describedBy(headers), bytes: call.body }) },
      };
    case "CopyObject": {
      let { contentType, metadata, bytes } = sourceOf(bucket, call);
      if (bytes.byteLength > bucket.maxCopyBytes) throw new S3Refusal(400, "InvalidRequest", "too large");
      let etag = bucket.put(key, { contentType, metadata, bytes });
      return xml("CopyObjectResult", { ETag: etag, LastModified: new Date().toISOString() });
    }
    case "UploadPartCopy": {
      let { bytes } = sourceOf(bucket, call);
      let range = /^bytes=(\d+)-(\d+)$/.exec(headers["x-amz-copy-source-range"] ?? "");
      let [first, last] = range ? [Number(range[1]), Number(range[2])] : [0, bytes.byteLength - 1];
      if (first > last || last >= bytes.byteLength) throw new S3Refusal(400, "InvalidArgument", "range");
      if (last - first >= bucket.maxCopyBytes) throw new S3Refusal(400, "InvalidRequest", "too large");
      let part = bytes.slice(first, last + 1);
      let etag = bucket.uploadPart(key, uploadId, Number(query.get("partNumber")), part, null);
      return xml("CopyPartResult", { ETag: etag });
    }
    case "CreateMultipartUpload": {
      let wantsCrc32 = headers["x-amz-checksum-algorithm"] === "CRC32";
      let id = bucket.create({ ...describedBy(headers), key, wantsCrc32 });
      return xml("InitiateMultipartUploadResult", { Bucket: "bucket", Key: key, UploadId: id });
    }
    case "UploadPart": {
      let crc32 = headers["x-amz-checksum-crc32"] ?? null;
      let etag = bucket.uploadPart(key, uploadId, Number(query.get("partNumber")), call.body, crc32);
      return { status: 200, headers: { etag, ...(crc32 ? { "x-amz-checksum-crc32": crc32 } : {}) } };
    }
    case "CompleteMultipartUpload": {
      let named = new TextDecoder().decode(call.body).match(/<Part>.*?<\/Part>/gs) ?? [];
      let parts = named.map((part) => ({
        number: Number(textIn(part, "PartNumber")),
        etag: textIn(part, "ETag") ?? "",
        crc32: textIn(part, "ChecksumCRC32"),
      }));
      let etag = bucket.complete(key, uploadId, parts);
      return xml("CompleteMultipartUploadResult", { Bucket: "bucket", Key: key, ETag: etag });
    }
    case "AbortMultipartUpload":
      bucket.uploadOf(key, uploadId);
      bucket.unfinished.delete(uploadId);
      return { status: 204 };
    case "DeleteObject":
      bucket.objects.delete(key);
      return { status: 204 };
    case "HeadObject":
    case "GetObject":
      return read(bucket, call);
    case "ListObjectsV2":
      return listObjects(bucket, query);
    case "ListMultipartUploads":
      return listUploads(bucket, query);
    case "ListParts": {
      let parts = [...bucket.uploadOf(key, uploadId).parts].toSorted(([a], [b]) => a - b);
      let Part = parts.map(([PartNumber, part]) => ({
        PartNumber,
        ETag: part.etag,
        Size: part.bytes.byteLength,
      }));
      return xml("ListPartsResult", { Key: key, UploadId: uploadId, IsTruncated: false, Part });
    }
  }
}

/** The object that a copy names; S3 refuses a copy onto itself that changes nothing. */
function sourceOf(bucket: FakeBucket, { key, headers }: Call): FakeObject {
  let [, ...rest] = decodeURIComponent(headers["x-amz-copy-source"] ?? "")
    .replace(/^\//, "")
    .split("/");
  let source = rest.join("/");
  if (source === key) throw new S3Refusal(400, "InvalidRequest", "copy onto itself");
  let found = bucket.objects.get(source);
  if (!found) throw new S3Refusal(404, "NoSuchKey");
  return found;
}

function describedBy(headers: Record<string, string>) {
  let metadata: Record<string, string> = {};
  for (let [name, value] of Object.entries(headers)) {
    if (name.startsWith(metadataPrefix)) metadata[name.slice(metadataPrefix.length)] = value;
  }
  return { contentType: headers["content-type"] ?? "binary/octet-stream", metadata };
}

function read(bucket: FakeBucket, { operation, key, query, headers: asked }: Call): Answer {
  let object = bucket.objects.get(key);
  if (!object) throw new S3Refusal(404, "NoSuchKey");
  let headers: Record<string, string> = {
    etag: object.etag,
    "last-modified": new Date(object.lastModifiedMs).toUTCString(),
    "content-type": query.get("response-content-type") ?? object.contentType,
  };
  let disposition = query.get("response-content-disposition");
  if (disposition) headers["content-disposition"] = disposition;
  for (let [name, value] of Object.entries(object.metadata)) headers[metadataPrefix + name] = value;
  let total = object.bytes.byteLength;
  let body = object.bytes;
  let range = /^bytes=(\d+)-(\d*)$/.exec(asked["range"] ?? "");
  if (range) {
    let first = Number(range[1]);
    let last = Math.min(range[2] ? Number(range[2]) : total - 1, total - 1);
    if (first > last) throw new S3Refusal(416, "InvalidRange");
    body = body.subarray(first, last + 1);
    headers["content-range"] = `bytes ${first}-${last}/${total}`;
  }
  headers["content-length"] = String(body.byteLength);
  return { status: range ? 206 : 200, headers, ...(operation === "GetObject" ? { body } : {}) };
}

function listObjects(bucket: FakeBucket, query: URLSearchParams): Answer {
  let after = query.get("continuation-token") ?? query.get("start-after") ?? "";
  let prefix = query.get("prefix") ?? "";
  let limit = Math.min(Number(query.get("max-keys") ?? pageSize), pageSize);
  let keys = [...bucket.objects.keys()]
    .filter((key) => key.startsWith(prefix) && compareByteOrder(key, after) > 0)
    .toSorted(compareByteOrder);
  let page = keys.slice(0, limit);
  let IsTruncated = keys.length > page.length;
  let encoded = query.get("encoding-type") === "url" ? encodeURIComponent : (key: string): string => key;
  return xml("ListBucketResult", {
    Prefix: prefix,
    KeyCount: page.length,
    MaxKeys: limit,
    IsTruncated,
    ...(IsTruncated ? { NextContinuationToken: page.at(-1) ?? "" } : {}),
    Contents: page.map((key) => ({
      Key: encoded(key),
      Size: bucket.objects.get(key)?.bytes.byteLength ?? 0,
      ETag: bucket.objects.get(key)?.etag ?? "",
      LastModified: new Date(bucket.objects.get(key)?.lastModifiedMs ?? 0).toISOString(),
    })),
  });
}

/** Orders uploads by key, then by id. */
function place(key: string, uploadId: string): string {
  return `${key}\0${uploadId}`;
}

function listUploads(bucket: FakeBucket, query: URLSearchParams): Answer {
  let after = query.has("key-marker")
    ? place(query.get("key-marker") ?? "", query.get("upload-id-marker") ?? "\uFFFF")
    : "";
  let limit = Math.min(Number(query.get("max-uploads") ?? pageSize), pageSize);
  let uploads = [...bucket.unfinished.values()]
    .filter((upload) => upload.key.startsWith(query.get("prefix") ?? ""))
    .map((upload) => ({ ...upload, place: place(upload.key, upload.uploadId) }))
    .filter((upload) => upload.place > after)
    .toSorted((a, b) => (a.place < b.place ? -1 : 1));
  let page = uploads.slice(0, limit);
  let IsTruncated = uploads.length > page.length;
  let last = page.at(-1);
  return xml("ListMultipartUploadsResult", {
    IsTruncated,
    ...(IsTruncated && last ? { NextKeyMarker: last.key, NextUploadIdMarker: last.uploadId } : {}),
    Upload: page.map(({ key, uploadId, initiatedAtMs }) => ({
      Key: key,
      UploadId: uploadId,
      Initiated: new Date(initiatedAtMs).toISOString(),
    })),
  });
}

function xml(root: string, content: Parameters<typeof xmlDocument>[1]): Answer {
  return { status: 200, headers: { "content-type": "application/xml" }, body: xmlDocument(root, content) };
}
