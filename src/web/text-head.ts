import type { FileRecord } from "../domain.ts";
import { decodeText } from "../inspect/text-decoding.ts";
import type { Storage } from "../store/storage.ts";
import { KIB } from "../units.ts";

const maxHeadBytes = 64 * KIB;
const maxHeadLines = 400;
/** Text that the catalog counts among other kinds. */
const textTypes =
  /^(?:text\/|application\/(?:json|xml|rtf|x-ndjson|javascript)$|[a-z.+-]+\/[a-z.-]+\+(?:xml|json)$)/;

/** What a page shows of a text file, never run: its first lines. */
export interface TextHead {
  text: string;
  /** Whether there is more of it. */
  isCut: boolean;
}

/** Null for what is no text, or can't be read just now: then the page does without. */
export async function readTextHead(
  record: FileRecord,
  storage: Pick<Storage, "open">,
  signal: AbortSignal,
): Promise<TextHead | null> {
  let isText = record.kind === "text" || textTypes.test(record.content_type);
  if (!isText || record.size_bytes === 0) return null;
  try {
    let last = Math.min(record.size_bytes, maxHeadBytes) - 1;
    let { body } = await storage.open(record.s3_key, { first: 0, last }, signal);
    let bytes = new Uint8Array(await new Response(body).arrayBuffer());
    let isWhole = bytes.byteLength === record.size_bytes;
    let text = decodeText(bytes, isWhole);
    if (text === null) return null;
    let lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
    return { text: lines.slice(0, maxHeadLines).join("\n"), isCut: !isWhole || lines.length > maxHeadLines };
  } catch {
    return null;
  }
}
