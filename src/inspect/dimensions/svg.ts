import { KIB } from "../../units.ts";
import type { ByteSource } from "../byte-source.ts";
import { type FileFacts, type PixelSize, plausibleSize } from "../facts.ts";
import { decodeText } from "../text-decoding.ts";
import { findRootElement } from "../xml-root.ts";

const startBytes = 64 * KIB;

/** CSS pixels at 96 to the inch. */
const PIXELS_PER_UNIT: Record<string, number> = {
  "": 1,
  px: 1,
  in: 96,
  cm: 96 / 2.54,
  mm: 96 / 25.4,
  q: 96 / 101.6,
  pt: 96 / 72,
  pc: 16,
  em: 16,
  rem: 16,
  ex: 8,
};

const lengthPattern = /^\+?((?:\d+(?:\.\d+)?|\.\d+)(?:e[+-]?\d+)?|\d+\.)\s*([a-z]*)$/i;
/** What is longer is no length. */
const maxLengthChars = 100;

/** Width and height of the root element, whole pixels; what is missing or in per cent follows from the viewBox. */
export async function readSvg(source: ByteSource): Promise<FileFacts> {
  let text = decodeText(await source.read(0, startBytes), source.sizeBytes <= startBytes);
  let root = text === null ? null : findRootElement(text);
  if (!root) return {};
  let width = lengthOf(root.attribute("width"));
  let height = lengthOf(root.attribute("height"));
  return { stored: sizeOf(width, height, viewBoxOf(root.attribute("viewBox"))) };
}

function sizeOf(width: number | null, height: number | null, box: PixelSize | null): PixelSize | null {
  let ratio = box ? box.width / box.height : null;
  let shownWidth = width ?? (height !== null && ratio !== null ? height * ratio : (box?.width ?? 0));
  let shownHeight = height ?? (width !== null && ratio !== null ? width / ratio : (box?.height ?? 0));
  if (!(shownWidth > 0) || !(shownHeight > 0)) return null;
  return plausibleSize(Math.max(1, Math.round(shownWidth)), Math.max(1, Math.round(shownHeight)));
}

function lengthOf(value: string | null): number | null {
  let parts = lengthPattern.exec((value ?? "").slice(0, maxLengthChars).trim());
  let unit = PIXELS_PER_UNIT[(parts?.[2] ?? "").toLowerCase()];
  return parts && unit !== undefined ? Number(parts[1]) * unit : null;
}

function viewBoxOf(value: string | null): PixelSize | null {
  let numbers = (value ?? "")
    .trim()
    .split(/[\s,]+/)
    .map(Number);
  let [, , width, height] = numbers;
  if (numbers.length !== 4 || !width || !height || !(width > 0 && height > 0)) return null;
  return { width, height };
}
