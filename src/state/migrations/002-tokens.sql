-- Access tokens; only their SHA-256 is kept. A revoked token's row is deleted, its id is never given again.
CREATE TABLE tokens (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64),
  token_sha256 BLOB NOT NULL UNIQUE CHECK (length(token_sha256) = 32),
  scopes TEXT NOT NULL CHECK (scopes <> ''),  -- upload,view,delete,admin
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,
  last_used_at_ms INTEGER
) STRICT;

-- A browser that signed in with a token. It may what the token may, for as long as the token lives.
CREATE TABLE web_sessions (
  id INTEGER PRIMARY KEY,
  secret_sha256 BLOB NOT NULL UNIQUE CHECK (length(secret_sha256) = 32),
  token_id INTEGER NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX web_sessions_token ON web_sessions (token_id);
