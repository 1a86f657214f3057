import { toAppError } from "../errors.ts";
import type { Intent } from "../state/journal.ts";
import { kindOfKey } from "../store/key-kinds.ts";
import type { UnfinishedUpload } from "../store/storage.ts";
import type { Audit } from "./audit.ts";
import { placeOfObject } from "./look-again.ts";

/** Open intents that are older than any request lasts, with what recovery makes of them. */
export async function compareIntents(audit: Audit): Promise<void> {
  for (let intent of audit.intents.all()) {
    if (audit.mayBeAtWork(intent)) audit.totals.underWay++;
    else {
      let { uid, storage, bucket, key, multipartUploadId: id } = { multipartUploadId: null, ...intent };
      let about = { storage, bucket, key, uid, ...(id === null ? {} : { upload_id: id }) };
      await audit.found({ kind: "stale_intent", ...about, detail: fateOf(audit, intent) });
    }
  }
}

function fateOf({ catalog }: Audit, intent: Intent): string {
  let since = new Date(intent.createdAtMs).toISOString();
  let row = catalog.byUid(intent.uid);
  let fate =
    intent.kind === "delete"
      ? "the deletion will be finished"
      : row?.s3_key === intent.key
        ? "its file is whole, the note will be closed"
        : "what there is of it will be removed";
  return `the ${intent.kind} has been open since ${since}: when the server starts, ${fate}`;
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
