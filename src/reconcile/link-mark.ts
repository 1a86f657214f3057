import type { AuditRow } from "../record/catalog-audit.ts";
import { linkMarkKey } from "../store/key-kinds.ts";
import { userMetadataOf } from "../store/keys.ts";
import type { Storage } from "../store/storage.ts";

const sha256OfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Writes the mark of a row that shares an object: empty, with what a rebuild needs as user metadata. */
export async function writeLinkMark(storage: Storage, prefix: string, row: AuditRow): Promise<void> {
  let { uid, filename, created_at: createdAt, s3_key } = row;
  await storage.put({
    key: linkMarkKey(prefix, uid),
    body: (async function* () {})(),
    declaredBytes: 0,
    mostBytes: 0,
    contentType: "application/octet-stream",
    userMetadata: { ...userMetadataOf({ uid, filename, createdAt }), "link-to": s3_key },
    sha256: () => sha256OfNothing,
    onMultipartCreated() {},
    signal: new AbortController().signal,
  });
}
