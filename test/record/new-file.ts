import type { NewFileRecord } from "../../src/domain.ts";

let made = 0;

/** A row to be, different from every other but for what is asked. */
export function newFile(facts: Partial<NewFileRecord> = {}): NewFileRecord {
  let uid = Bun.randomUUIDv7();
  let created_at = facts.created_at ?? new Date(Date.UTC(2026, 0, 1) + ++made * 1000).toISOString();
  return {
    uid,
    filename: `file-${made}.bin`,
    storage: "local",
    bucket: "local",
    s3_key: `uploads/2026/01/${uid}.bin`,
    content_type: "application/octet-stream",
    kind: "other",
    size_bytes: made,
    checksum_sha256: new Bun.CryptoHasher("sha256").update(uid).digest("hex"),
    width: null,
    height: null,
    taken_at: null,
    latitude: null,
    longitude: null,
    metadata: {},
    created_at,
    created_date: created_at.slice(0, 10),
    ...facts,
  };
}
