-- What is kept of each backup, and whether a copy of the key file is kept elsewhere.
-- SQLite only: STRICT.
ALTER TABLE appliance ADD COLUMN key_kept TEXT;
CREATE TABLE backups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ended_at INTEGER NOT NULL,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    code TEXT,
    said TEXT NOT NULL,
    planned INTEGER NOT NULL CHECK (planned IN (0, 1))
) STRICT;
