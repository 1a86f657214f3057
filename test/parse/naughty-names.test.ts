import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { AppError } from "../../src/errors.ts";
import { maxFilenameBytes } from "../../src/parse/filename.ts";
import { fileOfRawBody, filesOfForm } from "../../src/parse/upload-request.ts";
import { chunked, form } from "../support/multipart.ts";
import { skipUnlessCi } from "../support/needs.ts";

const listPath = join(import.meta.dir, "../../../shared/corpus/naughty-names.json");
const listIsMissing = existsSync(listPath)
  ? null
  : "../shared/corpus/naughty-names.json, the list of hostile names";
const skipped = skipUnlessCi(listIsMissing);
const harmful = /[\p{Cc}\p{Cs}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff/\\]/u;

interface NaughtyName {
  id: string;
  category: string;
  name: string;
}

const names: NaughtyName[] = skipped ? [] : JSON.parse(readFileSync(listPath, "utf8")).names;

/** The shown name, or null when it was refused with `invalid_filename`. */
async function byForm(parameter: string): Promise<string | null> {
  let sent = form("", "B", [[[`Content-Disposition: form-data; name="f"; ${parameter}`], "x"]]);
  let request = new Request("http://a/", { method: "POST", headers: { "content-type": sent.contentType } });
  let shown: string | null = null;
  for await (let file of filesOfForm(request, chunked(sent.body, []))) {
    if ("error" in file) expect(file.error.code).toBe("invalid_filename");
    else shown = file.filename;
  }
  return shown;
}

function byUrl(segment: string): string | null {
  try {
    return fileOfRawBody(new Request(`http://a/${segment}`, { method: "PUT" }), chunked(Buffer.of(), []))
      .filename;
  } catch (thrown) {
    expect((thrown as AppError).code).toBe("invalid_filename");
    return null;
  }
}

function asBrowsersWriteIt(name: string): string {
  let escaped = name.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
  return `filename="${escaped}"`;
}

function asOldCurlWritesIt(name: string): string {
  return `filename="${name.replace(/["\\]/g, "\\$&")}"`;
}

function percentEncode(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['().]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
}

/** Letters and digits of the last segment, in which a person would recognise the name. */
function gist(name: string): string {
  let segment = name.toWellFormed().split(/[/\\]/).at(-1)!;
  return segment.normalize("NFC").replace(/[^\p{L}\p{N}]/gu, "");
}

describe.skipIf(skipped)("hostile names are shown or refused, the same by every way in", () => {
  for (let { id, category, name } of names) {
    test(`${id} ${category}`, async () => {
      let shown = await byForm(asBrowsersWriteIt(name));
      if (shown !== null) {
        expect(shown).not.toMatch(harmful);
        expect(shown.isWellFormed() && shown === shown.normalize("NFC") && shown === shown.trim()).toBe(true);
        expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(maxFilenameBytes);
        expect(shown).not.toBeOneOf(["", ".", ".."]);
        let whole = gist(name);
        let recognisable = shown.includes("…")
          ? whole.startsWith(gist(shown.split("…")[0]!))
          : gist(shown) === whole;
        expect(recognisable).toBe(true);
      }
      // CR and LF can't be sent raw in a header, so older curl can't send such a name.
      if (!/[\r\n]/.test(name)) expect(await byForm(asOldCurlWritesIt(name))).toBe(shown);
      expect(await byForm(`filename*=UTF-8''${percentEncode(name)}`)).toBe(shown);
      expect(byUrl(percentEncode(name))).toBe(shown);
    });
  }
});
