-- A command on the host lets somebody in whom the server's guard refuses.
-- SQLite only: AUTOINCREMENT, STRICT.
CREATE TABLE let_in (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
