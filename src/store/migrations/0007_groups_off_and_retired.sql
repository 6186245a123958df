-- A group can be switched off and deleted. What a deleted group was known by is never given again.
-- SQLite only: STRICT.
ALTER TABLE groups ADD COLUMN off_since INTEGER;
ALTER TABLE groups ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
CREATE TABLE retired_groups (
    id INTEGER PRIMARY KEY,
    account_id TEXT,
    deleted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX retired_groups_by_account ON retired_groups (account_id) WHERE account_id IS NOT NULL;
