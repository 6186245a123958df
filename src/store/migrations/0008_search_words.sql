-- Searches fold letters of every script, and find a word anywhere in a name among a million users.
-- SQLite only: FTS5, its triggers, and the function search_words of src/store/words.rs. Elsewhere an index of
-- trigrams over the same three columns takes their place.
CREATE TABLE user_words (
    -- What a search compares: the words of a user, folded, each behind two spaces. Kept by the triggers below, which
    -- need the function search_words of src/store/words.rs.
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    person TEXT NOT NULL,                        -- names, Glance Address, e-mail address
    puids TEXT NOT NULL,                         -- in all groups: only to find who may fit
    groups TEXT NOT NULL                         -- three characters for each group of the user
) STRICT;
-- Which users have which three characters in a row; contents stay in user_words. Of a deleted user single groups of
-- three characters stay until parts of the index are merged: to wipe them at once (secure-delete) takes 2 ms a user.
CREATE VIRTUAL TABLE user_trigrams USING fts5 (
    person, puids, groups, content = 'user_words', content_rowid = 'user_id', detail = 'none',
    tokenize = 'trigram case_sensitive 1'
);
INSERT INTO user_words
    SELECT id, search_words(first_name, last_name, glance_address, email),
        (SELECT search_words(group_concat(puid, ' ')) FROM memberships WHERE user_id = id),
        coalesce((SELECT group_concat(
            char(983040 + (group_id >> 28 & 16383), 983040 + (group_id >> 14 & 16383), 983040 + (group_id & 16383)), '')
            FROM memberships WHERE user_id = id), '')
    FROM users;
INSERT INTO user_trigrams (rowid, person, puids, groups)
    SELECT user_id, person, puids, groups FROM user_words WHERE groups <> '';
CREATE TRIGGER user_words_of_new_user AFTER INSERT ON users BEGIN
    INSERT INTO user_words VALUES
        (NEW.id, search_words(NEW.first_name, NEW.last_name, NEW.glance_address, NEW.email), '', '');
END;
CREATE TRIGGER user_words_of_changed_user AFTER UPDATE OF first_name, last_name, glance_address, email ON users BEGIN
    UPDATE user_words SET person = search_words(NEW.first_name, NEW.last_name, NEW.glance_address, NEW.email)
        WHERE user_id = NEW.id;
END;
CREATE TRIGGER user_words_of_new_member AFTER INSERT ON memberships BEGIN
    UPDATE user_words SET (puids, groups) = (
        SELECT search_words(group_concat(puid, ' ')), coalesce(group_concat(
            char(983040 + (group_id >> 28 & 16383), 983040 + (group_id >> 14 & 16383), 983040 + (group_id & 16383)), ''), '')
        FROM memberships WHERE user_id = NEW.user_id
    ) WHERE user_id = NEW.user_id;
END;
CREATE TRIGGER user_words_of_changed_member AFTER UPDATE OF puid ON memberships WHEN OLD.puid IS NOT NEW.puid BEGIN
    UPDATE user_words SET (puids, groups) = (
        SELECT search_words(group_concat(puid, ' ')), coalesce(group_concat(
            char(983040 + (group_id >> 28 & 16383), 983040 + (group_id >> 14 & 16383), 983040 + (group_id & 16383)), ''), '')
        FROM memberships WHERE user_id = NEW.user_id
    ) WHERE user_id = NEW.user_id;
END;
CREATE TRIGGER user_words_of_former_member AFTER DELETE ON memberships BEGIN
    UPDATE user_words SET (puids, groups) = (
        SELECT search_words(group_concat(puid, ' ')), coalesce(group_concat(
            char(983040 + (group_id >> 28 & 16383), 983040 + (group_id >> 14 & 16383), 983040 + (group_id & 16383)), ''), '')
        FROM memberships WHERE user_id = OLD.user_id
    ) WHERE user_id = OLD.user_id;
END;
-- Whoever belongs to no group is found by no search.
CREATE TRIGGER user_trigrams_of_new_words AFTER INSERT ON user_words WHEN NEW.groups <> '' BEGIN
    INSERT INTO user_trigrams (rowid, person, puids, groups)
        VALUES (NEW.user_id, NEW.person, NEW.puids, NEW.groups);
END;
CREATE TRIGGER user_trigrams_of_changed_words AFTER UPDATE ON user_words
WHEN (OLD.person, OLD.puids, OLD.groups) IS NOT (NEW.person, NEW.puids, NEW.groups) BEGIN
    INSERT INTO user_trigrams (user_trigrams, rowid, person, puids, groups)
        SELECT 'delete', OLD.user_id, OLD.person, OLD.puids, OLD.groups WHERE OLD.groups <> '';
    INSERT INTO user_trigrams (rowid, person, puids, groups)
        SELECT NEW.user_id, NEW.person, NEW.puids, NEW.groups WHERE NEW.groups <> '';
END;
CREATE TRIGGER user_trigrams_of_deleted_words AFTER DELETE ON user_words WHEN OLD.groups <> '' BEGIN
    INSERT INTO user_trigrams (user_trigrams, rowid, person, puids, groups)
        VALUES ('delete', OLD.user_id, OLD.person, OLD.puids, OLD.groups);
END;
