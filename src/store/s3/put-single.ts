import { PutObjectCommand } from "@aws-sdk/client-s3";

import { sha256MetadataName } from "../keys.ts";
import type { ObjectToMake } from "../storage.ts";
import { type Checksums, withChecksumFallback } from "./checksums.ts";
import type { PartBytes } from "./part-buffer.ts";
import { asBody } from "./send-bytes.ts";
import {
  dataAttempts,
  dataTimeoutMs,
  demandTag,
  lastCallGraceMs,
  objectInput,
  type Sending,
} from "./sending.ts";

/** One PutObject, signed with the digest of its bytes, which it carries as well. */
export async function putSingle(
  bytes: PartBytes,
  object: ObjectToMake & { sha256: string },
  { sending, checksums, signal }: { sending: Sending; checksums: Checksums; signal: AbortSignal },
): Promise<void> {
  let { sha256 } = object;
  await withChecksumFallback(checksums, sending.log, () =>
    sending.call(
      "put",
      async (abortSignal) => {
        let command = new PutObjectCommand({
          ...objectInput(object, sending),
          Metadata: { ...object.userMetadata, [sha256MetadataName]: sha256 },
          Body: asBody(bytes),
          ...(checksums.accepted ? { ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64") } : {}),
        });
        demandTag(await sending.sendBytes(command, sha256, abortSignal));
      },
      {
        attempts: dataAttempts,
        timeoutMs: dataTimeoutMs(bytes.byteLength, sending),
        signal,
        graceMs: lastCallGraceMs,
      },
    ),
  );
}
