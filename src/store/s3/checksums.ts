import type { Log } from "../../log.ts";
import { faultOf } from "./retry.ts";

/** What the puts of one storage have learned about its server. */
export interface Checksums {
  /** False once the server has refused checksum headers. */
  accepted: boolean;
}

/** CRC32 as S3 wants it: base64 of four bytes, big-endian. */
export function crc32Base64(blocks: readonly Uint8Array<ArrayBuffer>[]): string {
  let crc = 0;
  for (let block of blocks) crc = Bun.hash.crc32(block, crc);
  let bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString("base64");
}

/** Sends once more without checksum headers when the server says that it knows none, and remembers that. */
export async function withChecksumFallback<T>(
  checksums: Checksums,
  log: Log,
  send: () => Promise<T>,
): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!checksums.accepted || !refusesChecksums(error)) throw error;
    log.warn(
      { reason: (error as Error).message },
      "the S3 server takes no checksum headers: going on without them",
    );
    checksums.accepted = false;
    return send();
  }
}

/** Some servers know no checksum headers and say so, each in its own words; a checksum that is wrong is another matter. */
function refusesChecksums(error: unknown): boolean {
  let { code, status, message } = faultOf((error as { cause?: unknown })?.cause);
  if (["BadDigest", "InvalidDigest"].includes(code) || /mismatch|did not match/i.test(message)) return false;
  return (
    (status === 400 || status === 501) &&
    /checksum|unsupported header|not implemented/i.test(`${code} ${message}`)
  );
}
