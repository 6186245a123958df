-- Changes that an import makes of users who were there before wait beside them until it comes into force.
-- SQLite only: STRICT, WITHOUT ROWID, the bodies of triggers between BEGIN and END.

CREATE TABLE import_changes (
    import_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    group_id INTEGER,
    glance_address TEXT,
    first_name TEXT,
    last_name TEXT,
    email TEXT,
    phone TEXT,
    password_hash TEXT,
    sets_puid INTEGER NOT NULL DEFAULT 0 CHECK (sets_puid IN (0, 1)),
    puid TEXT,
    sets_role INTEGER NOT NULL DEFAULT 0 CHECK (sets_role IN (0, 1)),
    role_id INTEGER,
    first_log INTEGER,
    last_log INTEGER,
    stale INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1)),
    PRIMARY KEY (import_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX import_changes_by_user ON import_changes (user_id);
CREATE INDEX stale_import_changes ON import_changes (import_id) WHERE stale = 1;

CREATE TRIGGER import_changes_of_changed_user
AFTER UPDATE OF glance_address, first_name, last_name, email, phone, password_hash, home_group_id ON users
WHEN EXISTS (SELECT 1 FROM unfinished_imports) BEGIN
    UPDATE import_changes SET stale = 1
        WHERE user_id = NEW.id AND import_id IN (SELECT id FROM unfinished_imports);
END;
CREATE TRIGGER import_changes_of_new_member AFTER INSERT ON memberships
WHEN EXISTS (SELECT 1 FROM unfinished_imports) BEGIN
    UPDATE import_changes SET stale = 1
        WHERE user_id = NEW.user_id AND import_id IN (SELECT id FROM unfinished_imports);
END;
CREATE TRIGGER import_changes_of_changed_member
AFTER UPDATE OF puid, role_id, administrator, suspended, active ON memberships
WHEN EXISTS (SELECT 1 FROM unfinished_imports) BEGIN
    UPDATE import_changes SET stale = 1
        WHERE user_id = NEW.user_id AND import_id IN (SELECT id FROM unfinished_imports);
END;
CREATE TRIGGER import_changes_of_former_member AFTER DELETE ON memberships
WHEN EXISTS (SELECT 1 FROM unfinished_imports) BEGIN
    UPDATE import_changes SET stale = 1
        WHERE user_id = OLD.user_id AND import_id IN (SELECT id FROM unfinished_imports);
END;

ALTER TABLE user_words ADD COLUMN wider INTEGER NOT NULL DEFAULT 0 CHECK (wider IN (0, 1));

DROP TRIGGER user_words_of_new_user;
CREATE TRIGGER user_words_of_new_user AFTER INSERT ON users BEGIN
    INSERT INTO user_words (user_id, person, puids, groups) VALUES
        (NEW.id, search_words(NEW.first_name, NEW.last_name, NEW.glance_address, NEW.email), '', '');
END;
DROP TRIGGER user_words_of_changed_user;
CREATE TRIGGER user_words_of_changed_user AFTER UPDATE OF first_name, last_name, glance_address, email ON users BEGIN
    UPDATE user_words
        SET person = search_words(NEW.first_name, NEW.last_name, NEW.glance_address, NEW.email, iif(wider, person, NULL))
        WHERE user_id = NEW.id AND person <>
            search_words(NEW.first_name, NEW.last_name, NEW.glance_address, NEW.email, iif(wider, person, NULL));
END;
DROP TRIGGER user_words_of_new_member;
CREATE TRIGGER user_words_of_new_member AFTER INSERT ON memberships BEGIN
    UPDATE user_words SET (puids, groups) = (
        SELECT search_words(group_concat(puid, ' '), iif(wider, puids, NULL)), coalesce(group_concat(
            char(983040 + (group_id >> 28 & 16383), 983040 + (group_id >> 14 & 16383), 983040 + (group_id & 16383)), ''), '')
        FROM memberships WHERE user_id = NEW.user_id
    ) WHERE user_id = NEW.user_id;
END;
DROP TRIGGER user_words_of_changed_member;
CREATE TRIGGER user_words_of_changed_member AFTER UPDATE OF puid ON memberships
WHEN OLD.puid IS NOT NEW.puid AND NOT EXISTS (
    SELECT 1 FROM user_words WHERE user_id = NEW.user_id AND wider = 1 AND search_words(puids, NEW.puid) = puids
) BEGIN
    UPDATE user_words SET (puids, groups) = (
        SELECT search_words(group_concat(puid, ' '), iif(wider, puids, NULL)), coalesce(group_concat(
            char(983040 + (group_id >> 28 & 16383), 983040 + (group_id >> 14 & 16383), 983040 + (group_id & 16383)), ''), '')
        FROM memberships WHERE user_id = NEW.user_id
    ) WHERE user_id = NEW.user_id;
END;
DROP TRIGGER user_words_of_former_member;
CREATE TRIGGER user_words_of_former_member AFTER DELETE ON memberships BEGIN
    UPDATE user_words SET (puids, groups) = (
        SELECT search_words(group_concat(puid, ' '), iif(wider, puids, NULL)), coalesce(group_concat(
            char(983040 + (group_id >> 28 & 16383), 983040 + (group_id >> 14 & 16383), 983040 + (group_id & 16383)), ''), '')
        FROM memberships WHERE user_id = OLD.user_id
    ) WHERE user_id = OLD.user_id;
END;
