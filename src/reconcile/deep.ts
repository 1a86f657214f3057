import { toAppError } from "../errors.ts";
import type { AuditRow } from "../record/catalog-audit.ts";
import type { ObjectInfo } from "../store/storage.ts";
import type { Audit } from "./audit.ts";
import { aboutRow, lookForObject, placeOfRow, reportChecksum } from "./look-again.ts";

export interface DeepRead {
  object: ObjectInfo;
  /** All rows that use it and agree with its size. */
  rows: AuditRow[];
}

/** Reads an object whole and compares its SHA-256 with what the rows say. Young objects are not read. */
export async function readAndCompare(audit: Audit, { object, rows }: DeepRead): Promise<void> {
  let [first] = rows;
  if (!first) return;
  if (audit.isYoung(object.lastModifiedMs)) {
    audit.totals.young++;
    return;
  }
  let place = placeOfRow(first);
  let sha256: string;
  try {
    sha256 = await sha256Of(audit, place);
  } catch (thrown) {
    let error = toAppError(thrown);
    if (error.code === "internal_error") throw thrown;
    // It may have been deleted since it was listed.
    if (error.code === "gone") for (let row of rows) await lookForObject(audit, row);
    else audit.notLooked(aboutRow(first), error);
    return;
  }
  for (let row of rows) {
    if (row.checksum_sha256 !== sha256) await reportChecksum(audit, row, object, sha256);
  }
}

async function sha256Of({ storageFor, totals, progress }: Audit, place: ReturnType<typeof placeOfRow>) {
  let { body } = await storageFor(place).open(place.key);
  let hasher = new Bun.CryptoHasher("sha256");
  for await (let chunk of body) {
    hasher.update(chunk);
    totals.readBytes += chunk.byteLength;
    progress();
  }
  return hasher.digest("hex");
}
