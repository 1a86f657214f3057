import type { FileRecord } from "../domain.ts";

/** Columns of the table, in its order. */
const columns = [
  "id",
  "uid",
  "filename",
  "storage",
  "bucket",
  "s3_key",
  "content_type",
  "kind",
  "size_bytes",
  "checksum_sha256",
  "width",
  "height",
  "taken_at",
  "latitude",
  "longitude",
  "metadata_json",
  "created_at",
  "created_date",
] as const;

const lineEnd = "\r\n";
const bytesAtOnce = 64 * 1024;

/**
 * The rows as CSV (RFC 4180, UTF-8), read no faster than the client takes them.
 * Text that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, one of these in full width, a tab or a line end) gets a `'` before it.
 */
export function csvStream(rows: AsyncIterable<FileRecord>): ReadableStream<Uint8Array> {
  let iterator = csvLines(rows)[Symbol.asyncIterator]();
  let encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      let text = "";
      while (text.length < bytesAtOnce) {
        let { done, value } = await iterator.next();
        if (!done) {
          text += value;
          continue;
        }
        if (text !== "") controller.enqueue(encoder.encode(text));
        controller.close();
        return;
      }
      controller.enqueue(encoder.encode(text));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

async function* csvLines(rows: AsyncIterable<FileRecord>): AsyncGenerator<string, void> {
  yield columns.join(",") + lineEnd;
  for await (let { metadata, ...row } of rows) {
    let values: Record<(typeof columns)[number], string | number | null> = {
      ...row,
      metadata_json: JSON.stringify(metadata),
    };
    yield columns.map((column) => cell(values[column])).join(",") + lineEnd;
  }
}

function cell(value: string | number | null): string {
  if (typeof value !== "string") return value === null ? "" : String(value);
  let harmless = /^[=+\-@＝＋－＠\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
