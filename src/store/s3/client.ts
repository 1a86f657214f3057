import {
  type PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  type UploadPartCommand,
} from "@aws-sdk/client-s3";

import { fetchTransport } from "./fetch-transport.ts";
import type { PartBytes } from "./part-buffer.ts";

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface ClientOptions {
  region: string;
  /** Absent: AWS. */
  endpointUrl?: string | undefined;
  forcePathStyle: boolean;
  /** Absent: the AWS default provider chain. */
  credentials?: Credentials | undefined;
}

/**
 * The SDK as signer and parser only: retries are ours (retry.ts), so are checksums (the SDK's defaults
 * broke R2 and B2, aws-sdk-js-v3 #6810), and bytes go through fetch.
 */
export function createS3Client(options: ClientOptions): S3Client {
  let config: S3ClientConfig = {
    region: options.region,
    forcePathStyle: options.forcePathStyle,
    maxAttempts: 1,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    requestHandler: fetchTransport,
  };
  if (options.endpointUrl) config.endpoint = options.endpointUrl;
  if (options.credentials) config.credentials = options.credentials;
  return new S3Client(config);
}

/** The SDK asks a body for its `byteLength` and passes it on; fetchTransport knows what it is. */
export function asBody(bytes: PartBytes): Uint8Array {
  return bytes as unknown as Uint8Array;
}

/**
 * Puts the payload's digest into the signature as given, so that the SDK does not hash the body in JavaScript:
 * the SHA-256 where it is known anyway, else UNSIGNED-PAYLOAD (the part's CRC32 guards it then).
 */
export function signWithPayloadHash(command: PutObjectCommand | UploadPartCommand, hash: string): void {
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
