import type { AuditRow } from "../record/catalog-audit.ts";
import type { Audit } from "./audit.ts";
import { looksAtOnce } from "./compare-objects.ts";
import { readAndCompare } from "./deep.ts";
import { forEachLimited } from "./limited.ts";
import { lookForObject } from "./look-again.ts";

/** Rows of an earlier bucket, prefix or storage: no listing tells about them, so that each object is asked for. */
export async function compareElsewhere(audit: Audit): Promise<void> {
  for (let rows of audit.catalog.rowsElsewhere(audit.place)) {
    await forEachLimited(rows, looksAtOnce, (row) => compare(audit, row));
    audit.progress();
  }
}

async function compare(audit: Audit, row: AuditRow): Promise<void> {
  audit.totals.rows++;
  let object = await lookForObject(audit, row);
  if (audit.deep && object?.sizeBytes === row.size_bytes)
    await readAndCompare(audit, { object, rows: [row] });
}
