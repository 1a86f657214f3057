import { CreateMultipartUploadCommand, S3Client } from "@aws-sdk/client-s3";

import { startS3 } from "../store/s3-contract.ts";
import { startS3Fake } from "../support/s3-fake.ts";
import type { S3Server } from "../support/s3-servers/s3-server.ts";
import type { StorageToReconcile } from "./contract.ts";

/** A storage on a server that is started for it. */
export async function startToReconcile(start: () => Promise<S3Server>): Promise<StorageToReconcile> {
  let { storage, server, close } = await startS3(start);
  let client = new S3Client({
    region: server.region,
    endpoint: server.endpointUrl,
    forcePathStyle: true,
    credentials: server.credentials,
  });
  let beginUnfinished = async (Key: string): Promise<void> => {
    await client.send(new CreateMultipartUploadCommand({ Bucket: server.bucket, Key }));
  };
  return { storage, beginUnfinished: server.canListUnfinished ? beginUnfinished : null, close };
}

/** The strict fake as a server like the others. */
export async function startFakeServer(): Promise<S3Server> {
  let fake = await startS3Fake();
  return {
    ...fake,
    name: "the strict fake",
    canListUnfinished: true,
    verifiesChecksums: true,
    honoursResponseHeaders: true,
    unfinishedUploads: async () => [...fake.unfinished.values()],
  };
}
