import { createHash } from "node:crypto";

/** An answer of S3 other than success. */
export class S3Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string = code,
  ) {
    super(message);
  }
}

export interface FakeObject {
  bytes: Uint8Array;
  contentType: string;
  metadata: Record<string, string>;
  etag: string;
  lastModifiedMs: number;
}

export interface FakeUpload extends Pick<FakeObject, "contentType" | "metadata"> {
  uploadId: string;
  key: string;
  initiatedAtMs: number;
  /** True when Create named CRC32: each part must carry it, and Complete must repeat it. */
  wantsCrc32: boolean;
  parts: Map<number, { bytes: Uint8Array; etag: string; crc32: string | null }>;
}

export interface CompletedPart {
  number: number;
  etag: string;
  crc32: string | null;
}

/** A bucket in memory, stricter than real ones: parts of one size but the last, and Complete works once. */
export interface FakeBucket {
  /** The most that one call copies. */
  maxCopyBytes: number;
  objects: Map<string, FakeObject>;
  /** By upload id. */
  unfinished: Map<string, FakeUpload>;
  put(key: string, object: Omit<FakeObject, "etag" | "lastModifiedMs">): string;
  create(upload: Pick<FakeUpload, "key" | "contentType" | "metadata" | "wantsCrc32">): string;
  uploadPart(key: string, uploadId: string, number: number, bytes: Uint8Array, crc32: string | null): string;
  complete(key: string, uploadId: string, parts: CompletedPart[]): string;
  /** Throws NoSuchUpload when there is none of that id and key. */
  uploadOf(key: string, uploadId: string): FakeUpload;
}

const mostParts = 10_000;

export function createFakeBucket(minPartBytes: number, maxCopyBytes: number): FakeBucket {
  let objects = new Map<string, FakeObject>();
  let unfinished = new Map<string, FakeUpload>();

  function uploadOf(key: string, uploadId: string): FakeUpload {
    let upload = unfinished.get(uploadId);
    if (upload?.key !== key) throw new S3Refusal(404, "NoSuchUpload");
    return upload;
  }

  function put(
    key: string,
    object: Omit<FakeObject, "etag" | "lastModifiedMs">,
    etag = etagOf(object.bytes),
  ): string {
    objects.set(key, { ...object, etag, lastModifiedMs: Date.now() });
    return etag;
  }

  return {
    maxCopyBytes,
    objects,
    unfinished,
    uploadOf,
    put,
    create(upload) {
      let uploadId = crypto.randomUUID();
      unfinished.set(uploadId, { ...upload, uploadId, initiatedAtMs: Date.now(), parts: new Map() });
      return uploadId;
    },
    uploadPart(key, uploadId, number, bytes, crc32) {
      let upload = uploadOf(key, uploadId);
      if (!(number >= 1 && number <= mostParts)) throw new S3Refusal(400, "InvalidArgument", "part number");
      if (upload.wantsCrc32 && !crc32) throw new S3Refusal(400, "InvalidRequest", "the part has no CRC32");
      let etag = etagOf(bytes);
      upload.parts.set(number, { bytes, etag, crc32 });
      return etag;
    },
    complete(key, uploadId, named) {
      let upload = uploadOf(key, uploadId);
      if (named.length === 0) throw new S3Refusal(400, "MalformedXML", "no parts");
      let chosen = named.map((one, i) => {
        if (i > 0 && one.number <= (named[i - 1]?.number ?? 0)) throw new S3Refusal(400, "InvalidPartOrder");
        let part = upload.parts.get(one.number);
        if (part?.etag !== one.etag) throw new S3Refusal(400, "InvalidPart");
        if (upload.wantsCrc32 && part.crc32 !== one.crc32)
          throw new S3Refusal(400, "InvalidPart", "CRC32 of a part");
        return part.bytes;
      });
      let size = chosen[0]?.byteLength ?? 0;
      for (let [i, bytes] of chosen.entries()) {
        let isLast = i === chosen.length - 1;
        if (!isLast && bytes.byteLength < minPartBytes) throw new S3Refusal(400, "EntityTooSmall");
        if (isLast ? bytes.byteLength > size : bytes.byteLength !== size) {
          throw new S3Refusal(400, "InvalidPart", "all parts but the last must have one size");
        }
      }
      unfinished.delete(uploadId);
      let { contentType, metadata } = upload;
      let etag = `"${createHash("md5").update(uploadId).digest("hex")}-${chosen.length}"`;
      return put(key, { bytes: Buffer.concat(chosen), contentType, metadata }, etag);
    },
  };
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}
