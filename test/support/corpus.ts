import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Real and hostile files with what two other programs make of them; lies beside the checkout, not in it. */
export const corpusFolder = join(import.meta.dir, "../../../shared/corpus");
export const corpusMissing = existsSync(join(corpusFolder, "manifest.json"))
  ? null
  : "the file corpus is not there: put it at ../shared/corpus, beside the checkout";

export interface CorpusEntry {
  name: string;
  bytes: number;
  mime_file: string;
  mime_exiftool: string | null;
  /** Stored size; "1cm" and the like in SVG files. */
  width: number | string | null;
  height: number | string | null;
  display_width: number | string | null;
  display_height: number | string | null;
  Orientation: number | null;
  Make: string | null;
  Model: string | null;
  /** In a film: under QuickTime's keys. */
  Make_elsewhere?: Record<string, string>;
  Model_elsewhere?: Record<string, string>;
  Make_base64?: string;
  DateTimeOriginal: string | null;
  GPSLatitude: number | null;
  GPSLongitude: number | null;
}

/** The manifest's entries; none when the corpus is not there. */
export function corpusEntries(): CorpusEntry[] {
  if (corpusMissing !== null) return [];
  let manifest: { files: CorpusEntry[] } = JSON.parse(
    readFileSync(join(corpusFolder, "manifest.json"), "utf8"),
  );
  return manifest.files;
}

/** Names and contents of the files that are not larger than `maxBytes`. */
export function corpusFiles(maxBytes: number): [name: string, content: Uint8Array][] {
  return corpusEntries()
    .filter((entry) => entry.bytes <= maxBytes)
    .map((entry) => [entry.name, new Uint8Array(readFileSync(join(corpusFolder, entry.name)))]);
}
