import type { Operation } from "../s3-fake/faults.ts";
import { xmlDocument } from "../s3-fake/xml.ts";

/** What a call is about; enough to make up its answer. */
export interface CallFacts {
  operation: Operation;
  bucket: string;
  key: string;
}

export function answer(status: number, headers: Record<string, string> = {}, body = ""): Buffer {
  let lines = Object.entries({ ...headers, ...(status === 204 ? {} : { "Content-Length": body.length }) });
  let head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`HTTP/1.1 ${status} ${status}\r\n${head}\r\n${body}`);
}

/** An S3 error; HEAD gets no body. */
export function refusal(status: number, code: string, { operation }: CallFacts): Buffer {
  let body = xmlDocument("Error", { Code: code, Message: `${code} by the proxy`, RequestId: "proxy" });
  return answer(status, { "Content-Type": "application/xml" }, operation === "HeadObject" ? "" : body);
}

/** What S3 says when it has done what it was asked to. */
export function success({ operation, bucket, key }: CallFacts): Buffer {
  let etag = `"${crypto.randomUUID().replaceAll("-", "")}"`;
  switch (operation) {
    case "CreateMultipartUpload":
      return xml("InitiateMultipartUploadResult", {
        Bucket: bucket,
        Key: key,
        UploadId: crypto.randomUUID(),
      });
    case "CompleteMultipartUpload":
      return xml("CompleteMultipartUploadResult", { Bucket: bucket, Key: key, ETag: etag });
    case "DeleteObject":
    case "AbortMultipartUpload":
      return answer(204);
    default:
      return answer(200, { ETag: etag });
  }
}

function xml(root: string, content: Record<string, string>): Buffer {
  return answer(200, { "Content-Type": "application/xml" }, xmlDocument(root, content));
}
