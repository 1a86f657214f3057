import { describe, expect, test } from "bun:test";

import type { IncomingFile } from "../../src/domain.ts";
import { AppError } from "../../src/errors.ts";
import { filenameOfUrl, fileOfRawBody, filesOfForm } from "../../src/parse/upload-request.ts";
import type { RefusedFile } from "../../src/parse/upload-request.ts";
import { chunked, form } from "../support/multipart.ts";

const address = "http://127.0.0.1:8080/-/s3-uploads/upload";

function post(headers: Record<string, string>): Request {
  return new Request(`${address}?x=y`, { method: "POST", headers });
}

function put(segment: string, headers: Record<string, string> = {}): IncomingFile {
  return fileOfRawBody(
    new Request(`${address}/${segment}`, { method: "PUT", headers }),
    chunked(Buffer.of(), []),
  );
}

function errorOf(action: () => unknown): AppError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
  }
  throw new Error("An AppError was expected.");
}

type Read = { file: IncomingFile | RefusedFile; content: string };

async function readAll(names: string[], headers: Record<string, string> = {}): Promise<Read[]> {
  let sent = form(
    "",
    "B",
    names.map((name) => [
      [`Content-Disposition: form-data; name="f"; filename="${name}"`, "Content-Type: Text/CSV"],
      `content of ${name}`,
    ]),
  );
  let request = post({ "content-type": sent.contentType, ...headers });
  let read: Read[] = [];
  for await (let file of filesOfForm(request, chunked(sent.body, []))) {
    let pieces = "body" in file ? await Array.fromAsync(file.body) : [];
    read.push({ file, content: Buffer.concat(pieces).toString() });
  }
  return read;
}

describe("a form", () => {
  test("gives its files in order, with the most bytes that each can have", async () => {
    let read = await readAll(["a.csv", "C:\\dir\\b.csv"], { "content-length": "12345" });
    expect(read.map(({ content }) => content)).toEqual(["content of a.csv", "content of C:\\dir\\b.csv"]);
    expect(read.map(({ file }) => file.filename)).toEqual(["a.csv", "b.csv"]);
    expect(read[0]!.file).toMatchObject({ declaredType: "text/csv", declaredBytes: null, mostBytes: 12_345 });
  });

  test("does not know the most bytes under chunked transfer", async () => {
    let [first] = await readAll(["a.csv"]);
    expect(first!.file).toMatchObject({ mostBytes: null });
  });

  test("refuses one file for its name and goes on with the others", async () => {
    let read = await readAll(["a.csv", "..", "b.csv", ""]);
    expect(read.map(({ content }) => content)).toEqual(["content of a.csv", "", "content of b.csv", ""]);
    for (let index of [1, 3]) {
      let { file } = read[index]!;
      expect("error" in file && file.error.code).toBe("invalid_filename");
    }
  });

  test("without any file is refused with no_file", async () => {
    let sent = form("", "B", [
      [['Content-Disposition: form-data; name="note"'], "text"],
      [['Content-Disposition: form-data; name="f"; filename=""'], ""],
    ]);
    let files = filesOfForm(post({ "content-type": sent.contentType }), chunked(sent.body, []));
    let thrown = await files.next().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "no_file" });
  });

  test("of another type is refused at once, with the curl line that works", () => {
    for (let type of ["application/x-www-form-urlencoded", "image/png", "multipart/mixed; boundary=B", ""]) {
      let request = post(type ? { "content-type": type } : {});
      let refusal = errorOf(() => filesOfForm(request, chunked(Buffer.of(), [])));
      expect(refusal.code).toBe("bad_request");
      expect(refusal.message).toEndWith(`curl -F file=@photo.jpg ${address}`);
    }
  });

  test("that is compressed is refused at once", () => {
    let request = post({ "content-type": "multipart/form-data; boundary=B", "content-encoding": "gzip" });
    expect(errorOf(() => filesOfForm(request, chunked(Buffer.of(), []))).code).toBe("bad_request");
  });
});

describe("a raw body", () => {
  test("is the file, as long as it was declared", () => {
    let headers = { "content-length": "77", "content-type": "Image/PNG; x=y" };
    expect(put("a.png", headers)).toMatchObject({
      filename: "a.png",
      declaredType: "image/png",
      declaredBytes: 77,
      mostBytes: 77,
    });
    expect(put("a.png")).toMatchObject({ declaredType: null, declaredBytes: null, mostBytes: null });
  });

  test("has no declared type when curl made one up", () => {
    expect(put("a.png", { "content-type": "application/x-www-form-urlencoded" }).declaredType).toBeNull();
  });

  test("is refused when it is compressed, a piece, or a form", () => {
    expect(errorOf(() => put("a", { "content-encoding": "br" }))).toMatchObject({
      code: "bad_request",
      details: { parameter: "Content-Encoding" },
    });
    expect(errorOf(() => put("a", { "content-range": "bytes 5-9/10" })).code).toBe("bad_request");
    expect(errorOf(() => put("a", { "content-type": "multipart/form-data; boundary=B" })).code).toBe(
      "bad_request",
    );
    expect(put("a", { "content-encoding": "identity" }).filename).toBe("a");
  });

  test("is refused without a usable name", () => {
    for (let segment of ["", "?a.txt", "%20", "%2e%2e%2f"]) {
      expect(errorOf(() => put(segment)).code).toBe("invalid_filename");
    }
  });
});

describe("the name in a URL", () => {
  let cases: [string, string][] = [
    ["a.txt?x=/y#z/w", "a.txt"],
    ["na%C3%AFve%20%F0%9F%93%B7.txt", "naïve 📷.txt"],
    ["a+b.txt", "a+b.txt"],
    ["a%2520b.txt", "a%20b.txt"],
    ["100%.txt", "100%.txt"],
    ["%zz%4", "%zz%4"],
    ["%ff%fe.jpg", "ÿþ.jpg"],
    ["..%2F..%2Fx.jpg", "../../x.jpg"],
    ["a%3Fb%23c.txt", "a?b#c.txt"],
  ];
  for (let [segment, name] of cases) {
    test(segment, () => expect(filenameOfUrl(`${address}/${segment}`)).toBe(name));
  }
});
