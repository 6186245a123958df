-- A person sets a password by a one-time link, and a group says whether its SCIM tokens may set administrators'.
-- SQLite only: STRICT, triggers of statements between BEGIN and END.
ALTER TABLE password_policies ADD COLUMN scim_sets_administrators INTEGER NOT NULL DEFAULT 0
    CHECK (scim_sets_administrators IN (0, 1));
CREATE TABLE password_links (
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    fingerprint BLOB NOT NULL UNIQUE,
    made_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1))
) STRICT;
CREATE TRIGGER password_links_end_with_the_password AFTER UPDATE OF password_hash, home_group_id ON users BEGIN
    UPDATE password_links SET ended = 1 WHERE user_id = NEW.id;
END;
CREATE TRIGGER password_links_end_with_access AFTER UPDATE OF suspended, active ON memberships
WHEN NEW.suspended OR NOT NEW.active BEGIN
    UPDATE password_links SET ended = 1 WHERE user_id = NEW.user_id
        AND NEW.group_id = (SELECT home_group_id FROM users WHERE id = NEW.user_id);
END;
CREATE TRIGGER password_links_end_with_the_membership AFTER DELETE ON memberships BEGIN
    UPDATE password_links SET ended = 1 WHERE user_id = OLD.user_id
        AND OLD.group_id = (SELECT home_group_id FROM users WHERE id = OLD.user_id);
END;
