import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { readView } from "../bytes.ts";
import { type FileFacts, plausibleDuration, plausibleSize } from "../facts.ts";

const tagHeaderBytes = 11;
const maxTags = 8;
const maxScriptBytes = 64 * KIB;
const scriptTag = 18;

/** Flash video: the writer's own account of it, which stands in front of sound and pictures. */
export async function readFlv(source: ByteSource): Promise<FileFacts> {
  let header = await readView(source, 0, 9);
  if (!header) return {};
  let at = header.getUint32(5) + 4;
  for (let count = 0; count < maxTags; count++) {
    let tag = await readView(source, at, tagHeaderBytes);
    if (!tag) break;
    let size = tag.getUint32(0) & 0xffffff;
    if ((tag.getUint8(0) & 31) === scriptTag) return readScript(source, at + tagHeaderBytes, size);
    at += tagHeaderBytes + size + 4;
  }
  return {};
}

async function readScript(source: ByteSource, at: number, size: number): Promise<FileFacts> {
  let script = Buffer.from(await source.read(at, Math.min(size, maxScriptBytes)));
  /** Behind the length of its name and the name: the type "number", eight bytes. */
  let value = (name: string) => {
    let found = script.indexOf(`\0${String.fromCharCode(name.length)}${name}\0`, 0, "latin1");
    let start = found + name.length + 3;
    return found >= 0 && start + 8 <= script.byteLength ? script.readDoubleBE(start) : 0;
  };
  return {
    stored: plausibleSize(value("width"), value("height")),
    durationSeconds: plausibleDuration(value("duration")),
  };
}
