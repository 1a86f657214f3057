/**
 * An S3 server that keeps no bytes, so that what is measured against it is the sender alone. It checks no signature and
 * answers just enough for an upload. Prints its address.
 */
const namespace = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';
const etag = '"00000000000000000000000000000000"';

let sizes = new Map<string, number>();
let partSizes = new Map<string, Map<string, number>>();

let sink = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  maxRequestBodySize: Number.MAX_SAFE_INTEGER,
  idleTimeout: 0,
  async fetch(request) {
    let { pathname: key, searchParams: query } = new URL(request.url);
    let uploadId = query.get("uploadId");
    switch (request.method) {
      case "PUT": {
        let sizeBytes = await discard(request);
        if (uploadId === null) sizes.set(key, sizeBytes);
        else partSizes.get(uploadId)?.set(query.get("partNumber") ?? "", sizeBytes);
        return new Response(null, { headers: { ETag: etag } });
      }
      case "POST":
        if (uploadId === null) return create(key);
        await discard(request);
        return complete(key, uploadId);
      case "DELETE":
        if (uploadId === null) sizes.delete(key);
        else partSizes.delete(uploadId);
        return new Response(null, { status: 204 });
      case "HEAD":
        return head(key);
      default:
        return xml(`<ListBucketResult ${namespace}><KeyCount>0</KeyCount></ListBucketResult>`);
    }
  },
});
console.log(sink.url.origin);

async function discard(request: Request): Promise<number> {
  let sizeBytes = 0;
  if (request.body) for await (let chunk of request.body) sizeBytes += chunk.length;
  return sizeBytes;
}

function create(key: string): Response {
  let uploadId = crypto.randomUUID();
  partSizes.set(uploadId, new Map());
  let fields = `<Key>${key}</Key><UploadId>${uploadId}</UploadId>`;
  return xml(`<InitiateMultipartUploadResult ${namespace}>${fields}</InitiateMultipartUploadResult>`);
}

function complete(key: string, uploadId: string): Response {
  let parts = [...(partSizes.get(uploadId)?.values() ?? [])];
  partSizes.delete(uploadId);
  sizes.set(
    key,
    parts.reduce((sum, bytes) => sum + bytes, 0),
  );
  let result = `<Key>${key}</Key><ETag>${etag}</ETag>`;
  return xml(`<CompleteMultipartUploadResult ${namespace}>${result}</CompleteMultipartUploadResult>`);
}

function head(key: string): Response {
  let sizeBytes = sizes.get(key);
  if (sizeBytes === undefined) return new Response(null, { status: 404 });
  return new Response(null, { headers: { ETag: etag, "Content-Length": String(sizeBytes) } });
}

function xml(text: string): Response {
  return new Response(`<?xml version="1.0" encoding="UTF-8"?>${text}`, {
    headers: { "Content-Type": "application/xml" },
  });
}
