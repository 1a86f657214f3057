import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ByteStream } from "../../src/domain.ts";
import { toAppError } from "../../src/errors.ts";
import { fileOfRawBody, filesOfForm } from "../../src/parse/upload-request.ts";
import { watchSender } from "../../src/parse/watch-sender.ts";
import { KIB, MIB } from "../../src/units.ts";
import { skipUnlessCi } from "../support/needs.ts";

const skipped = skipUnlessCi(Bun.which("curl") ? null : "curl, which sends the forms of this test");

interface SeenFile {
  filename: string;
  bytes: number;
  sha256: string;
  declaredType: string | null;
  declaredBytes: number | null;
  mostBytes: number | null;
}

let server: Bun.Server<undefined>;
let folder = "";
let expectations: (string | null)[] = [];

async function digest(body: ByteStream): Promise<{ bytes: number; sha256: string }> {
  let hash = new Bun.CryptoHasher("sha256");
  let bytes = 0;
  for await (let piece of body) {
    bytes += piece.byteLength;
    hash.update(piece);
  }
  return { bytes, sha256: hash.digest("hex") };
}

async function receive(request: Request): Promise<unknown[]> {
  let body = watchSender(request.body, { stallTimeoutMs: 5000, minBytesPerSecond: 1 });
  let seen: unknown[] = [];
  if (request.method === "PUT") {
    let { body: content, ...file } = fileOfRawBody(request, body);
    return [{ ...file, ...(await digest(content)) }];
  }
  for await (let file of filesOfForm(request, body)) {
    if ("error" in file) seen.push({ filename: file.filename, error: file.error.code });
    else {
      let { body: content, ...facts } = file;
      seen.push({ ...facts, ...(await digest(content)) });
    }
  }
  return seen;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "s3-uploads-curl-"));
  server = Bun.serve({
    port: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request) {
      expectations.push(request.headers.get("expect"));
      try {
        return Response.json(await receive(request));
      } catch (thrown) {
        let error = toAppError(thrown);
        return Response.json({ code: error.code, message: error.message }, { status: error.facts.status });
      }
    },
  });
});

afterAll(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true });
});

function writeSource(name: string, bytes: number): { path: string; sha256: string } {
  let data = Buffer.alloc(bytes, `\r\n--${name}`);
  let path = join(folder, name);
  writeFileSync(path, data);
  return { path, sha256: Bun.SHA256.hash(data, "hex") };
}

async function curl(path: string, ...options: (string | { input: Uint8Array })[]): Promise<SeenFile[]> {
  let input = options.find((option) => typeof option !== "string");
  let words = options.filter((option) => typeof option === "string");
  let child = Bun.spawn(["curl", "-sS", "--max-time", "20", ...words, new URL(path, server.url).href], {
    stdin: input?.input ?? "ignore",
    stderr: "inherit",
  });
  return (await child.stdout.json()) as SeenFile[];
}

describe.skipIf(skipped)("curl", () => {
  test("-F sends a file with its name, type and bytes", async () => {
    let photo = writeSource("photo.jpg", 3 * MIB + 7);
    let [seen] = await curl("/", "-F", `file=@${photo.path}`);
    expect(seen).toMatchObject({ filename: "photo.jpg", declaredType: "image/jpeg", bytes: 3 * MIB + 7 });
    expect(seen!.sha256).toBe(photo.sha256);
    expect(seen!.mostBytes).toBeGreaterThan(3 * MIB);
  });

  test("-F sends ten files, an empty one and fields in one form", async () => {
    let files = Array.from({ length: 10 }, (_, index) => writeSource(`f${index}.bin`, index * 70_000));
    let options = files.flatMap(({ path }) => ["-F", `file=@${path}`, "-F", "note=text"]);
    let seen = await curl("/", ...options);
    expect(seen.map(({ sha256 }) => sha256)).toEqual(files.map(({ sha256 }) => sha256));
    expect(seen[0]!.bytes).toBe(0);
  });

  let names = [
    'a "quoted" name.txt',
    "back\\slash.txt",
    'both\\".txt',
    "📷 日本語 é.jpg",
    "a;b=c.txt",
    "a,b.txt",
    "100%.txt",
    "a%22b%20c.txt",
    "it's.txt",
  ];
  for (let name of names) {
    test(`sends the name ${name} by form, escaped in either way, and by URL`, async () => {
      let { path } = writeSource("source.bin", 10);
      let quoted = `"${name.replace(/["\\]/g, "\\$&")}"`;
      let shown = name.split("\\").at(-1)!;
      // What a browser or a newer curl sends for a quote can't be told from these three characters.
      let byForm = shown.replaceAll("%22", '"');
      expect((await curl("/", "-F", `file=@${path};filename=${quoted}`))[0]!.filename).toBe(byForm);
      let escaped = await curl("/", "--form-escape", "-F", `file=@${path};filename=${quoted}`);
      expect(escaped[0]!.filename).toBe(name.includes('"') ? shown : byForm);
      expect((await curl(`/${encodeURIComponent(name)}`, "-T", path))[0]!.filename).toBe(shown);
    });
  }

  test("-F with a name that is refused tells which, and takes the other file", async () => {
    let { path } = writeSource("good.bin", 10);
    let seen = await curl("/", "-F", `a=@${path};filename=..`, "-F", `b=@${path}`);
    expect(seen[0] as unknown).toEqual({ filename: "..", error: "invalid_filename" });
    expect(seen[1]!.filename).toBe("good.bin");
  });

  test("-T sends a file with its length, and adds its name to a URL that ends in a slash", async () => {
    let film = writeSource("film 1.mov", 5 * MIB);
    let [seen] = await curl("/", "-T", film.path);
    expect(seen).toMatchObject({ filename: "film 1.mov", declaredBytes: 5 * MIB, declaredType: null });
    expect(seen!.sha256).toBe(film.sha256);
  });

  test("-T - sends standard input in chunks, of unknown length", async () => {
    let input = Buffer.alloc(2 * MIB, "stream");
    let [seen] = await curl("/stdin.bin", "-T", "-", { input });
    expect(seen).toMatchObject({
      filename: "stdin.bin",
      declaredBytes: null,
      mostBytes: null,
      bytes: 2 * MIB,
    });
    expect(seen!.sha256).toBe(Bun.SHA256.hash(input, "hex"));
  });

  test("asks with Expect: 100-continue before it sends more than 1 MiB, and is answered", async () => {
    let big = writeSource("big.bin", 4 * MIB);
    expectations.length = 0;
    let start = performance.now();
    let [seen] = await curl("/", "-F", `file=@${big.path}`, "--expect100-timeout", "15");
    expect(expectations).toEqual(["100-continue"]);
    expect(seen!.sha256).toBe(big.sha256);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  test("-d is told the line that works", async () => {
    let refusal = (await curl("/", "-d", "x=y")) as unknown;
    expect(refusal).toMatchObject({ code: "bad_request" });
    expect((refusal as { message: string }).message).toContain("curl -F file=@photo.jpg http://");
  });
});

/** Sends raw bytes to the server and resolves to the status line of its answer. */
function speak(request: string | Uint8Array): Promise<string> {
  let answered = Promise.withResolvers<string>();
  void Bun.connect({
    hostname: server.hostname!,
    port: server.port!,
    socket: {
      open: (socket) => void socket.write(request),
      data(socket, data) {
        answered.resolve(data.toString().split("\r\n", 1)[0]!);
        socket.end();
      },
      close: () => answered.resolve("closed"),
    },
  });
  return answered.promise;
}

test("a whole request whose form lacks its final boundary is answered with 400", async () => {
  let form = `--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n${"x".repeat(64 * KIB)}`;
  let head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: ${form.length}\r\n\r\n`;
  expect(await speak(head + form)).toBe("HTTP/1.1 400 Bad Request");
});
