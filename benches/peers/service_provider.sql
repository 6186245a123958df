-- The database of each service provider that Sidelight is measured against: its users, and what a sign-in writes.
PRAGMA journal_mode = WAL;
CREATE TABLE users (id INTEGER PRIMARY KEY, puid TEXT NOT NULL UNIQUE, email TEXT NOT NULL UNIQUE) STRICT;
-- Assertion IDs that were used, until they expire: seconds since 1970.
CREATE TABLE used_assertions (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- Sessions and tokens, by the SHA-256 of what the client holds.
CREATE TABLE sessions (
    hash BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
