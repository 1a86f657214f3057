import type { ByteSource } from "../byte-source.ts";
import { latin1, readView } from "../bytes.ts";
import { type FileFacts, plausibleDuration, plausibleSize } from "../facts.ts";

/** "RIFF", the list of headers and the head of the first of them stand in front. */
const mainHeaderAt = 32;
const microsecondsPerSecond = 1e6;

/** AVI: the main header has the size, and the number of pictures with the time of each. */
export async function readAvi(source: ByteSource): Promise<FileFacts> {
  let name = await readView(source, mainHeaderAt - 8, 4);
  let header = await readView(source, mainHeaderAt, 40);
  if (!name || !header || latin1(name, 0, 4) !== "avih") return {};
  let seconds = (header.getUint32(0, true) * header.getUint32(16, true)) / microsecondsPerSecond;
  return {
    stored: plausibleSize(header.getUint32(32, true), header.getUint32(36, true)),
    durationSeconds: plausibleDuration(seconds),
  };
}
