import { AppError } from "../../../src/errors.ts";
import { parseBoundary } from "../../../src/parse/boundary.ts";
import { parseContentDisposition } from "../../../src/parse/content-disposition.ts";
import { maxFilenameBytes, parseFilename, renderFilename } from "../../../src/parse/filename.ts";
import { parseMediaType } from "../../../src/parse/media-type.ts";
import { parsePartHeaders } from "../../../src/parse/part-headers.ts";
import { filenameOfUrl } from "../../../src/parse/upload-request.ts";
import { planList } from "../../../src/record/list-plan.ts";
import { contentDisposition } from "../../../src/web/content-disposition.ts";
import { listHref, parseListAddress } from "../../../src/web/list-parameters.ts";
import { parseRange } from "../../../src/web/range.ts";
import { parseSize } from "../../../src/web/sizes.ts";
import { pick, type Random, seededRandom } from "./random.ts";
import { type Tally, timed } from "./tally.ts";

const sizeBytes = 1000;
/** Seldom a text that is so long that anything worse than linear would show. */
const longRepeats = 20_000;

const pieces = [
  [..."\"\\;:=,/.%*'-_ \t\r\n\0é💥\u202e\u200d\ufeff\ud800\uffff"],
  ["form-data", "attachment", "filename", "filename*", "name", "boundary", "UTF-8''", "iso-8859-1'en'"],
  ["%22", "%0D%0A", "%e2%82%ac", "%zz", "%", '\\"', "=?utf-8?B?w6k=?=", "=?utf-8?Q?=C3=A9?=", '"a"', "a.txt"],
  ["Content-Disposition: form-data; ", "Content-Type: text/plain", "\r\n ", "..", "../", "C:\\", "CON"],
  ["image/png", "image/*", "bytes=", "0-1", "-5", "9".repeat(20), "1.5", " GB", "KB", "1e9", "0x10"],
  ["_search=", "&_sort=", "_sort_desc=", "_size=", "_next=", "_prev=", "kind=", "content_type=", "from="],
  ["to=", "min_size=", "max_size=", "view=grid", "size_bytes", "image", "2026-02-30", "2026-11-23", "+", "&"],
  ["👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "क्‍ष", "日本語", "a\u0301", "\u2028", "\u180e", "\u{e0001}", "ﷺ"],
].flat();

function text(random: Random): string {
  let one = Array.from({ length: 1 + random(12) }, () => pick(pieces, random)).join("");
  return random(500) === 0 ? one.repeat(1 + random(longRepeats / one.length + 1)) : one;
}

/** A binary string, as header bytes are read. */
function binary(words: string): string {
  return Buffer.from(words).toString("latin1");
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** What each parser must do with any text; AppError is an answer. */
const parsers: Record<string, (words: string, random: Random) => unknown> = {
  filename(words) {
    let name = parseFilename(words);
    check(Buffer.byteLength(name) <= maxFilenameBytes && name !== "", "a name of no good length");
    // oxlint-disable-next-line no-control-regex
    check(!/[\0-\x1f\x7f/\\\u202a-\u202e\u2066-\u2069]/.test(name), "a character that must not be in a name");
    check(name.isWellFormed() && name.normalize("NFC") === name, "a name in no normal form");
    check(parseFilename(name) === name, `read again it is ${JSON.stringify(parseFilename(name))}`);
    let header = contentDisposition("attachment", name);
    check(/^[\x20-\x7e]*$/.test(header), "a header beyond ASCII");
    check(parseContentDisposition(header).filename === name, `${header} names another file`);
  },
  rendering: (words) => check(renderFilename(words).isWellFormed(), "not well-formed"),
  disposition: (words) => parseContentDisposition(`form-data; ${binary(words)}`),
  headers: (words) => parsePartHeaders(binary(words)),
  boundary: (words) => parseBoundary(`multipart/form-data; boundary=${binary(words)}`),
  mediaType: (words) => parseMediaType(binary(words)),
  url: (words) => filenameOfUrl(`http://host/upload/${words}`),
  range(words) {
    let range = parseRange(`bytes=${words}`, sizeBytes);
    if (typeof range === "string") return;
    check(0 <= range.first && range.first <= range.last && range.last < sizeBytes, "a range outside");
  },
  size(words) {
    let size = parseSize(words);
    check(size === null || (Number.isSafeInteger(size) && size >= 0), `${size} bytes`);
  },
  list(words) {
    let { query, view } = parseListAddress(words);
    let href = listHref("", query, { view });
    check(listHref("", parseListAddress(href).query, { view }) === href, `${href} is read as another list`);
    planList(query, { after: null, limit: 10, hiddenIds: [] });
  },
};

/**
 * Runs seeded texts through the small parsers: names, headers, ranges, sizes, list addresses.
 *
 * @throws Error that names seed and case when one throws anything but an AppError, or breaks what it promises.
 */
export async function fuzzParsers(seed: number, cases: number): Promise<Tally> {
  let random = seededRandom(seed);
  let names = Object.keys(parsers);
  return timed(seed, cases, () => {
    let name = pick(names, random);
    let words = text(random);
    try {
      parsers[name]!(words, random);
    } catch (error) {
      if (error instanceof AppError) return;
      throw new Error(`${name} of ${JSON.stringify(words.slice(0, 500))}`, { cause: error });
    }
  });
}
