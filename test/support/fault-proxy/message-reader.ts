/** One HTTP/1.1 message as it was on the wire. */
export interface Message {
  startLine: string;
  /** Names in lower case. */
  headers: Record<string, string>;
  /** With the empty line that ends it. */
  head: Buffer;
  /** Chunked bodies keep their framing. */
  body: Buffer;
}

export interface MessageReader {
  push(bytes: Buffer): void;
  /** The connection has ended, and with it a body that nothing else limits. */
  end(): void;
}

const headEnd = "\r\n\r\n";

/**
 * Cuts a connection's bytes into messages, each held whole.
 * @param hasBody false for answers that have none whatever their headers say
 */
export function createMessageReader(
  onMessage: (message: Message) => void,
  hasBody: (startLine: string) => boolean = () => true,
): MessageReader {
  let chunks: Buffer[] = [];
  let sizeBytes = 0;
  let head: Pick<Message, "startLine" | "headers" | "head"> | null = null;
  /** Of the whole message; null as long as only its end tells. */
  let neededBytes: number | null = null;

  function gathered(): Buffer {
    if (chunks.length !== 1) chunks = [Buffer.concat(chunks)];
    return chunks[0]!;
  }

  function readHead(): void {
    let end = gathered().indexOf(headEnd);
    if (end < 0) return;
    head = parseHead(gathered().subarray(0, end + headEnd.length));
    let length = head.headers["content-length"];
    if (!hasBody(head.startLine)) neededBytes = head.head.byteLength;
    else if (length !== undefined) neededBytes = head.head.byteLength + Number(length);
    else if (!isChunked() && !head.startLine.startsWith("HTTP/")) neededBytes = head.head.byteLength;
  }

  function isChunked(): boolean {
    return head?.headers["transfer-encoding"]?.toLowerCase() === "chunked";
  }

  function settle(): void {
    for (;;) {
      if (!head) readHead();
      if (!head) return;
      if (neededBytes === null && isChunked()) {
        neededBytes = endOfChunks(gathered(), head.head.byteLength);
      }
      if (neededBytes === null || sizeBytes < neededBytes) return;
      emit(neededBytes);
      if (sizeBytes === 0) return;
    }
  }

  function emit(bytes: number): void {
    let all = gathered();
    let message = { ...head!, body: all.subarray(head!.head.byteLength, bytes) };
    chunks = bytes < all.byteLength ? [all.subarray(bytes)] : [];
    sizeBytes = all.byteLength - bytes;
    head = neededBytes = null;
    onMessage(message);
  }

  return {
    push(bytes) {
      chunks.push(bytes);
      sizeBytes += bytes.byteLength;
      settle();
    },
    end() {
      if (head && neededBytes === null && !isChunked()) emit(sizeBytes);
    },
  };
}

function parseHead(head: Buffer): Pick<Message, "startLine" | "headers" | "head"> {
  let [startLine = "", ...lines] = head.toString("latin1").trimEnd().split("\r\n");
  let headers: Record<string, string> = {};
  for (let line of lines) {
    let colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return { startLine, headers, head };
}

/** Where a chunked body ends, or null when its end has not come. */
function endOfChunks(bytes: Buffer, from: number): number | null {
  for (let at = from; ;) {
    let lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return null;
    let length = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    if (length === 0) {
      let end = bytes.indexOf(headEnd, lineEnd);
      return end < 0 ? null : end + headEnd.length;
    }
    at = lineEnd + 2 + length + 2;
  }
}
