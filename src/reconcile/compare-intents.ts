import { toAppError } from "../errors.ts";
import type { Intent } from "../state/journal.ts";
import { kindOfKey } from "../store/key-kinds.ts";
import type { UnfinishedUpload } from "../store/storage.ts";
import type { Audit } from "./audit.ts";
import type { Finding } from "./finding.ts";
import { placeOfObject } from "./look-again.ts";

/** Open intents that are older than any request lasts, with what recovery makes of them. */
export async function compareIntents(audit: Audit): Promise<void> {
  for (let intent of audit.intents.all()) {
    if (audit.mayBeAtWork(intent)) audit.totals.underWay++;
    else await audit.found(aboutIntent(audit, intent));
  }
}

export function aboutIntent({ catalog }: Pick<Audit, "catalog">, intent: Intent): Finding {
  let { kind, uid, storage, bucket, key, createdAtMs } = intent;
  let uploadId = intent.kind === "upload" ? intent.multipartUploadId : null;
  let row = catalog.byUid(uid);
  let fate =
    kind === "delete"
      ? "recovery finishes it"
      : row?.s3_key === key
        ? "its file is whole, and recovery closes the note"
        : "recovery removes what there is of it";
  let what = kind === "delete" ? "deletion" : "upload";
  return {
    kind: "stale_intent",
    storage,
    bucket,
    key,
    uid,
    ...(row ? { file_id: row.id, filename: row.filename } : {}),
    ...(uploadId === null ? {} : { upload_id: uploadId }),
    detail: `the ${what} has been open since ${new Date(createdAtMs).toISOString()}; ${fate}`,
  };
}

/** Multipart uploads of ours that nobody is working on. */
export async function compareUnfinished(audit: Audit): Promise<void> {
  let { storage, place, totals } = audit;
  try {
    for await (let upload of storage.listUnfinished(place.prefix)) {
      let { kind } = kindOfKey(place.prefix, upload.key);
      // Under an empty prefix other programs' uploads are in the list as well.
      if (kind !== "object" && kind !== "quarantined") continue;
      if (audit.isYoung(upload.initiatedAtMs)) totals.young++;
      else if (!audit.intents.name(placeOfObject(audit, upload)) && (await isStillThere(audit, upload))) {
        let detail = `begun at ${new Date(upload.initiatedAtMs).toISOString()}, and nobody works on it`;
        let about = { ...placeOfObject(audit, upload), upload_id: upload.uploadId };
        await audit.found({ kind: "unfinished_upload", ...about, detail });
      }
    }
  } catch (thrown) {
    let error = toAppError(thrown);
    // A server without that list, or a policy that forbids it, says so every time: no reason never to be content.
    if (error.code === "storage_error")
      totals.notes.add(`Unfinished uploads can't be listed: ${error.message}`);
    else if (error.code === "storage_unavailable")
      audit.notLooked({ ...placeOfObject(audit, { key: place.prefix }) }, error);
    else throw thrown;
  }
}

/** It may have been completed since it was listed, and its intent closed. */
async function isStillThere({ storage }: Audit, { key, uploadId }: UnfinishedUpload): Promise<boolean> {
  for await (let upload of storage.listUnfinished(key)) if (upload.uploadId === uploadId) return true;
  return false;
}
