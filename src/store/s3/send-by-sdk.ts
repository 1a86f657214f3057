import type { PutObjectCommand, S3Client, UploadPartCommand } from "@aws-sdk/client-s3";

import type { SendBytes } from "./send-bytes.ts";

/** The SDK's own way, for buckets that no other knows. */
export function createSendBySdk(client: S3Client): SendBytes {
  return (command, payloadHash, abortSignal) => {
    signWithPayloadHash(command, payloadHash);
    return client.send(command as PutObjectCommand, { abortSignal });
  };
}

/** Puts the payload's digest into the signature as given, so that the SDK does not hash the body in JavaScript. */
function signWithPayloadHash(command: PutObjectCommand | UploadPartCommand, hash: string): void {
  // A command's stack is typed by its own input; the middleware looks at headers only, which all commands have.
  let stack = command.middlewareStack as unknown as S3Client["middlewareStack"];
  stack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers["x-amz-content-sha256"] = hash;
      return next(args);
    },
    { step: "build", name: "signWithPayloadHash", override: true },
  );
}
