-- Who did what. Rows are only ever added; retention alone takes them away.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at_ms INTEGER NOT NULL CHECK (at_ms >= 0),
  event TEXT NOT NULL CHECK (length(event) BETWEEN 1 AND 40 AND event NOT GLOB '*[^a-z_]*'),
  actor TEXT CHECK (length(actor) BETWEEN 1 AND 200),       -- null: nobody in particular
  address TEXT CHECK (length(address) BETWEEN 1 AND 64),    -- null: not by a request
  request_id TEXT CHECK (length(request_id) BETWEEN 1 AND 64),
  detail_json TEXT NOT NULL
    CHECK (length(detail_json) <= 4096 AND json_valid(detail_json) AND json_type(detail_json) = 'object')
) STRICT;

CREATE INDEX audit_at ON audit (at_ms);
CREATE INDEX audit_event ON audit (event);
CREATE INDEX audit_actor ON audit (actor);

-- What is older than this may be forgotten.
CREATE TABLE audit_retention (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  forget_before_ms INTEGER NOT NULL CHECK (forget_before_ms >= 0)
) STRICT;
INSERT INTO audit_retention (only_row, forget_before_ms) VALUES (1, 0);

CREATE TRIGGER audit_never_updated BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_never_deleted BEFORE DELETE ON audit
WHEN old.at_ms >= (SELECT forget_before_ms FROM audit_retention) BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- REPLACE deletes without asking the trigger above.
CREATE TRIGGER audit_never_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE id = new.id) BEGIN
  SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- Who asked for it, as JSON, so that recovery can say so of what a crash cut short.
ALTER TABLE intents ADD COLUMN by_json TEXT CHECK (length(by_json) <= 2048);
