import type { ByteSource } from "../byte-source.ts";
import { readView } from "../bytes.ts";
import { type FileFacts, plausibleSize } from "../facts.ts";

/** The logical screen, which is what viewers show. */
export async function readGif(source: ByteSource): Promise<FileFacts> {
  let header = await readView(source, 6, 4);
  return { stored: header && plausibleSize(header.getUint16(0, true), header.getUint16(2, true)) };
}
