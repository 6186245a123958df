-- Imports are prepared in portions that nobody sees, and become visible by one row that goes.
-- SQLite only: STRICT, AUTOINCREMENT, WITHOUT ROWID.

CREATE TABLE unfinished_imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER NOT NULL,
    first_user_id INTEGER NOT NULL,
    last_user_id INTEGER NOT NULL,
    by_server INTEGER NOT NULL CHECK (by_server IN (0, 1)),
    touched_at INTEGER NOT NULL,
    abandoned INTEGER NOT NULL DEFAULT 0 CHECK (abandoned IN (0, 1))
) STRICT;

CREATE TABLE finished_imports (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE import_log (
    import_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    group_id INTEGER,
    ip TEXT,
    actor TEXT NOT NULL,
    operation TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (import_id, position)
) STRICT, WITHOUT ROWID;
