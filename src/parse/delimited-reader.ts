import { AppError } from "../errors.ts";

/** White space that a gateway may have added behind a boundary (RFC 2046); more than this is content. */
const maxPaddingBytes = 64;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const dash = 0x2d;
const space = 0x20;
const tab = 0x09;
const headEnd = Buffer.from("\r\n\r\n");

/** What follows a delimiter: another part, or the end of the form. */
type DelimiterKind = "part" | "close";

/** A multipart body as a reader sees it: content up to a delimiter, header blocks, delimiter, content … */
export interface DelimitedReader {
  /** The next piece of content, never empty, or null when it ended at a delimiter, which is consumed. */
  readContent(): Promise<Uint8Array | null>;
  /** What the delimiter at the end of the last content was. */
  delimiter(): DelimiterKind;
  /** The header lines that follow a delimiter, as a binary string without the empty line that ends them. */
  readHeaders(maxBytes: number): Promise<string>;
  /** Reads and drops what follows the closing delimiter, up to the end of the source. */
  readEpilogue(maxBytes: number): Promise<void>;
}

/**
 * Looks for `\r\n--boundary` in a stream. Content is handed on as views of the source's own chunks; held back is only what
 * may be the beginning of a delimiter (less than boundary and padding), or a header block that has not ended.
 */
export function createDelimitedReader(source: AsyncIterator<Uint8Array>, boundary: string): DelimitedReader {
  let delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  // A form begins with a delimiter that lacks its line break.
  let buffer: Buffer = Buffer.from("\r\n");
  let position = 0;
  /** Bytes at `position` that can begin a delimiter and are no content: the line break that ended the headers. */
  let borrowedBytes = 0;
  let sourceEnded = false;
  let found: DelimiterKind = "part";

  /** Appends the source's next chunk to what is not consumed yet; false at the end of the source. */
  async function refill(): Promise<boolean> {
    if (sourceEnded) return false;
    // The source's chunk ends with the next pull.
    buffer = Buffer.from(buffer.subarray(position));
    position = 0;
    let next = await source.next();
    if (next.done) {
      sourceEnded = true;
      return false;
    }
    let chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk]);
    return true;
  }

  /** Consumes up to `end`; null when there was no content in it. */
  function take(end: number): Uint8Array | null {
    let start = position + borrowedBytes;
    if (end <= position) return null;
    position = end;
    borrowedBytes = 0;
    return end > start ? new Uint8Array(buffer.buffer, buffer.byteOffset + start, end - start) : null;
  }

  async function readContent(): Promise<Uint8Array | null> {
    let searchFrom = position;
    for (;;) {
      let index = buffer.indexOf(delimiter, searchFrom);
      let end = index < 0 ? startOfPossibleDelimiter(buffer, searchFrom, delimiter) : index;
      if (index >= 0) {
        let tail = readTail(buffer, index + delimiter.length, sourceEnded);
        if (tail === "content") {
          searchFrom = index + 1;
          continue;
        }
        if (tail !== "unfinished") {
          let content = take(index);
          if (content) return content;
          position = tail.end;
          borrowedBytes = 0;
          found = tail.kind;
          return null;
        }
      }
      let content = take(end);
      if (content) return content;
      if (!(await refill())) throw cutOff();
      searchFrom = position;
    }
  }

  async function readHeaders(maxBytes: number): Promise<string> {
    let searchFrom = position;
    for (;;) {
      let end = buffer.indexOf(headEnd, searchFrom);
      let length = (end < 0 ? buffer.length : end) - position;
      if (length > maxBytes) {
        throw new AppError("malformed_multipart", "A part of the form has headers that are too long.", {
          details: { limit_bytes: maxBytes },
        });
      }
      if (end >= 0) {
        let block = buffer.toString("latin1", position, end);
        // A part without content may end in a delimiter that shares this line break (RFC 2046, body-part).
        borrowedBytes = 2;
        position = end + headEnd.length - borrowedBytes;
        return block;
      }
      let scanned = Math.max(length - headEnd.length + 1, 0);
      if (!(await refill())) throw cutOff();
      searchFrom = position + scanned;
    }
  }

  async function readEpilogue(maxBytes: number): Promise<void> {
    let bytes = 0;
    do {
      bytes += buffer.length - position;
      position = buffer.length;
      if (bytes > maxBytes)
        throw new AppError("malformed_multipart", "Too much follows the end of the form data.");
    } while (await refill());
  }

  return { readContent, delimiter: () => found, readHeaders, readEpilogue };
}

/** Where a delimiter that is cut by the end of the buffer may begin; the buffer's length when nowhere. */
function startOfPossibleDelimiter(buffer: Buffer, from: number, delimiter: Buffer): number {
  // A delimiter has its only CR at its start, so the last CR is the only place where one can be cut.
  let start = Math.max(from, buffer.length - delimiter.length + 1);
  let index = buffer.subarray(start).lastIndexOf(carriageReturn);
  if (index < 0) return buffer.length;
  let rest = buffer.length - start - index;
  return buffer.compare(delimiter, 0, rest, start + index) === 0 ? start + index : buffer.length;
}

/** Tells a delimiter from content that begins like one by what follows the boundary: `--`, or padding and a line break. */
function readTail(
  buffer: Buffer,
  start: number,
  isLast: boolean,
): { kind: DelimiterKind; end: number } | "content" | "unfinished" {
  let unfinished = isLast ? ("content" as const) : ("unfinished" as const);
  if (buffer[start] === dash) {
    if (start + 1 >= buffer.length) return unfinished;
    return buffer[start + 1] === dash ? { kind: "close", end: start + 2 } : "content";
  }
  let end = start;
  while (end - start < maxPaddingBytes && (buffer[end] === space || buffer[end] === tab)) end += 1;
  if (end >= buffer.length) return unfinished;
  if (buffer[end] !== carriageReturn) return "content";
  if (end + 1 >= buffer.length) return unfinished;
  return buffer[end + 1] === lineFeed ? { kind: "part", end: end + 2 } : "content";
}

function cutOff(): AppError {
  return new AppError("malformed_multipart", "The form data ended before its final boundary.");
}
