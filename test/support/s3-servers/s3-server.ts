/** A real S3 server that a test has started. */
export interface S3Server {
  name: string;
  endpointUrl: string;
  region: string;
  bucket: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** Looks into the server past its S3 interface: multipart uploads that are neither completed nor aborted. */
  unfinishedUploads(): Promise<{ key: string; uploadId: string }[]>;
  /** False where the server has no ListMultipartUploads. */
  canListUnfinished: boolean;
  /** True when the server refuses a part whose `x-amz-checksum-*` or `x-amz-content-sha256` is wrong. */
  verifiesChecksums: boolean;
  /** False when `response-content-type` and `response-content-disposition` of a presigned URL are ignored. */
  honoursResponseHeaders: boolean;
  stop(): Promise<void>;
}

export const testCredentials = {
  accessKeyId: "TESTACCESSKEY",
  secretAccessKey: "test-secret-access-key",
};
export const testBucket = "test-bucket";
