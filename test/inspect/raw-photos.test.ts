import { expect, test } from "bun:test";

import {
  ascii,
  box,
  bytes,
  exifSegment,
  jpeg,
  rationals,
  short,
  tiff,
  type TiffField,
  u16,
  u32,
} from "../support/images.ts";
import { inspectBytes, sizesOf } from "./inspect-bytes.ts";

const turned = tiff({ main: [short(0x112, 6)] });
const lying = ["40x30", "30x40"];
const upright = ["30x40", "30x40"];
const small = [short(0xfe, 1), short(0x100, 3), short(0x101, 4), short(0x112, 6)];
const pointer = (offset: number): TiffField => [0x14a, 4, 1, u32(offset, true)];
const side = (tag: number, value: number) =>
  bytes(u16(tag, true), u16(3, true), u32(1, true), u32(value, true));
const typeOf = async (file: Uint8Array, name: string) => (await inspectBytes(file, name)).media.contentType;

/** A preview in the first directory, the photo of 30 by 40 in one below it. */
function raw(start: string, ...more: TiffField[]): Uint8Array<ArrayBuffer> {
  let below = tiff({ main: [...small, ...more, pointer(0)] }).length;
  let file = tiff({ main: [...small, ...more, pointer(below)] });
  let photo = bytes(u16(2, true), side(0x100, 30), side(0x101, 40), u32(0));
  return bytes(start, file.slice(4), photo);
}

test("raw photos have the size of the largest picture, not of the preview in front", async () => {
  for (let name of ["a.nef", "a.arw", "a.dng", "a.cr2", "a.pef", "a.srw"]) {
    expect([name, ...(await sizesOf(raw("II*\0"), name))]).toEqual([name, ...lying]);
  }
  expect(await sizesOf(raw("IIRO"), "a.orf")).toEqual(lying);
});

test("raw photos of Panasonic tell the borders of the sensor", async () => {
  let borders = [short(0x4, 5), short(0x5, 5), short(0x6, 45), short(0x7, 35)];
  let file = bytes("IIU\0", tiff({ main: borders }).slice(4));
  expect(await sizesOf(file, "a.rw2")).toEqual(upright);
});

test("raw photos of Fujifilm are told by the JPEG inside", async () => {
  let picture = jpeg(30, 40, exifSegment(turned));
  let start = bytes("FUJIFILMCCD-RAW ", new Uint8Array(68), u32(100), u32(picture.length), new Uint8Array(8));
  expect(await sizesOf(bytes(start, picture), "a.raf")).toEqual(lying);
});

test("raw photos are known by their bytes where those tell, else by their names", async () => {
  expect(await typeOf(raw("II*\0", ascii(0x10f, "NIKON CORPORATION")), "a.bin")).toBe("image/x-nikon-nef");
  expect(await typeOf(raw("II*\0", [0xc612, 1, 4, [1, 4, 0, 0]]), "a.tif")).toBe("image/x-adobe-dng");
  expect(await typeOf(raw("II*\0"), "a.nef")).toBe("image/x-nikon-nef");
  // Print settings, which many cameras write.
  expect(await typeOf(tiff({ main: [short(0x100, 3), [0xc4a5, 7, 4, [1, 2, 3, 4]]] }), "a.tif")).toBe(
    "image/tiff",
  );
});

test("raw photos of Canon in boxes tell size, time and place from a block for each", async () => {
  let main = tiff({ main: [short(0x100, 30), short(0x101, 40), ascii(0x10f, "Canon"), short(0x112, 6)] });
  let exposure = tiff({ main: [ascii(0x9003, "2024:01:02 03:04:05"), ascii(0xa434, "RF 50mm")] });
  let place = tiff({
    main: [
      ascii(1, "N"),
      rationals(2, [48, 1], [30, 1], [0, 1]),
      ascii(3, "E"),
      rationals(4, [16, 1], [15, 1], [0, 1]),
    ],
  });
  let name = Buffer.from("85c0b687820f11e08111f4ce462b6a48", "hex");
  let parts = [box("CMT1", main), box("CMT2", exposure), box("CMT4", place)];
  let file = bytes(
    box("ftyp", "crx ", u32(1), "crx isom"),
    box("moov", box("uuid", name, box("CNCV", "x"), ...parts)),
  );
  expect(await sizesOf(file, "a.cr3")).toEqual(lying);
  let { media, found } = await inspectBytes(file, "a.cr3");
  expect(media.contentType).toBe("image/x-canon-cr3");
  expect(found).toMatchObject({ taken_at: "2024-01-02T03:04:05", latitude: 48.5, longitude: 16.25 });
  expect(found.metadata).toMatchObject({ make: "Canon", lens: "RF 50mm", orientation: 6 });
  let hidden = await inspectBytes(file, "a.cr3", { keepPosition: false });
  expect([hidden.found.latitude, hidden.found.metadata["gps"]]).toEqual([null, undefined]);
  expect((await inspectBytes(file.subarray(0, -200), "a.cr3")).found.latitude).toBe(null);
});
