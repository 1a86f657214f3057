import { PutBucketPolicyCommand, PutBucketVersioningCommand, S3Client } from "@aws-sdk/client-s3";

import type { S3Server } from "./s3-server.ts";
import { findVersitygw } from "./versitygw.ts";

/** What a user may do: actions such as `s3:ListBucket` on the bucket, and such as `s3:PutObject` on its objects. */
export interface Allowed {
  bucket?: string[];
  objects: string[];
}

const user = { accessKeyId: "RESTRICTED", secretAccessKey: "restricted-secret" };

/** Makes the user of a versitygw that was started with users; the bucket's policy lets it do this and nothing else. */
export async function addRestrictedUser(server: S3Server, allowed: Allowed): Promise<typeof user> {
  let { accessKeyId, secretAccessKey } = server.credentials;
  let admin = ["admin", "--access", accessKeyId, "--secret", secretAccessKey];
  let create = [
    "create-user",
    "--access",
    user.accessKeyId,
    "--secret",
    user.secretAccessKey,
    "--role",
    "user",
  ];
  let made = Bun.spawnSync([findVersitygw()!, ...admin, "--endpoint-url", server.endpointUrl, ...create]);
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
  await setPolicy(server, allowed);
  return user;
}

/** Replaces what the user may do. */
export async function setPolicy(server: S3Server, { bucket = [], objects }: Allowed): Promise<void> {
  let place = `arn:aws:s3:::${server.bucket}`;
  let Statement = [...grant(bucket, place), ...grant(objects, `${place}/*`)];
  let Policy = JSON.stringify({ Version: "2012-10-17", Statement });
  await rootOf(server).send(new PutBucketPolicyCommand({ Bucket: server.bucket, Policy }));
}

function grant(Action: string[], Resource: string): object[] {
  let Principal = { AWS: [user.accessKeyId] };
  return Action.length === 0 ? [] : [{ Effect: "Allow", Principal, Action, Resource }];
}

export async function enableVersions(server: S3Server): Promise<void> {
  let VersioningConfiguration = { Status: "Enabled" as const };
  await rootOf(server).send(
    new PutBucketVersioningCommand({ Bucket: server.bucket, VersioningConfiguration }),
  );
}

export function rootOf(server: S3Server): S3Client {
  return new S3Client({
    endpoint: server.endpointUrl,
    region: server.region,
    forcePathStyle: true,
    credentials: server.credentials,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
}
