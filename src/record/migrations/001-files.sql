-- {{table}} stands for db_table_name. Every name made here begins with it, so that a catalog can hold other tables too.
CREATE TABLE "{{table}}" (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- an id is never given to another file
  uid TEXT NOT NULL UNIQUE               -- UUIDv7 of the intent: in the key, in recovery, survives a rebuild
    CHECK (length(uid) BETWEEN 1 AND 64),
  filename TEXT NOT NULL                 -- as the sender named it, made safe to show
    CHECK (length(filename) BETWEEN 1 AND 1024),
  storage TEXT NOT NULL                  -- a row stays readable when the configuration changes
    CHECK (storage IN ('s3', 'local')),
  bucket TEXT NOT NULL
    CHECK (length(bucket) BETWEEN 1 AND 255),
  s3_key TEXT NOT NULL                   -- {prefix}{yyyy}/{mm}/{uid}.{ext of the found type}: no user text
    CHECK (length(s3_key) BETWEEN 1 AND 1024),
  content_type TEXT NOT NULL             -- found in the bytes, not believed from the sender
    CHECK (length(content_type) <= 255 AND content_type GLOB '?*/?*'),
  kind TEXT NOT NULL
    CHECK (kind IN ('image', 'video', 'audio', 'document', 'archive', 'text', 'other')),
  size_bytes INTEGER NOT NULL
    CHECK (size_bytes BETWEEN 0 AND 9007199254740991),
  checksum_sha256 TEXT NOT NULL          -- 64 hex digits
    CHECK (length(checksum_sha256) = 64 AND checksum_sha256 NOT GLOB '*[^0-9a-f]*'),
  width INTEGER                          -- as displayed
    CHECK (width BETWEEN 0 AND 4294967295),
  height INTEGER
    CHECK (height BETWEEN 0 AND 4294967295),
  taken_at TEXT                          -- local time as the camera wrote it, ISO 8601, with offset only when known
    CHECK (length(taken_at) <= 40 AND taken_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'),
  latitude REAL
    CHECK (latitude BETWEEN -90 AND 90),
  longitude REAL
    CHECK (longitude BETWEEN -180 AND 180),
  metadata_json TEXT NOT NULL            -- EXIF, stored dimensions, declared type, mismatch
    CHECK (length(metadata_json) <= 1048576 AND json_valid(metadata_json) AND json_type(metadata_json) = 'object'),
  created_at TEXT NOT NULL               -- ISO 8601, UTC
    CHECK (created_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]*Z'),
  created_date TEXT NOT NULL             -- the day of created_at, for facets that answer in time
    CHECK (created_date = substr(created_at, 1, 10)),
  CHECK ((latitude IS NULL) = (longitude IS NULL))
) STRICT;

-- One for each order of the list; id is the last column of every index and breaks the ties.
CREATE INDEX "{{table}}_created_at" ON "{{table}}" (created_at);
CREATE INDEX "{{table}}_filename" ON "{{table}}" (filename);
CREATE INDEX "{{table}}_size_bytes" ON "{{table}}" (size_bytes);
CREATE INDEX "{{table}}_content_type" ON "{{table}}" (content_type);
CREATE INDEX "{{table}}_taken_at" ON "{{table}}" (taken_at);

-- Facets (content_type has its index above).
CREATE INDEX "{{table}}_kind" ON "{{table}}" (kind);
CREATE INDEX "{{table}}_created_date" ON "{{table}}" (created_date);

-- Duplicates, and rows that share an object.
CREATE INDEX "{{table}}_checksum_sha256" ON "{{table}}" (checksum_sha256);
CREATE INDEX "{{table}}_s3_key" ON "{{table}}" (s3_key);

-- Names in the order of arrival: a search for one or two letters reads this instead of whole rows.
CREATE INDEX "{{table}}_names" ON "{{table}}" (id, filename);

-- Datasette finds the index by the text content="…", so the quotes and the missing spaces matter.
CREATE VIRTUAL TABLE "{{table}}_fts" USING fts5(filename, content="{{table}}", content_rowid="id", tokenize="trigram");

CREATE TRIGGER "{{table}}_fts_insert" AFTER INSERT ON "{{table}}" BEGIN
  INSERT INTO "{{table}}_fts" (rowid, filename) VALUES (new.id, new.filename);
END;

CREATE TRIGGER "{{table}}_fts_delete" AFTER DELETE ON "{{table}}" BEGIN
  INSERT INTO "{{table}}_fts" ("{{table}}_fts", rowid, filename) VALUES ('delete', old.id, old.filename);
END;

CREATE TRIGGER "{{table}}_fts_update" AFTER UPDATE OF id, filename ON "{{table}}" BEGIN
  INSERT INTO "{{table}}_fts" ("{{table}}_fts", rowid, filename) VALUES ('delete', old.id, old.filename);
  INSERT INTO "{{table}}_fts" (rowid, filename) VALUES (new.id, new.filename);
END;
