-- What the server is about to do to bucket and catalog. A row lives from before the first byte until the work is done.
CREATE TABLE intents (
  kind TEXT NOT NULL CHECK (kind IN ('upload', 'delete')),
  uid TEXT NOT NULL CHECK (length(uid) BETWEEN 1 AND 64),
  storage TEXT NOT NULL CHECK (storage IN ('s3', 'local')),
  bucket TEXT NOT NULL CHECK (length(bucket) BETWEEN 1 AND 255),
  key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 1024),
  multipart_upload_id TEXT CHECK (length(multipart_upload_id) BETWEEN 1 AND 4096),
  file_id INTEGER CHECK (file_id > 0),
  created_at_ms INTEGER NOT NULL CHECK (created_at_ms >= 0),
  PRIMARY KEY (kind, uid),
  CHECK ((kind = 'delete') = (file_id IS NOT NULL)),
  CHECK (kind = 'upload' OR multipart_upload_id IS NULL)
) STRICT, WITHOUT ROWID;

-- Which upload answered to an Idempotency-Key; the key itself is not kept.
CREATE TABLE idempotency (
  key_sha256 TEXT NOT NULL CHECK (length(key_sha256) = 64 AND key_sha256 NOT GLOB '*[^0-9a-f]*'),
  position INTEGER NOT NULL CHECK (position >= 0),
  uid TEXT NOT NULL CHECK (length(uid) BETWEEN 1 AND 64),
  filename TEXT NOT NULL CHECK (length(filename) BETWEEN 1 AND 1024),
  created_at_ms INTEGER NOT NULL CHECK (created_at_ms >= 0),
  PRIMARY KEY (key_sha256, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_created ON idempotency (created_at_ms);
