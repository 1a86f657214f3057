import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import type { FileFacts } from "../facts.ts";
import { netpbmHeader } from "../netpbm.ts";

const headerBytes = 4 * KIB;

/** Portable bitmaps, graymaps and pixmaps. */
export async function readPnm(source: ByteSource): Promise<FileFacts> {
  let text = Buffer.from(await source.read(0, headerBytes)).toString("latin1");
  return { stored: netpbmHeader(text)?.size ?? null };
}
