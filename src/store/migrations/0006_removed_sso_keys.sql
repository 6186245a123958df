-- A removed key of an identity provider is kept aside for an hour, so that it can be put back.
-- SQLite only: STRICT, WITHOUT ROWID.
CREATE TABLE sso_removed_keys (
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    certificate BLOB NOT NULL,
    added_at INTEGER NOT NULL,
    last_verified_at INTEGER,
    removed_at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (group_id, fingerprint)
) STRICT, WITHOUT ROWID;
