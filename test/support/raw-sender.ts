/** A client on a bare socket, which can do what no real client does: stop in the middle of anything. */
export interface RawSender {
  send(bytes: Uint8Array | string): void;
  /** The answer's status, or null when the connection closed without one. */
  status: Promise<number | null>;
  /** Resolves when the server has closed the connection. */
  closed: Promise<void>;
  end(): void;
}

export async function connectRaw(url: URL): Promise<RawSender> {
  let status = Promise.withResolvers<number | null>();
  let closed = Promise.withResolvers<void>();
  let text = "";
  function over(): void {
    status.resolve(null);
    closed.resolve();
  }
  let socket = await Bun.connect({
    hostname: url.hostname,
    port: Number(url.port),
    socket: {
      data(_socket, bytes) {
        text += bytes.toString();
        let found = /^HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n/.exec(text)?.[1];
        if (found && found !== "100") status.resolve(Number(found));
      },
      close: over,
      error: over,
      connectError: over,
    },
  });
  return {
    send: (bytes) => void socket.write(bytes),
    status: status.promise,
    closed: closed.promise,
    end: () => void socket.end(),
  };
}

/** The head of a `PUT` whose body is the file. */
export function headOfPut(url: URL, name: string, bodyBytes: number): string {
  return `PUT ${url.pathname}/${name} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: ${bodyBytes}\r\n\r\n`;
}

/** The head of a form's `POST`, and the begin of its only file. */
export function headOfForm(url: URL, name: string, bodyBytes: number): string {
  let head = `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: ${bodyBytes}\r\n`;
  let part = `--B\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\n`;
  return `${head}Content-Type: multipart/form-data; boundary=B\r\n\r\n${part}`;
}
