import type { FileMetadata, MediaType } from "../../src/domain.ts";
import { extractMetadata } from "../../src/inspect/extract-metadata.ts";
import { createHeadTail } from "../../src/inspect/head-tail.ts";
import { detectMediaType } from "../../src/inspect/media-type.ts";

/** Type and metadata of a whole file, as an upload would find them. */
export async function inspectBytes(
  content: Uint8Array,
  filename: string,
  options = { keepPosition: true },
): Promise<{ media: MediaType; found: FileMetadata }> {
  let headTail = createHeadTail();
  for (let at = 0; at < content.length; at += 65536) headTail.push(content.subarray(at, at + 65536));
  let head = headTail.head();
  let media = await detectMediaType(head, headTail.sizeBytes <= head.length, filename);
  return { media, found: await extractMetadata(headTail.source(), media, options) };
}

/** [displayed, stored] */
export async function sizesOf(content: Uint8Array, name: string): Promise<string[]> {
  let { found } = await inspectBytes(content, name);
  let { stored_width, stored_height } = found.metadata;
  return [`${found.width}x${found.height}`, `${String(stored_width)}x${String(stored_height)}`];
}
