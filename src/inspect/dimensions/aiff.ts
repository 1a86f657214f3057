import type { ByteSource } from "../byte-source.ts";
import { latin1, readView } from "../bytes.ts";
import { type FileFacts, plausibleDuration } from "../facts.ts";

const maxChunks = 64;
/** Between the exponent of an 80-bit number and that of its mantissa, taken for a whole number of 32 bits. */
const exponentBias = 16383 + 31;

/** AIFF and AIFC: samples by samples a second. */
export async function readAiff(source: ByteSource): Promise<FileFacts> {
  let at = 12;
  for (let count = 0; count < maxChunks; count++) {
    let chunk = await readView(source, at, 8);
    if (!chunk) break;
    let size = chunk.getUint32(4);
    if (latin1(chunk, 0, 4) === "COMM") {
      let common = await readView(source, at + 8, 18);
      if (!common) break;
      let rate = common.getUint32(10) * 2 ** ((common.getUint16(8) & 0x7fff) - exponentBias);
      return { durationSeconds: plausibleDuration(common.getUint32(2) / rate) };
    }
    at += 8 + size + (size & 1);
  }
  return {};
}
