import { S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";

import { fetchTransport } from "./fetch-transport.ts";

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
