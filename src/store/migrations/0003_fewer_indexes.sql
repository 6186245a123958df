-- Tables that every sign-in writes to keep only the indexes that sign-ins need.
-- SQLite only: STRICT, WITHOUT ROWID.
DROP INDEX IF EXISTS saml_requests_by_end;
DROP INDEX IF EXISTS saml_replays_by_end;
CREATE TABLE web_sessions_3 (
    fingerprint BLOB PRIMARY KEY,
    group_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO web_sessions_3
    SELECT fingerprint, group_id, user_id, mark, created_at, used_at, expires_at FROM web_sessions;
DROP TABLE web_sessions;
ALTER TABLE web_sessions_3 RENAME TO web_sessions;
