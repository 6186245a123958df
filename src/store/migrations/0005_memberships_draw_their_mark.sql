-- In a database of version 1 a new membership got the mark 0 unless the insert named one. From here on it draws
-- its own in every database: SQLite cannot change a default, so the table is made again.
-- SQLite only: the whole step.
CREATE TABLE memberships_5 (
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    puid TEXT,
    role_id INTEGER REFERENCES roles (id),
    administrator INTEGER NOT NULL DEFAULT 0 CHECK (administrator IN (0, 1)),
    suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1)),
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    mark INTEGER NOT NULL DEFAULT (random() & 0x7fffffff),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO memberships_5
        (group_id, user_id, puid, role_id, administrator, suspended, active, mark, created_at, updated_at)
    SELECT group_id, user_id, puid, role_id, administrator, suspended, active, mark, created_at, updated_at
    FROM memberships;
DROP TABLE memberships;
ALTER TABLE memberships_5 RENAME TO memberships;
CREATE UNIQUE INDEX memberships_by_puid ON memberships (group_id, puid) WHERE puid IS NOT NULL;
CREATE INDEX memberships_for_sign_in
    ON memberships (group_id, puid, user_id, suspended, active, role_id, administrator, mark)
    WHERE puid IS NOT NULL;
CREATE INDEX memberships_by_user ON memberships (user_id);
CREATE INDEX memberships_by_puid_in_any_case ON memberships (group_id, puid COLLATE NOCASE) WHERE puid IS NOT NULL;
CREATE INDEX memberships_by_role ON memberships (group_id, role_id, active);
