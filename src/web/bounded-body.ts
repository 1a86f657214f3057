import { AppError } from "../errors.ts";
import { KIB } from "../units.ts";
import type { WebContext } from "./env.ts";

/** A thousand ids, and the address of a list. */
const maxFormBytes = 64 * KIB;

/**
 * The fields of a small form. Without `required` a request may as well have no body.
 * @throws AppError as `readUrlencoded`
 */
export async function formFields(
  context: WebContext,
  { required = false }: { required?: boolean } = {},
): Promise<URLSearchParams> {
  let request = context.req.raw;
  if (!required && !request.headers.has("Content-Type")) return new URLSearchParams();
  return readUrlencoded(request, maxFormBytes);
}

/**
 * A urlencoded body, at most `maxBytes` of it held.
 * @throws AppError `bad_request` for another media type or a longer body
 */
export async function readUrlencoded(request: Request, maxBytes: number): Promise<URLSearchParams> {
  let type = request.headers.get("Content-Type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    throw new AppError("bad_request", "The body must be application/x-www-form-urlencoded.");
  }
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (let chunk of request.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw new AppError("bad_request", "The body is longer than this request may have.", {
        details: { limit_bytes: maxBytes },
      });
    }
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}
