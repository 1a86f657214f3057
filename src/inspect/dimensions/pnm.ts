import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { type FileFacts, plausibleSize } from "../facts.ts";

const headerBytes = 4 * KIB;
const header = /^P[1-6]\s+(?:#[^\n]*\n\s*)*(\d{1,9})\s+(?:#[^\n]*\n\s*)*(\d{1,9})\s/;

/** Portable bitmaps, graymaps and pixmaps: numbers in plain text, among comments. */
export async function readPnm(source: ByteSource): Promise<FileFacts> {
  let text = Buffer.from(await source.read(0, headerBytes)).toString("latin1");
  let size = header.exec(text);
  return { stored: size && plausibleSize(Number(size[1]), Number(size[2])) };
}
