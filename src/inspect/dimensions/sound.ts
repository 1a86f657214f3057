import type { ByteSource } from "../byte-source.ts";
import { latin1, readView, uint64 } from "../bytes.ts";
import { type FileFacts, plausibleDuration } from "../facts.ts";

const maxChunks = 64;
/** The size of what is larger than 4 GiB, or was not known yet, stands elsewhere or nowhere. */
const noSize = 0xffffffff;

/** WAV, also that of more than 4 GiB: bytes of sound by bytes a second. */
export async function readWav(source: ByteSource): Promise<FileFacts> {
  let bytesPerSecond = 0;
  let largeSize = 0;
  let at = 12;
  for (let count = 0; count < maxChunks; count++) {
    let chunk = await readView(source, at, 8);
    if (!chunk) return {};
    let name = latin1(chunk, 0, 4);
    let size = chunk.getUint32(4, true);
    if (name === "fmt ") bytesPerSecond = (await readView(source, at + 16, 4))?.getUint32(0, true) ?? 0;
    if (name === "ds64") {
      let sizes = await readView(source, at + 16, 8);
      largeSize = sizes ? uint64(sizes, 0, true) : 0;
    }
    if (name === "data") {
      let sound = Math.min(size === noSize ? largeSize : size, source.sizeBytes - at - 8);
      return { durationSeconds: plausibleDuration(sound / bytesPerSecond) };
    }
    at += 8 + size + (size & 1);
  }
  return {};
}

/** FLAC: the first block tells samples and samples a second. */
export async function readFlac(source: ByteSource): Promise<FileFacts> {
  let sign = await readView(source, 0, 4);
  let info = await readView(source, 18, 8);
  if (!sign || !info || latin1(sign, 0, 4) !== "fLaC") return {};
  let rate = info.getUint32(0) >>> 12;
  let samples = (info.getUint8(3) & 15) * 2 ** 32 + info.getUint32(4);
  return { durationSeconds: plausibleDuration(samples / rate) };
}
