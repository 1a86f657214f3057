import { describe, expect, test } from "bun:test";

import type { ByteStream } from "../../src/domain.ts";
import { AppError } from "../../src/errors.ts";
import { defaultMultipartLimits, parseMultipart } from "../../src/parse/multipart.ts";
import type { MultipartLimits } from "../../src/parse/multipart.ts";
import { fuzzForms } from "../support/fuzz/fuzz-forms.ts";
import {
  chunked,
  everyBytes,
  form,
  meanLookAlikes,
  outcome,
  readForm,
  readFormWithBun,
  realForms,
} from "../support/multipart.ts";

const fileHeader = 'Content-Disposition: form-data; name="f"; filename="a.bin"';

function body(text: string): ByteStream {
  return chunked(Buffer.from(text, "latin1"), []);
}

async function refusalOf(text: string, contentType = "multipart/form-data; boundary=B"): Promise<AppError> {
  let thrown = await readForm(body(text), contentType).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(AppError);
  return thrown as AppError;
}

async function contentsOf(text: string): Promise<string[]> {
  let files = await readForm(body(text), "multipart/form-data; boundary=B");
  return files.map(({ bytes }) => Buffer.from(bytes).toString("latin1"));
}

describe("real clients' forms", () => {
  for (let sent of realForms()) {
    test(`${sent.client}: the same as Bun's parser says, cut in two at every byte`, async () => {
      let expected = await outcome(readFormWithBun(sent.body, sent.contentType));
      expect(expected).not.toStartWith("refused");
      for (let end = 0; end <= sent.body.length; end += 1) {
        expect(await outcome(readForm(chunked(sent.body, [end]), sent.contentType))).toBe(expected);
      }
    });

    test(`${sent.client}: the same in chunks of 1 to 90 bytes`, async () => {
      let expected = await outcome(readForm(chunked(sent.body, []), sent.contentType));
      for (let step = 1; step <= 90; step += 1) {
        let inSteps = chunked(sent.body, everyBytes(sent.body, step));
        expect(await outcome(readForm(inSteps, sent.contentType))).toBe(expected);
      }
    });

    test(`${sent.client}: refused wherever it is cut off`, async () => {
      for (let end = 0; end < sent.body.length - 4; end += 1) {
        let reading = readForm(chunked(sent.body.subarray(0, end), []), sent.contentType);
        expect(await outcome(reading)).toStartWith("refused: The form data ended");
      }
    });
  }

  test("mutated forms give what Bun's parser gives, or an AppError, however they are chunked", async () => {
    let tally = await fuzzForms(20_261_123, 8000);
    expect(tally.judgedByBun).toBeGreaterThan(4000);
    expect(tally.bothAccepted).toBeGreaterThan(3000);
  }, 60_000);
});

describe("what ends a part", () => {
  test("a delimiter within a line does not, at whatever byte the chunks are cut", async () => {
    let content = `x${meanLookAlikes("B")}\r\n--`;
    let sent = form("mean", "B", [[[fileHeader], content]]);
    for (let step = 1; step <= sent.body.length; step += 1) {
      let files = await readForm(chunked(sent.body, everyBytes(sent.body, step)), sent.contentType);
      expect(files.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual([content]);
    }
  });

  test("white space behind the boundary belongs to the delimiter, unless something else follows", async () => {
    let text = `--B \t\r\n${fileHeader}\r\n\r\none\r\n--B  x\r\n--B${" ".repeat(70)}\r\n\r\n--B \r\n${fileHeader}\r\n\r\ntwo\r\n--B--`;
    expect(await contentsOf(text)).toEqual([`one\r\n--B  x\r\n--B${" ".repeat(70)}\r\n`, "two"]);
  });

  test("lines that end in LF alone are content", async () => {
    expect(await contentsOf(`--B\r\n${fileHeader}\r\n\r\na\n--B--\n\r\n--B--\r\n`)).toEqual(["a\n--B--\n"]);
    expect((await refusalOf(`--B\n${fileHeader}\n\na\n--B--\n`)).code).toBe("malformed_multipart");
  });

  test("a part without content may share its line break with the delimiter", async () => {
    let text = `--B\r\n${fileHeader}\r\n\r\n--B\r\n${fileHeader}\r\n\r\n\r\n--B\r\n${fileHeader}\r\n\r\n\r\n\r\n--B--`;
    expect(await contentsOf(text)).toEqual(["", "", "\r\n"]);
  });

  test("a preamble and an epilogue are dropped", async () => {
    expect(await contentsOf(`hello\r\n--B\r\n${fileHeader}\r\n\r\nx\r\n--B--\r\n--B\r\nbye`)).toEqual(["x"]);
  });
});

describe("what is a file", () => {
  test("a part with a file name; fields are skipped", async () => {
    let note = 'Content-Disposition: form-data; name="note"\r\n\r\ntext\r\n';
    expect(await contentsOf(`--B\r\n${note}--B\r\n${fileHeader}\r\n\r\nx\r\n--B\r\n${note}--B--`)).toEqual([
      "x",
    ]);
  });

  test("an empty name without content is a browser in which nobody chose a file", async () => {
    let unchosen =
      'Content-Disposition: form-data; name="f"; filename=""\r\nContent-Type: application/octet-stream';
    expect(await contentsOf(`--B\r\n${unchosen}\r\n\r\n\r\n--B--`)).toEqual([]);
    expect(await contentsOf(`--B\r\n${unchosen}\r\n\r\nx\r\n--B--`)).toEqual(["x"]);
  });

  test("the declared type comes in lower case and without parameters", async () => {
    let text = `--B\r\n${fileHeader}\r\ncontent-TYPE : Text/Plain; charset=utf-8\r\n\r\n\r\n--B\r\n${fileHeader}\r\nContent-Type: nonsense\r\n\r\n\r\n--B--`;
    let types: (string | null)[] = [];
    for await (let part of parseMultipart(body(text), "multipart/form-data; boundary=B"))
      types.push(part.declaredType);
    expect(types).toEqual(["text/plain", null]);
  });

  test("folded header lines count as one", async () => {
    let folded = 'Content-Disposition: form-data;\r\n name="f";\r\n\tfilename="a.bin"';
    expect(await contentsOf(`--B\r\n${folded}\r\n\r\nx\r\n--B--`)).toEqual(["x"]);
  });
});

describe("what is refused as malformed", () => {
  let cases: [string, string][] = [
    ["an empty body", ""],
    ["a part without headers", "--B\r\n\r\nx\r\n--B--"],
    ["a part without Content-Disposition", "--B\r\nContent-Type: text/plain\r\n\r\nx\r\n--B--"],
    ["another disposition", '--B\r\nContent-Disposition: attachment; filename="a"\r\n\r\nx\r\n--B--'],
    ["a header without a colon", `--B\r\n${fileHeader}\r\nnonsense\r\n\r\nx\r\n--B--`],
    ["base64", `--B\r\n${fileHeader}\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n--B--`],
    [
      "quoted-printable",
      `--B\r\n${fileHeader}\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\nx\r\n--B--`,
    ],
    [
      "a form within a form",
      '--B\r\nContent-Disposition: form-data; name="f"\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\nx\r\n--B--',
    ],
  ];
  for (let [what, text] of cases) {
    test(what, async () => expect((await refusalOf(text)).code).toBe("malformed_multipart"));
  }

  test("Content-Transfer-Encoding binary, 8bit and 7bit change nothing", async () => {
    for (let encoding of ["binary", "8BIT", "7bit"]) {
      let header = `${fileHeader}\r\nContent-Transfer-Encoding: ${encoding}`;
      expect(await contentsOf(`--B\r\n${header}\r\n\r\nx\r\n--B--`)).toEqual(["x"]);
    }
  });

  test("a boundary that is missing, empty, too long, of other characters, or given twice", async () => {
    let whole = `--B\r\n${fileHeader}\r\n\r\nx\r\n--B--`;
    for (let rest of [
      "",
      "; boundary=",
      '; boundary=""',
      `; boundary=${"B".repeat(71)}`,
      "; boundary=B\u00e9",
      "; boundary=B; boundary=C",
      '; boundary="B "',
    ]) {
      expect((await refusalOf(whole, `multipart/form-data${rest}`)).code).toBe("malformed_multipart");
    }
  });

  test("a boundary in quotes, of 70 characters, with every character that may be in one", async () => {
    for (let boundary of ["B", "B".repeat(70), "a'()+_,-./:=? z", "--=_Part_1.2"]) {
      let sent = form("", boundary, [[[fileHeader], "x"]]);
      let files = await readForm(
        chunked(sent.body, []),
        `Multipart/Form-Data; charset=utf-8; Boundary="${boundary}"`,
      );
      expect(files).toHaveLength(1);
    }
  });
});

function field(value: string): string {
  return `--B\r\nContent-Disposition: form-data; name="n"\r\n\r\n${value}\r\n`;
}

describe("limits", () => {
  let limits: MultipartLimits = {
    ...defaultMultipartLimits,
    maxParts: 3,
    maxFieldBytes: 10,
    maxPreambleBytes: 5,
    maxEpilogueBytes: 5,
    maxHeaderBytesPerPart: 200,
  };
  let read = (text: string): Promise<string> =>
    outcome(readForm(body(text), "multipart/form-data; boundary=B", limits));

  test("parts, the bytes of all fields together, headers, preamble and epilogue are bounded", async () => {
    expect(await read(`${field("1234567890").repeat(1)}${field("")}${field("")}--B--`)).toBe("[]");
    expect(await read(`${field("").repeat(4)}--B--`)).toContain("more than 3 parts");
    expect(await read(`${field("123456").repeat(2)}--B--`)).toContain("fields");
    expect(await read(`--B\r\n${fileHeader}\r\nX: ${"x".repeat(200)}\r\n\r\n\r\n--B--`)).toContain(
      "headers that are too long",
    );
    expect(await read(`--B\r\n${"x".repeat(1000)}`)).toContain("headers that are too long");
    expect(await read(`123456\r\n${field("")}--B--`)).toContain("before the form data");
    expect(await read(`${field("")}--B--123456`)).toContain("follows the end");
  });
});

/** A form of a long file and a short one, which tells how much of it was pulled. */
function watched(chunks: number): { source: ByteStream; pulled: () => number; returned: () => boolean } {
  let pulled = 0;
  let returned = false;
  async function* pull(): AsyncGenerator<Uint8Array> {
    try {
      yield Buffer.from(`--B\r\n${fileHeader}\r\n\r\n`);
      for (pulled = 1; pulled <= chunks; pulled += 1) yield Buffer.alloc(1000, 120);
      yield Buffer.from(`\r\n--B\r\n${fileHeader}\r\n\r\nlast\r\n--B--`);
    } finally {
      returned = true;
    }
  }
  return { source: pull(), pulled: () => pulled, returned: () => returned };
}

describe("pulling", () => {
  test("nobody reads ahead of the consumer, and the chunks are the source's own memory", async () => {
    let chunk = Buffer.alloc(1000, 120);
    async function* pull(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`--B\r\n${fileHeader}\r\n\r\n`);
      yield Buffer.from("begin");
      yield chunk;
      throw new Error("read ahead");
    }
    let parts = parseMultipart(pull(), "multipart/form-data; boundary=B");
    let part = await parts.next();
    let pieces = part.value!.body[Symbol.asyncIterator]();
    expect((await pieces.next()).value!.byteLength).toBe(5);
    let { value: piece } = await pieces.next();
    expect(piece!.byteLength).toBe(1000);
    expect(piece!.buffer === chunk.buffer).toBe(true);
  });

  test("a file that is given up is dropped when the next one is pulled", async () => {
    let { source, pulled } = watched(50);
    let contents: number[] = [];
    for await (let part of parseMultipart(source, "multipart/form-data; boundary=B")) {
      let bytes = 0;
      for await (let piece of part.body) {
        bytes += piece.byteLength;
        if (contents.length === 0) break;
      }
      if (contents.length === 0) expect(pulled()).toBe(1);
      contents.push(bytes);
    }
    expect(contents).toEqual([1000, 4]);
  });

  test("a form that is given up returns its source, and the file's stream ends", async () => {
    let { source, pulled, returned } = watched(50);
    let kept: ByteStream | null = null;
    for await (let part of parseMultipart(source, "multipart/form-data; boundary=B")) {
      kept = part.body;
      break;
    }
    expect(returned()).toBe(true);
    expect(pulled()).toBeLessThanOrEqual(1);
    expect(await Array.fromAsync(kept!)).toEqual([]);
  });

  test("pulling the next file waits for a pull of this one that is under way", async () => {
    let { source } = watched(5);
    let parts = parseMultipart(source, "multipart/form-data; boundary=B");
    let first = await parts.next();
    let pending = first.value!.body[Symbol.asyncIterator]().next();
    let second = await parts.next();
    expect((await pending).value!.byteLength).toBe(1000);
    let pieces = await Array.fromAsync(second.value!.body);
    expect(Buffer.concat(pieces).toString()).toBe("last");
  });

  test("a form that is given up while a pull waits does not wait with it", async () => {
    let sent = [Buffer.from(`--B\r\n${fileHeader}\r\n\r\nx`)];
    let returned = Promise.withResolvers<IteratorResult<Uint8Array>>();
    let source: AsyncIterableIterator<Uint8Array> = {
      [Symbol.asyncIterator]: () => source,
      next: async () => (sent.length > 0 ? { done: false, value: sent.pop()! } : returned.promise),
      return: async () => {
        returned.resolve({ done: true, value: undefined });
        return returned.promise;
      },
    };
    let parts = parseMultipart(source, "multipart/form-data; boundary=B");
    let pieces = (await parts.next()).value!.body[Symbol.asyncIterator]();
    await pieces.next();
    let pending = pieces.next().catch((error: unknown) => error);
    await parts.return();
    expect(await pending).toMatchObject({ code: "malformed_multipart" });
  });

  test("what the source throws reaches whoever pulls, and again whoever pulls the next file", async () => {
    let failure = new AppError("upload_stalled");
    async function* pull(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`--B\r\n${fileHeader}\r\n\r\nx`);
      throw failure;
    }
    let parts = parseMultipart(pull(), "multipart/form-data; boundary=B");
    let part = await parts.next();
    let thrown = await Array.fromAsync(part.value!.body).catch((error: unknown) => error);
    expect(thrown).toBe(failure);
    expect(await parts.next().catch((error: unknown) => error)).toBe(failure);
  });
});
