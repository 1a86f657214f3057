-- Files that were deleted on a page and can still come back. A row goes when its file comes back or is gone for good.
CREATE TABLE trash (
  file_id INTEGER PRIMARY KEY CHECK (file_id > 0),
  uid TEXT NOT NULL UNIQUE CHECK (length(uid) BETWEEN 1 AND 64),
  batch TEXT NOT NULL CHECK (length(batch) BETWEEN 1 AND 64),  -- what was deleted at once
  due_at_ms INTEGER NOT NULL CHECK (due_at_ms >= 0)            -- when it goes for good
) STRICT;
