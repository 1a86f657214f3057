-- Files that come in pieces. A row lives until a day after its file was recorded or its upload ended.
CREATE TABLE resumable_uploads (
  uid TEXT PRIMARY KEY CHECK (length(uid) BETWEEN 1 AND 64),
  state TEXT NOT NULL CHECK (state IN ('open', 'finished', 'ended')),
  filename TEXT NOT NULL CHECK (length(filename) BETWEEN 1 AND 1024),
  declared_type TEXT,
  client_metadata TEXT NOT NULL,                -- as its sender wrote it
  storage TEXT NOT NULL CHECK (storage IN ('s3', 'local')),
  bucket TEXT NOT NULL CHECK (length(bucket) BETWEEN 1 AND 255),
  length_bytes INTEGER CHECK (length_bytes >= 0),  -- null: not told yet
  offset_bytes INTEGER NOT NULL CHECK (offset_bytes >= 0),
  stored_bytes INTEGER NOT NULL CHECK (stored_bytes BETWEEN 0 AND offset_bytes),  -- the others are in resumable_bytes
  part_bytes INTEGER NOT NULL CHECK (part_bytes > 0),
  key TEXT CHECK (length(key) BETWEEN 1 AND 1024),  -- null: nobody knows yet what the file is
  media_json TEXT CHECK (json_valid(media_json)),
  mismatch_json TEXT CHECK (json_valid(mismatch_json)),
  multipart_upload_id TEXT CHECK (length(multipart_upload_id) BETWEEN 1 AND 4096),
  file_id INTEGER CHECK (file_id > 0),
  created_at_ms INTEGER NOT NULL CHECK (created_at_ms >= 0),
  active_at_ms INTEGER NOT NULL CHECK (active_at_ms >= 0),
  CHECK (offset_bytes <= length_bytes),
  CHECK ((key IS NULL) = (media_json IS NULL)),
  CHECK ((state = 'finished') = (file_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX resumable_active ON resumable_uploads (state, active_at_ms);

-- Pieces that are in the bucket.
CREATE TABLE resumable_parts (
  uid TEXT NOT NULL REFERENCES resumable_uploads (uid) ON DELETE CASCADE,
  number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 10000),
  size_bytes INTEGER NOT NULL CHECK (size_bytes > 0),
  etag TEXT,
  crc32 TEXT,
  PRIMARY KEY (uid, number)
) STRICT, WITHOUT ROWID;

-- Bytes that are too few for a piece.
CREATE TABLE resumable_bytes (
  id INTEGER PRIMARY KEY,
  uid TEXT NOT NULL REFERENCES resumable_uploads (uid) ON DELETE CASCADE,
  position INTEGER NOT NULL CHECK (position >= 0),  -- in the file
  bytes BLOB NOT NULL CHECK (length(bytes) > 0),
  UNIQUE (uid, position)
) STRICT;

-- What a file's type was found in: an unfinished object can't be read.
CREATE TABLE resumable_heads (
  uid TEXT PRIMARY KEY REFERENCES resumable_uploads (uid) ON DELETE CASCADE,
  bytes BLOB NOT NULL
) STRICT;
