import type { ByteSource } from "../byte-source.ts";
import { readView } from "../bytes.ts";
import { type FileFacts, plausibleSize } from "../facts.ts";

const os2HeaderBytes = 12;

/** OS/2 headers have 16-bit sides; in all others a negative height means that rows go from top to bottom. */
export async function readBmp(source: ByteSource): Promise<FileFacts> {
  let header = await readView(source, 14, 12);
  if (!header) return {};
  if (header.getUint32(0, true) === os2HeaderBytes) {
    return { stored: plausibleSize(header.getUint16(4, true), header.getUint16(6, true)) };
  }
  return { stored: plausibleSize(header.getInt32(4, true), Math.abs(header.getInt32(8, true))) };
}
