-- Rows that a repair took out of the catalog because their objects are gone: nothing is forgotten.
CREATE TABLE removed_rows (
  uid TEXT PRIMARY KEY CHECK (length(uid) BETWEEN 1 AND 64),
  row_json TEXT NOT NULL CHECK (json_valid(row_json) AND json_type(row_json) = 'object'),  -- every column of the row
  reason TEXT NOT NULL CHECK (reason <> ''),
  removed_at_ms INTEGER NOT NULL CHECK (removed_at_ms >= 0)
) STRICT, WITHOUT ROWID;
