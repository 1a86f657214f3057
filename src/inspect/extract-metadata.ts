import type { FileMetadata, Json, JsonObject, MediaType } from "../domain.ts";
import type { ByteSource } from "./byte-source.ts";
import { readAiff } from "./dimensions/aiff.ts";
import { readAsf } from "./dimensions/asf.ts";
import { readAvi } from "./dimensions/avi.ts";
import { readBmp } from "./dimensions/bmp.ts";
import { readCr3 } from "./dimensions/cr3.ts";
import { readFlv } from "./dimensions/flv.ts";
import { readGif } from "./dimensions/gif.ts";
import { readHeif } from "./dimensions/heif.ts";
import { readIco } from "./dimensions/ico.ts";
import { readJp2 } from "./dimensions/jp2.ts";
import { readJpeg } from "./dimensions/jpeg.ts";
import { readJxl } from "./dimensions/jxl.ts";
import { readMp3 } from "./dimensions/mp3.ts";
import { readMp4 } from "./dimensions/mp4.ts";
import { readMpeg } from "./dimensions/mpeg.ts";
import { readMxf } from "./dimensions/mxf.ts";
import { readOgg } from "./dimensions/ogg.ts";
import { readPng } from "./dimensions/png.ts";
import { readPnm } from "./dimensions/pnm.ts";
import { readPsd } from "./dimensions/psd.ts";
import { readFujifilm, readRawPhoto } from "./dimensions/raw.ts";
import { readFlac, readWav } from "./dimensions/sound.ts";
import { readSvg } from "./dimensions/svg.ts";
import { readTiff } from "./dimensions/tiff.ts";
import { readTransportStream } from "./dimensions/transport-stream.ts";
import { readWebm } from "./dimensions/webm.ts";
import { readWebp } from "./dimensions/webp.ts";
import { isoDate, isoDay, takenAt } from "./exif/dates.ts";
import { maxMetadataJsonBytes } from "./exif/limits.ts";
import { positionOf } from "./exif/position.ts";
import { type ExifTags, readExif } from "./exif/read-exif.ts";
import { type FileFacts, type PixelSize, swapSides } from "./facts.ts";

const READERS: Record<string, (source: ByteSource) => Promise<FileFacts>> = {
  "image/jpeg": readJpeg,
  "image/png": readPng,
  "image/apng": readPng,
  "image/gif": readGif,
  "image/webp": readWebp,
  "image/bmp": readBmp,
  "image/tiff": readTiff,
  "image/svg+xml": readSvg,
  "image/jxl": readJxl,
  "image/jp2": readJp2,
  "image/jpx": readJp2,
  "image/j2c": readJp2,
  "image/vnd.adobe.photoshop": readPsd,
  "image/vnd.microsoft.icon": readIco,
  "image/x-portable-bitmap": readPnm,
  "image/x-portable-graymap": readPnm,
  "image/x-portable-pixmap": readPnm,
  "image/avif": readHeif,
  "image/heic": readHeif,
  "image/heif": readHeif,
  "image/heic-sequence": readHeif,
  "image/heif-sequence": readHeif,
  "image/x-adobe-dng": readRawPhoto,
  "image/x-canon-cr2": readRawPhoto,
  "image/x-canon-cr3": readCr3,
  "image/x-nikon-nef": readRawPhoto,
  "image/x-sony-arw": readRawPhoto,
  "image/x-pentax-pef": readRawPhoto,
  "image/x-samsung-srw": readRawPhoto,
  "image/x-hasselblad-3fr": readRawPhoto,
  "image/x-phaseone-iiq": readRawPhoto,
  "image/x-olympus-orf": readRawPhoto,
  "image/x-panasonic-rw2": readRawPhoto,
  "image/x-fujifilm-raf": readFujifilm,
  "video/mp4": readMp4,
  "video/quicktime": readMp4,
  "video/3gpp": readMp4,
  "video/3gpp2": readMp4,
  "audio/mp4": readMp4,
  "video/webm": readWebm,
  "video/x-matroska": readWebm,
  "audio/x-matroska": readWebm,
  "video/x-msvideo": readAvi,
  "video/mpeg": readMpeg,
  "video/mp2t": readTransportStream,
  "video/x-flv": readFlv,
  "video/ogg": readOgg,
  "application/mxf": readMxf,
  "video/x-ms-asf": readAsf,
  "audio/x-ms-asf": readAsf,
  "audio/wav": readWav,
  "audio/flac": readFlac,
  "audio/mpeg": readMp3,
  "audio/ogg": readOgg,
  "audio/aiff": readAiff,
};

/** They stand at the top of the metadata, or in columns of their own. */
const LIFTED_TAGS = new Set(["Make", "Model", "Orientation", "LensModel", "Lens"]);
const DATE_TAGS = new Set(["DateTimeOriginal", "CreateDate", "ModifyDate", "DateTimeDigitized"]);

/**
 * What a file tells about itself: size, camera, time, place. Reads bounded pieces of the file, decodes no pixels. Never
 * rejects: what is broken, hostile or missing is null or absent.
 *
 * @param options.keepPosition false: neither columns nor metadata hold where a photo was taken
 */
export async function extractMetadata(
  source: ByteSource,
  media: MediaType,
  options: { keepPosition: boolean },
): Promise<FileMetadata> {
  let facts = await orElse({}, () => READERS[media.contentType]?.(source));
  let tiff = facts.tiff;
  let exif = tiff ? await orElse(null, () => readExif(tiff, options.keepPosition)) : null;
  let position = (exif && positionOf(exif.gps)) ?? (options.keepPosition ? facts.position : null);
  let orientation = orientationOf(exif);
  let displayed = facts.displayed ?? turn(facts.stored ?? null, orientation);
  return {
    width: displayed?.width ?? null,
    height: displayed?.height ?? null,
    taken_at: exif && takenAt(exif.exposure),
    latitude: position?.latitude ?? null,
    longitude: position?.longitude ?? null,
    metadata: describe(facts, exif, orientation),
  };
}

/** False for types of which `extractMetadata` knows nothing, and whose bytes it does not read. */
export function tellsFacts(contentType: string): boolean {
  return contentType in READERS;
}

async function orElse<T>(fallback: T, read: () => Promise<T> | undefined): Promise<T> {
  try {
    return (await read()) ?? fallback;
  } catch {
    return fallback;
  }
}

function orientationOf(exif: ExifTags | null): number | null {
  let value = exif?.image.get("Orientation");
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 8 ? value : null;
}

/** Orientations 5 to 8 lay the picture on its side. */
function turn(stored: PixelSize | null, orientation: number | null): PixelSize | null {
  return stored && orientation !== null && orientation >= 5 ? swapSides(stored) : stored;
}

function describe(facts: FileFacts, exif: ExifTags | null, orientation: number | null): JsonObject {
  let json: JsonObject = {};
  let put = (key: string, value: Json | null | undefined) => {
    if (value !== null && value !== undefined) json[key] = value;
  };
  put("stored_width", facts.stored?.width);
  put("stored_height", facts.stored?.height);
  put("duration_s", facts.durationSeconds);
  put("recorded_at", facts.recordedAt);
  put("orientation", orientation);
  put("make", textOf(exif?.image.get("Make")) ?? facts.make);
  put("model", textOf(exif?.image.get("Model")) ?? facts.model);
  if (!exif) return json;
  put("lens", textOf(exif.exposure.get("LensModel") ?? exif.exposure.get("Lens")));
  let room = maxMetadataJsonBytes - Buffer.byteLength(JSON.stringify(json));
  let tags = bounded([...exif.image, ...exif.exposure], room / 2);
  if (Object.keys(tags).length > 0) json["exif"] = tags;
  let gps = bounded([...exif.gps], room / 4);
  if (Object.keys(gps).length > 0) json["gps"] = gps;
  return json;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** As many tags as fit, dates in ISO 8601; what is in columns already or does not fit stays out. */
function bounded(tags: Iterable<[string, Json]>, maxBytes: number): JsonObject {
  let json: JsonObject = {};
  let used = 0;
  for (let [name, written] of tags) {
    if (LIFTED_TAGS.has(name)) continue;
    let value = DATE_TAGS.has(name) ? isoDate(written) : name === "GPSDateStamp" ? isoDay(written) : written;
    let bytes = Buffer.byteLength(name) + Buffer.byteLength(JSON.stringify(value)) + 4;
    if (value === null || used + bytes > maxBytes) continue;
    used += bytes;
    json[name] = value;
  }
  return json;
}
