-- People who sign in. A removed one's row is deleted, the id is never given again.
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),  -- in lower case
  password_hash TEXT NOT NULL CHECK (password_hash LIKE '$argon2id$%'),
  scopes TEXT NOT NULL CHECK (scopes <> ''),  -- upload,view,delete,admin
  created_at_ms INTEGER NOT NULL,
  signed_in_at_ms INTEGER
) STRICT;

-- Leave to send files for whoever has the link; only the SHA-256 of its secret is kept.
CREATE TABLE invitations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  secret_sha256 BLOB NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
  note TEXT NOT NULL CHECK (length(note) <= 500),  -- shown to those who are invited
  created_by TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  max_bytes INTEGER CHECK (max_bytes > 0),
  max_files INTEGER CHECK (max_files > 0),
  used_bytes INTEGER NOT NULL DEFAULT 0 CHECK (used_bytes >= 0),
  used_files INTEGER NOT NULL DEFAULT 0 CHECK (used_files >= 0),
  last_used_at_ms INTEGER
) STRICT;

ALTER TABLE tokens ADD COLUMN folder TEXT CHECK (length(folder) BETWEEN 2 AND 200);  -- keys of its files go below it
ALTER TABLE tokens ADD COLUMN max_bytes INTEGER CHECK (max_bytes > 0);               -- of all files together
ALTER TABLE tokens ADD COLUMN used_bytes INTEGER NOT NULL DEFAULT 0 CHECK (used_bytes >= 0);
ALTER TABLE tokens ADD COLUMN used_files INTEGER NOT NULL DEFAULT 0 CHECK (used_files >= 0);
-- Whether its sign-in link works: 1 for ever, 0 not any more, -1 once.
ALTER TABLE tokens ADD COLUMN link INTEGER NOT NULL DEFAULT 1 CHECK (link IN (1, 0, -1));

-- A file that is counted already while its row in the catalog may not be there yet.
CREATE TABLE charges (
  uid TEXT PRIMARY KEY CHECK (length(uid) BETWEEN 1 AND 64),
  holder TEXT NOT NULL CHECK (holder IN ('token', 'invitation')),
  holder_id INTEGER NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT, WITHOUT ROWID;

-- Sessions of users beside those of tokens.
CREATE TABLE new_web_sessions (
  id INTEGER PRIMARY KEY,
  secret_sha256 BLOB NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
  token_id INTEGER REFERENCES tokens (id) ON DELETE CASCADE,
  user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  CHECK ((token_id IS NULL) <> (user_id IS NULL))
) STRICT;
INSERT INTO new_web_sessions (id, secret_sha256, token_id, created_at_ms, expires_at_ms)
  SELECT id, secret_sha256, token_id, created_at_ms, expires_at_ms FROM web_sessions;
DROP TABLE web_sessions;
ALTER TABLE new_web_sessions RENAME TO web_sessions;
CREATE INDEX web_sessions_token ON web_sessions (token_id);
CREATE INDEX web_sessions_user ON web_sessions (user_id);
