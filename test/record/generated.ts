import { openCatalog } from "../../src/record/database.ts";
import { rowColumns, toRow } from "../../src/record/rows.ts";
import { closeDatabase, immediately } from "../../src/sqlite.ts";
import { newFile } from "./new-file.ts";

const types = [
  ["image/jpeg", "image"],
  ["image/png", "image"],
  ["application/pdf", "document"],
  ["text/csv", "text"],
  ["video/mp4", "video"],
  ["application/zip", "archive"],
  ["audio/mpeg", "audio"],
] as const;
const words = "harbour roof survey interview field notes map north station depth report budget".split(" ");
const firstDayMs = Date.UTC(2025, 0, 1);
const dayMs = 86_400_000;
const days = 365;

/** A catalog of `count` rows over a year, the same at each call but for uids: a third of them pictures with EXIF. */
export function generateCatalog(path: string, tableName: string, count: number): void {
  let { db, table } = openCatalog({ path, tableName });
  let insert = db.prepare(
    `INSERT INTO "${table}" (${rowColumns.join(", ")}) VALUES (${rowColumns.map((name) => `$${name}`).join(", ")})`,
  );
  let random = randomNumbers(42);
  let pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  immediately(db, () => {
    for (let n = 0; n < count; n++) {
      let [content_type, kind] = pick(types);
      let created_at = new Date(firstDayMs + Math.floor((n / count) * days * dayMs)).toISOString();
      let isPicture = kind === "image";
      let hasPosition = isPicture && random() < 0.3;
      let exif = { ISO: 100, FNumber: 4, ExposureTime: 0.004, Software: "software ".repeat(20) };
      let gps = { GPSLatitudeRef: "N", GPSLatitude: [60, 10, 30.5] };
      let file = newFile({
        filename: `${pick(words)} ${pick(words)} ${n}.${content_type.split("/")[1]}`,
        content_type,
        kind,
        size_bytes: Math.floor(random() * 100_000_000),
        created_at,
        created_date: created_at.slice(0, 10),
        metadata: isPicture ? { make: "Canon", model: "EOS 5D", exif, ...(hasPosition ? { gps } : {}) } : {},
        ...(isPicture ? { width: 4000, height: 3000, taken_at: created_at.slice(0, 19) } : {}),
        ...(hasPosition ? { latitude: 60 + random() * 5, longitude: 20 + random() * 10 } : {}),
        ...(n % 100 === 0 ? { checksum_sha256: "ab".repeat(32) } : {}),
      });
      insert.run({ ...toRow(file) });
    }
  });
  insert.finalize();
  closeDatabase(db);
}

/** Lehmer's generator: numbers from 0 to 1. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
