import type { ByteStream } from "../domain.ts";
import { AppError } from "../errors.ts";
import { KIB, MIB } from "../units.ts";
import { parseBoundary } from "./boundary.ts";
import { createDelimitedReader } from "./delimited-reader.ts";
import type { DelimitedReader } from "./delimited-reader.ts";
import { parsePartHeaders } from "./part-headers.ts";

export interface MultipartLimits {
  /** Parts of one form, files and fields together. */
  maxParts: number;
  maxHeaderBytesPerPart: number;
  /** The values of all fields together; they are dropped. */
  maxFieldBytes: number;
  /** What may stand before the first and behind the last boundary. */
  maxPreambleBytes: number;
  maxEpilogueBytes: number;
}

export const defaultMultipartLimits: MultipartLimits = {
  maxParts: 1000,
  maxHeaderBytesPerPart: 16 * KIB,
  maxFieldBytes: MIB,
  maxPreambleBytes: 64 * KIB,
  maxEpilogueBytes: 64 * KIB,
};

/** A part of a form that has a file name. */
export interface Part {
  /** As the sender gave it, decoded; may be empty. */
  untrustedFilename: string;
  /** The part's Content-Type, lower-case and without parameters; null when it has none. */
  declaredType: string | null;
  /** Views of the source's chunks. Read once; what is left unread is dropped when the next part is pulled. */
  body: ByteStream;
}

/**
 * The files of a `multipart/form-data` body (RFC 7578), pulled: nothing is read ahead of whoever pulls a part's body.
 * A field is skipped within its limits, and so is the empty part that a browser sends when no file was chosen.
 *
 * Throws `malformed_multipart` to whoever is pulling when the body is not a whole form, `bad_request` when it exceeds a
 * limit, and what the source throws. The source is returned when the generator ends, in whatever way.
 */
export async function* parseMultipart(
  body: ByteStream,
  contentType: string,
  limits: MultipartLimits = defaultMultipartLimits,
): AsyncGenerator<Part, void, void> {
  let boundary = parseBoundary(contentType);
  let source = body[Symbol.asyncIterator]();
  let reader = createDelimitedReader(source, boundary);
  try {
    await skipContent(reader, limits.maxPreambleBytes, "Too much stands before the form data.");
    let fieldBytes = 0;
    for (let parts = 1; reader.delimiter() === "part"; parts += 1) {
      if (parts > limits.maxParts) {
        throw new AppError("bad_request", `The form has more than ${limits.maxParts} parts.`);
      }
      let headers = parsePartHeaders(await reader.readHeaders(limits.maxHeaderBytesPerPart));
      if (headers.filename === null) {
        let room = limits.maxFieldBytes - fieldBytes;
        fieldBytes += await skipContent(reader, room, "The form's fields that are no files are too long.");
        continue;
      }
      let first = await reader.readContent();
      if (first === null && headers.filename === "") continue;

      let content = createPartBody(reader, first);
      try {
        yield {
          untrustedFilename: headers.filename,
          declaredType: headers.declaredType,
          body: content.stream,
        };
      } finally {
        content.giveUp();
      }
      await content.drain();
    }
    await reader.readEpilogue(limits.maxEpilogueBytes);
  } finally {
    await source.return?.();
  }
}

/** Resolves to the bytes that were dropped. */
async function skipContent(reader: DelimitedReader, maxBytes: number, complaint: string): Promise<number> {
  let bytes = 0;
  for (;;) {
    let piece = await reader.readContent();
    if (piece === null) return bytes;
    bytes += piece.byteLength;
    if (bytes > maxBytes) throw new AppError("bad_request", complaint);
  }
}

interface PartBody {
  stream: ByteStream;
  /** Ends the stream for its consumer, but not a pull that is still under way. */
  giveUp(): void;
  /** Waits for such a pull, then reads and drops what the consumer left; throws again what a pull has thrown. */
  drain(): Promise<void>;
}

function createPartBody(reader: DelimitedReader, first: Uint8Array | null): PartBody {
  let waiting = first;
  let ended = first === null;
  let givenUp = false;
  let failure: { thrown: unknown } | null = null;
  let lastPull: Promise<unknown> = Promise.resolve();

  async function pull(): Promise<Uint8Array | null> {
    if (failure) throw failure.thrown;
    if (ended) return null;
    try {
      let piece = waiting ?? (await reader.readContent());
      waiting = null;
      ended = piece === null;
      return piece;
    } catch (thrown) {
      failure = { thrown };
      throw thrown;
    }
  }

  let iterator: AsyncIterableIterator<Uint8Array> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      if (givenUp) return { done: true, value: undefined };
      let pulled = pull();
      lastPull = pulled;
      let piece = await pulled;
      return piece === null ? { done: true, value: undefined } : { done: false, value: piece };
    },
    async return() {
      givenUp = true;
      return { done: true, value: undefined };
    },
  };

  return {
    stream: iterator,
    giveUp() {
      givenUp = true;
    },
    async drain() {
      await lastPull.catch(() => {});
      while ((await pull()) !== null);
    },
  };
}
