import { describe, expect, test } from "bun:test";

import { box, bytes, u16, u32 } from "../support/images.ts";
import { inspectBytes } from "./inspect-bytes.ts";

const ftyp = box("ftyp", "qt  ", u32(0), "qt  ");
const xyz = (text: string) => box("udta", box("\u00a9xyz", u16(text.length), u16(0x15c7), text));

/** As QuickTime writes it, or with the version that MP4 puts in front. */
function meta(version: number[], values: Record<string, string>): Uint8Array {
  let keys = Object.keys(values).map((name) => bytes(u32(name.length + 8), "mdta", name));
  let items = Object.values(values).map((value, index) => {
    let item = box("    ", box("data", u32(1), u32(0), value));
    item.set(u32(index + 1), 4);
    return item;
  });
  let hdlr = box("hdlr", new Uint8Array(8), "mdta", new Uint8Array(13));
  return box("meta", version, hdlr, box("keys", u32(0), u32(keys.length), ...keys), box("ilst", ...items));
}

async function found(content: Uint8Array, options = { keepPosition: true }) {
  return (await inspectBytes(bytes(ftyp, box("moov", content)), "a.mov", options)).found;
}

describe("a film tells", () => {
  const apple = {
    "com.apple.quicktime.location.ISO6709": "-33.8568+151.2153+005.000/",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 15",
    "com.apple.quicktime.creationdate": "2024-02-29T10:11:12+1100",
  };
  for (let [what, content] of Object.entries({
    QuickTime: meta([], apple),
    MP4: box("udta", meta([0, 0, 0, 0], apple)),
  })) {
    test(`where, when and with what it was made, in ${what}`, async () => {
      expect(await found(content)).toMatchObject({
        latitude: -33.8568,
        longitude: 151.2153,
        metadata: { recorded_at: "2024-02-29T10:11:12+11:00", make: "Apple", model: "iPhone 15" },
      });
      expect(await found(content, { keepPosition: false })).toMatchObject({
        latitude: null,
        longitude: null,
      });
    });
  }

  test("where it was made, as Android and 3GPP write it", async () => {
    expect(await found(xyz("+48.2082+016.3738/"))).toMatchObject({ latitude: 48.2082, longitude: 16.3738 });
    let loci = box("loci", u32(0), u16(0x15c7), "home", 0, 0, u32(16.5 * 65536), u32(-48.25 * 65536), u32(0));
    expect(await found(box("udta", loci))).toMatchObject({ latitude: -48.25, longitude: 16.5 });
  });

  test("nothing by what is no place on Earth", async () => {
    for (let text of [
      "",
      "somewhere",
      "+91.0+016.3/",
      "+48.2+181/",
      "+48.2/",
      "48.2+16.3/",
      "+4812.5+01622.4/",
    ])
      expect([text, (await found(xyz(text))).latitude]).toEqual([text, null]);
    expect((await found(box("udta", box("loci", u32(0), u16(0), "no end")))).latitude).toBe(null);
    expect(await found(meta([], { "com.apple.quicktime.creationdate": "yesterday" }))).toMatchObject({
      metadata: {},
    });
  });
});
