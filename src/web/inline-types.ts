import type { FileRecord } from "../domain.ts";
import { MIB } from "../units.ts";

const maxPreviewPixels = 100_000_000;
const maxPreviewBytes = 50 * MIB;

/** How a browser may show a type on our own origin. Whatever is not here is a download, because it might run. */
const inlineTypes: Record<string, "image" | "video" | "audio" | "document"> = {
  "image/png": "image",
  "image/apng": "image",
  "image/jpeg": "image",
  "image/gif": "image",
  "image/webp": "image",
  "image/avif": "image",
  "image/bmp": "image",
  "video/mp4": "video",
  "video/webm": "video",
  "audio/mpeg": "audio",
  "audio/mp4": "audio",
  "audio/x-m4a": "audio",
  "audio/wav": "audio",
  "audio/flac": "audio",
  "audio/ogg": "audio",
  "text/plain": "document",
  "application/pdf": "document",
};

/** @param contentType as found in the bytes: lower-case, without parameters. */
export function mayShowInline(contentType: string): boolean {
  return Object.hasOwn(inlineTypes, contentType);
}

/** What a page may embed; null for everything that is only linked, pictures that would choke a browser among it. */
export function previewOf(file: FileRecord): "image" | "video" | "audio" | "pdf" | null {
  if (file.content_type === "application/pdf") return "pdf";
  let shown = Object.hasOwn(inlineTypes, file.content_type) ? inlineTypes[file.content_type] : undefined;
  if (shown === undefined || shown === "document") return null;
  let pixels = (file.width ?? 0) * (file.height ?? 0);
  let tooHeavy = pixels > maxPreviewPixels || file.size_bytes > maxPreviewBytes;
  return shown === "image" && tooHeavy ? null : shown;
}
