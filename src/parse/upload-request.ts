import type { ByteStream, IncomingFile } from "../domain.ts";
import { AppError } from "../errors.ts";
import { parseFilename, renderFilename } from "./filename.ts";
import { parseMediaType } from "./media-type.ts";
import { parseMultipart } from "./multipart.ts";
import type { MultipartLimits } from "./multipart.ts";
import { decodeText, percentDecode } from "./text.ts";

/** A file of a form that can't be taken because of its name; the other files of the form are not touched by it. */
export interface RefusedFile {
  /** Safe to show, perhaps shortened; perhaps empty. */
  filename: string;
  error: AppError;
}

/** Digits of the longest Content-Length that is believed: 999 TB. */
const contentLength = /^\d{1,15}$/;
/** What curl says of `--data-binary` when it is told nothing; never true of a file. */
const undeclaredTypes = ["application/x-www-form-urlencoded"];

/**
 * The files of a `POST` with `multipart/form-data`, in their order. Each file's body has to be read or given up before the
 * next one is pulled.
 *
 * @param body the request's body, unwrapped by the caller.
 * @throws AppError at once `bad_request` for a request that is no form; while being pulled what parseMultipart throws,
 * and `no_file` at the end of a form without any file.
 */
export function filesOfForm(
  request: Request,
  body: ByteStream,
  limits?: MultipartLimits,
): AsyncGenerator<IncomingFile | RefusedFile, void, void> {
  refuseEncodedBody(request);
  let contentType = request.headers.get("content-type") ?? "";
  if (parseMediaType(contentType) !== "multipart/form-data") {
    let address = request.url.split("?", 1)[0];
    throw new AppError("bad_request", `Send files as a form: curl -F file=@photo.jpg ${address}`);
  }
  return pullFiles(parseMultipart(body, contentType, limits), declaredLength(request));
}

async function* pullFiles(
  parts: ReturnType<typeof parseMultipart>,
  mostBytes: number | null,
): AsyncGenerator<IncomingFile | RefusedFile, void, void> {
  let files = 0;
  for await (let { untrustedFilename, declaredType, body } of parts) {
    files += 1;
    let filename = acceptFilename(untrustedFilename);
    if (typeof filename === "string") yield { filename, declaredType, declaredBytes: null, mostBytes, body };
    else yield filename;
  }
  if (files === 0)
    throw new AppError("no_file", "The form holds no file: curl -F file=@photo.jpg sends one.");
}

function acceptFilename(untrusted: string): string | RefusedFile {
  try {
    return parseFilename(untrusted);
  } catch (thrown) {
    if (thrown instanceof AppError) return { filename: renderFilename(untrusted), error: thrown };
    throw thrown;
  }
}

/**
 * The file of a `PUT` whose body is the file and whose URL ends in its name.
 *
 * @param body the request's body, unwrapped by the caller.
 * @throws AppError `invalid_filename`, or `bad_request` for a body that is not the bare, whole file.
 */
export function fileOfRawBody(request: Request, body: ByteStream): IncomingFile {
  refuseEncodedBody(request);
  if (request.headers.has("content-range")) {
    throw new AppError("bad_request", "Send the whole file: a part of one (Content-Range) can't be taken.");
  }
  let declaredType = parseMediaType(request.headers.get("content-type"));
  if (declaredType === "multipart/form-data") {
    throw new AppError(
      "bad_request",
      "PUT takes the bare file: curl -T photo.jpg; a form is sent with POST.",
    );
  }
  let declaredBytes = declaredLength(request);
  return {
    filename: parseFilename(filenameOfUrl(request.url)),
    declaredType: declaredType !== null && undeclaredTypes.includes(declaredType) ? null : declaredType,
    declaredBytes,
    mostBytes: declaredBytes,
    body,
  };
}

/**
 * The last segment of a URL's path, percent-decoded once. What is no percent sequence stays as it is; bytes that are no
 * UTF-8 count as Latin-1.
 */
export function filenameOfUrl(url: string): string {
  let path = url.split(/[?#]/, 1)[0] ?? "";
  return decodeText(percentDecode(path.slice(path.lastIndexOf("/") + 1)));
}

/** The request's Content-Length in bytes; null when it has none, as with chunked transfer. */
function declaredLength(request: Request): number | null {
  let header = request.headers.get("content-length");
  return header !== null && contentLength.test(header) ? Number(header) : null;
}

function refuseEncodedBody(request: Request): void {
  let encoding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (encoding === "" || encoding === "identity") return;
  throw new AppError("bad_request", "Send the file as it is: a Content-Encoding is not understood.", {
    details: { parameter: "Content-Encoding" },
  });
}
