import type { ByteStream } from "../../src/domain.ts";
import { AppError } from "../../src/errors.ts";
import { parseContentDisposition } from "../../src/parse/content-disposition.ts";
import { parseMultipart } from "../../src/parse/multipart.ts";
import type { MultipartLimits } from "../../src/parse/multipart.ts";

export interface SentFile {
  filename: string;
  bytes: Uint8Array;
}

/** A form as a client puts it on the wire. */
export interface SentForm {
  client: string;
  boundary: string;
  contentType: string;
  body: Uint8Array;
}

/** Puts a form together from parts given as header lines and content. */
export function form(client: string, boundary: string, parts: [string[], string | Uint8Array][]): SentForm {
  let pieces: Uint8Array[] = [];
  for (let [headers, content] of parts) {
    pieces.push(Buffer.from(`--${boundary}\r\n${headers.join("\r\n")}\r\n\r\n`));
    pieces.push(Buffer.from(content as Uint8Array), Buffer.from("\r\n"));
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`));
  return {
    client,
    boundary,
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat(pieces),
  };
}

/** Content that tries to be taken for the end of a part, by a parser that looks at too little. */
export function lookAlikes(boundary: string): string {
  return [
    `\r\n--${boundary}x`,
    `\r\n--${boundary}-x`,
    `\n--${boundary}\n`,
    `\r\n-${boundary}\r\n`,
    `\r\n--${boundary.slice(0, -1)}\r\n`,
    `\r\n\r\n--${boundary}y`,
    `\r\n--\r\n--${boundary} x\r\n`,
    `\r\n--${boundary}\r`,
    `\r\r\n--${boundary}\n\r\n`,
  ].join("");
}

/** More of them, which Bun's own parser takes for the end: a whole delimiter line that does not begin a line. */
export function meanLookAlikes(boundary: string): string {
  return `--${boundary}\r\n-\r--${boundary}\r\n-\n--${boundary}--\r\n --${boundary}--`;
}

const disposition = (rest: string): string => `Content-Disposition: form-data; ${rest}`;

/** The shapes that the usual clients send, each with fields, an empty file and a body of look-alikes. */
export function realForms(): SentForm[] {
  let shapes: [client: string, boundary: string, filename: string, extraHeaders: string[]][] = [
    [
      "curl",
      "------------------------d74496d66958873e",
      'filename="a %22quoted%22 name.jpg"',
      ["Content-Type: image/jpeg"],
    ],
    [
      "curl --form-escape",
      "------------------------1c6a9f64f9e0c2d1",
      'filename="a \\"quoted\\" name.jpg"',
      ["Content-Type: image/jpeg"],
    ],
    [
      "Chromium",
      "----WebKitFormBoundary7MA4YWxkTrZu0gW",
      'filename="📷 photo.jpg"',
      ["Content-Type: image/jpeg"],
    ],
    [
      "Firefox",
      "----geckoformboundary4d2cbdf9bcf9a3a2e1ab0c2c3b8c7d1e",
      'filename="日本語のファイル.pdf"',
      ["Content-Type: application/pdf"],
    ],
    ["Firefox before 2024", "---------------------------735323031399963166993862150", 'filename="é.txt"', []],
    [
      "Safari",
      "----WebKitFormBoundaryQ0pBuvRC1EzDAQWT",
      'filename="cafe\u0301.jpg"',
      ["Content-Type: image/jpeg"],
    ],
    ["Python requests", "c5e4fcd0a5b0e6c3d5e2f8b1a7d9c3e0", 'filename="data.bin"', []],
    [
      "Go",
      "0d1f2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccdde",
      'filename="a\\"b.txt"',
      ["Content-Type: application/octet-stream"],
    ],
    [
      "undici",
      "----formdata-undici-074192830561",
      'filename="blob"',
      ["Content-Type: application/octet-stream"],
    ],
    [
      "Java",
      "----=_Part_4_576268.1227217123",
      "filename=plain.txt",
      ["Content-Type: text/plain; charset=UTF-8", "Content-Transfer-Encoding: binary"],
    ],
  ];
  return shapes.map(([client, boundary, filename, extra]) =>
    form(client, boundary, [
      [[disposition('name="note"')], "a field\r\nof two lines"],
      [[disposition(`name="file"; ${filename}`), ...extra], `\r\nbytes${lookAlikes(boundary)}\r\n`],
      [[disposition('name="empty"; filename="empty.bin"'), ...extra], ""],
      [
        [disposition('name="last"; filename="last.bin"'), ...extra],
        Uint8Array.of(0, 13, 10, 45, 45, 255, 13),
      ],
    ]),
  );
}

/** The body cut at the given places; each chunk's memory is taken back when the next one is asked for, as a socket's is. */
export async function* chunked(
  body: Uint8Array,
  ends: Iterable<number>,
): ByteStream & AsyncGenerator<Uint8Array> {
  let start = 0;
  for (let end of ends) {
    let chunk = new Uint8Array(body.subarray(start, end));
    yield chunk;
    chunk.buffer.transfer(0);
    start = end;
  }
  yield body.slice(start);
}

export function* everyBytes(body: Uint8Array, step: number): Generator<number> {
  for (let end = step; end < body.length; end += step) yield end;
}

/** Every file of a form, read to its end, as our parser sees it. */
export async function readForm(
  source: ByteStream,
  contentType: string,
  limits?: MultipartLimits,
): Promise<SentFile[]> {
  let files: SentFile[] = [];
  for await (let part of parseMultipart(source, contentType, limits)) {
    let pieces: Uint8Array[] = [];
    for await (let piece of part.body) pieces.push(new Uint8Array(piece));
    files.push({ filename: part.untrustedFilename, bytes: Buffer.concat(pieces) });
  }
  return files;
}

/** The same as Bun's own parser sees it; its names are the raw ones, so they are read by our rules. */
export async function readFormWithBun(body: Uint8Array, contentType: string): Promise<SentFile[]> {
  let data = await new Response(body, { headers: { "content-type": contentType } }).formData();
  let files: SentFile[] = [];
  for (let [, value] of data) {
    if (typeof value === "string") continue;
    files.push({ filename: nameAsWeReadIt(value.name ?? ""), bytes: await value.bytes() });
  }
  // The empty part of a browser in which nobody chose a file.
  return files.filter((file) => file.filename !== "" || file.bytes.length > 0);
}

function nameAsWeReadIt(raw: string): string {
  let header = Buffer.from(`form-data; filename="${raw}"`).toString("latin1");
  return parseContentDisposition(header).filename ?? "";
}

/** What a parser makes of a form, as text that two parsers can be compared by. */
export async function outcome(reading: Promise<SentFile[]>): Promise<string> {
  try {
    let files = await reading;
    return JSON.stringify(
      files.map(({ filename, bytes }) => [filename, Buffer.from(bytes).toString("latin1")]),
    );
  } catch (thrown) {
    if (thrown instanceof AppError || thrown instanceof TypeError) return `refused: ${thrown.message}`;
    throw thrown;
  }
}
