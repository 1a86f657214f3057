import { AppError } from "../errors.ts";
import { KIB } from "../units.ts";
import type { WebContext } from "./env.ts";

/** A thousand ids, each a part of its own, and the address of a list. */
const maxFormBytes = 192 * KIB;

/**
 * The fields of a small form. Without `required` a request may as well have no body.
 * @throws AppError as `readFields`
 */
export async function formFields(
  context: WebContext,
  { required = false }: { required?: boolean } = {},
): Promise<URLSearchParams> {
  let request = context.req.raw;
  if (!required && !request.headers.has("Content-Type")) return new URLSearchParams();
  return readFields(request, maxFormBytes);
}

/**
 * The fields of a form of either kind, at most `maxBytes` of it held.
 * @throws AppError `bad_request` for another media type, a file among the fields, or a longer body
 */
export async function readFields(request: Request, maxBytes: number): Promise<URLSearchParams> {
  let contentType = request.headers.get("Content-Type") ?? "";
  let type = contentType.split(";")[0]?.trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded") {
    return new URLSearchParams((await readBody(request, maxBytes)).toString("utf8"));
  }
  if (type !== "multipart/form-data") {
    throw new AppError(
      "bad_request",
      "The body must be a form: application/x-www-form-urlencoded or multipart/form-data.",
    );
  }
  let body = await readBody(request, maxBytes);
  let form = await new Response(body, { headers: { "Content-Type": contentType } })
    .formData()
    .catch((cause) => {
      throw new AppError("bad_request", "The form data is broken or incomplete.", { cause });
    });
  let fields = new URLSearchParams();
  for (let [name, value] of form) {
    if (typeof value !== "string") throw new AppError("bad_request", "Files have no place in this form.");
    fields.append(name, value);
  }
  return fields;
}

async function readBody(request: Request, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
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
  return Buffer.concat(chunks);
}
