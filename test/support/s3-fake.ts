import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";

import { createFakeBucket, S3Refusal } from "./s3-fake/bucket.ts";
import type { FakeBucket } from "./s3-fake/bucket.ts";
import { accessDenied, createFaultScript } from "./s3-fake/faults.ts";
import type { Fault, FaultScript, Operation } from "./s3-fake/faults.ts";
import { operationOf, perform } from "./s3-fake/operations.ts";
import type { Answer, Call } from "./s3-fake/operations.ts";
import { xmlDocument } from "./s3-fake/xml.ts";

export * from "./s3-fake/faults.ts";

/** One call as it came in; `fault` says what the script made of it, `status` what was answered if anything was. */
export interface LoggedCall {
  operation: Operation;
  key: string;
  uploadId: string | null;
  bodyBytes: number;
  fault: Fault["kind"] | null;
  status: number | null;
}

export interface S3Fake extends Pick<FakeBucket, "objects" | "unfinished"> {
  endpointUrl: string;
  region: string;
  bucket: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  script: FaultScript;
  /** Every call, in the order of arrival. */
  calls: LoggedCall[];
  /** Of objects and of parts that are not completed. */
  readonly bytesHeld: number;
  /** TCP connections that clients hold open. */
  readonly connections: number;
  stop(): Promise<void>;
}

const bucketName = "fake-bucket";

/**
 * A small strict S3 in this process, for faults that no real server produces on demand; it proves nothing about real ones,
 * and checks no signatures. Uses node:http because Bun.serve can't break a connection.
 * @param minPartBytes smallest part that Complete takes before the last; 5 MiB as on S3 unless told
 * @param maxCopyBytes the most that one call copies; 5 GiB as on S3 unless told
 */
export async function startS3Fake({
  minPartBytes = 5 * 1024 * 1024,
  maxCopyBytes = 5 * 1024 ** 3,
} = {}): Promise<S3Fake> {
  let bucket = createFakeBucket(minPartBytes, maxCopyBytes);
  let script = createFaultScript<Fault>(accessDenied);
  let calls: LoggedCall[] = [];
  let connections = 0;
  let server = createServer((request, response) => {
    handle(request, response, { bucket, script, calls }).catch(() => request.socket.destroy());
  });
  server.on("connection", (socket) => {
    connections++;
    socket.on("close", () => connections--);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  let address = server.address();
  let port = typeof address === "object" ? address?.port : 0;

  return {
    endpointUrl: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    bucket: bucketName,
    credentials: { accessKeyId: "FAKEACCESSKEY", secretAccessKey: "fake-secret" },
    script,
    calls,
    objects: bucket.objects,
    unfinished: bucket.unfinished,
    get bytesHeld() {
      let parts = [...bucket.unfinished.values()].flatMap((upload) => [...upload.parts.values()]);
      return [...bucket.objects.values(), ...parts].reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    },
    get connections() {
      return connections;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Deps {
  bucket: FakeBucket;
  script: FaultScript;
  calls: LoggedCall[];
}

async function handle(request: IncomingMessage, response: ServerResponse, deps: Deps): Promise<void> {
  let url = new URL(request.url ?? "/", "http://fake");
  let [, named = "", ...rest] = url.pathname.split("/");
  let key = decodeURIComponent(rest.join("/"));
  let query = url.searchParams;
  let isCopy = request.headers["x-amz-copy-source"] !== undefined;
  let operation = operationOf(request.method ?? "", key, query, isCopy);
  if (!operation || decodeURIComponent(named) !== bucketName) {
    request.resume();
    let refusal = operation ? new S3Refusal(404, "NoSuchBucket") : new S3Refusal(501, "NotImplemented");
    return send(request, response, errorAnswer(refusal));
  }

  let fault = deps.script.next(operation);
  let logged: LoggedCall = {
    operation,
    key,
    uploadId: query.get("uploadId"),
    bodyBytes: 0,
    fault: fault?.kind ?? null,
    status: null,
  };
  deps.calls.push(logged);
  if (fault?.kind === "resetBefore") return void request.socket.destroy();
  let chunks: Uint8Array[] = [];
  for await (let chunk of request) chunks.push(chunk as Uint8Array);
  let body = Buffer.concat(chunks);
  logged.bodyBytes = body.byteLength;
  if (fault?.kind === "stall") return;
  if (fault?.kind === "delay") await Bun.sleep(fault.ms);

  let headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
  );
  let answer = answerTo(deps.bucket, { operation, key, query, headers, body }, fault);
  // Who may not list must not learn from a missing key that it is missing.
  let hides = operation === "HeadObject" || operation === "GetObject";
  if (hides && answer.status === 404 && deps.script.isDenied("ListObjectsV2")) {
    answer = errorAnswer(new S3Refusal(403, "AccessDenied"));
  }
  if (fault?.kind === "lostAnswer") return void request.socket.destroy();
  logged.status = answer.status;
  send(request, response, answer, fault?.kind === "truncate");
}

function answerTo(bucket: FakeBucket, call: Call, fault: Fault | null): Answer {
  if (fault?.kind === "status") return errorAnswer(new S3Refusal(fault.status, fault.code));
  if (fault?.kind === "errorIn200") return { ...errorAnswer(new S3Refusal(500, fault.code)), status: 200 };
  try {
    checkIntegrity(call);
    return perform(bucket, call);
  } catch (error) {
    if (error instanceof S3Refusal) return errorAnswer(error);
    throw error;
  }
}

/** What the client said about its bytes has to be true. */
function checkIntegrity({ operation, headers, body }: Call): void {
  let mustHaveLength = operation === "PutObject" || operation === "UploadPart";
  if (mustHaveLength && headers["content-length"] === undefined)
    throw new S3Refusal(411, "MissingContentLength");
  let signed = headers["x-amz-content-sha256"] ?? "";
  if (signed.startsWith("STREAMING-")) throw new S3Refusal(501, "NotImplemented", "aws-chunked");
  if (/^[0-9a-f]{64}$/.test(signed) && signed !== sha256(body, "hex")) {
    throw new S3Refusal(400, "XAmzContentSHA256Mismatch");
  }
  let crc = Buffer.alloc(4);
  crc.writeUInt32BE(Bun.hash.crc32(body));
  let found: [string, string][] = [
    ["x-amz-checksum-crc32", crc.toString("base64")],
    ["x-amz-checksum-sha256", sha256(body, "base64")],
  ];
  for (let [name, checksum] of found) {
    let said = headers[name];
    if (said !== undefined && said !== checksum) throw new S3Refusal(400, "BadDigest", name);
  }
}

function sha256(bytes: Uint8Array, encoding: "hex" | "base64"): string {
  return createHash("sha256").update(bytes).digest(encoding);
}

function errorAnswer({ status, code, message }: S3Refusal): Answer {
  let body = xmlDocument("Error", { Code: code, Message: message, RequestId: "fake" });
  return { status, headers: { "content-type": "application/xml" }, body };
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer, truncated = false): void {
  let body = Buffer.from(answer.body ?? "");
  let headers = { "content-length": String(body.byteLength), ...answer.headers };
  response.writeHead(answer.status, answer.status === 204 ? {} : headers);
  if (!truncated) return void response.end(request.method === "HEAD" ? undefined : body);
  response.write(body.subarray(0, body.byteLength >> 1), () => request.socket.destroy());
}
