-- The schema of Sidelight's database, version 19.
-- Times (`*_at`, `*_until`) are integer milliseconds since 1970-01-01T00:00:00Z.
-- Columns named `sealed_*` hold AES-256-GCM under a key that lives in another file.

CREATE TABLE appliance (
    -- One row of facts about this installation.
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    mode TEXT NOT NULL CHECK (mode IN ('production', 'lab')),
    claim_fingerprint BLOB,          -- of the one-time token in the claim link; NULL once claimed
    created_at INTEGER NOT NULL,
    closed_cleanly INTEGER NOT NULL DEFAULT 0 CHECK (closed_cleanly IN (0, 1)), -- then the file alone is the database
    log_salt INTEGER,                -- the number of the write-ahead log that may stand beside it, or of the next one
    sealed_check BLOB,               -- shows whether a key file belongs to this database
    restored_at INTEGER,             -- from a backup: assertions that were made before this are refused
    restore_report TEXT,             -- JSON: what may have been undone; NULL once an operator has read it
    key_recipient TEXT,              -- of age: to whom the key file is sealed into each backup; NULL: it is in none
    key_kept TEXT,                   -- the name of the key file of which an operator said that a copy is kept elsewhere
    epoch INTEGER NOT NULL DEFAULT 0 -- rises each time that a replica of the database is promoted
) STRICT;

CREATE TABLE backups (
    -- What is kept of each backup that was made, or was to be made.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ended_at INTEGER NOT NULL,
    file TEXT NOT NULL,              -- the directory where none was made
    bytes INTEGER NOT NULL,
    code TEXT,                       -- of the error; NULL when it was made and proven
    said TEXT NOT NULL,
    planned INTEGER NOT NULL CHECK (planned IN (0, 1))
) STRICT;

CREATE TABLE operators (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    password_hash TEXT NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    locked_until INTEGER,
    signed_in_at INTEGER,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE groups (
    id INTEGER PRIMARY KEY CHECK (id > 0),       -- the Group ID
    name TEXT NOT NULL COLLATE NOCASE UNIQUE,
    account_id TEXT UNIQUE,                      -- Unique Account ID, the value of idptoken
    sealed_api_key BLOB,
    sealed_previous_api_key BLOB,                -- only to explain a refusal
    api_key_changed_at INTEGER,
    created_at INTEGER NOT NULL,
    off_since INTEGER,                           -- NULL while the group is on
    allowed_sites TEXT NOT NULL DEFAULT '',      -- origins whose pages may frame ours, one a line
    -- Added to the mark of each membership: another one voids all tokens and web sessions of the group.
    mark INTEGER NOT NULL DEFAULT 0,
    -- Deleted: hidden from all, and taken away in portions.
    leaving INTEGER NOT NULL DEFAULT 0 CHECK (leaving IN (0, 1))
) STRICT;
CREATE INDEX groups_that_leave ON groups (id) WHERE leaving = 1;

CREATE TABLE retired_groups (
    -- Deleted groups: neither their number nor their Unique Account ID is ever given again.
    id INTEGER PRIMARY KEY,
    account_id TEXT,
    deleted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX retired_groups_by_account ON retired_groups (account_id) WHERE account_id IS NOT NULL;

CREATE TABLE group_settings (
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    PRIMARY KEY (group_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE password_policies (
    -- A group without a row has the default policy.
    group_id INTEGER PRIMARY KEY REFERENCES groups (id) ON DELETE CASCADE,
    rule TEXT NOT NULL,                          -- 'eight-mixed' and the like
    reset_message TEXT NOT NULL DEFAULT '',
    reset_requires_new INTEGER NOT NULL CHECK (reset_requires_new IN (0, 1)),
    reset_may_create INTEGER NOT NULL CHECK (reset_may_create IN (0, 1)),
    -- whether the group's SCIM tokens may set the passwords of its administrators
    scim_sets_administrators INTEGER NOT NULL DEFAULT 0 CHECK (scim_sets_administrators IN (0, 1))
) STRICT;

CREATE TABLE roles (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    name TEXT NOT NULL COLLATE NOCASE,
    description TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (group_id, name)
) STRICT;

CREATE TABLE role_settings (
    role_id INTEGER NOT NULL REFERENCES roles (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    PRIMARY KEY (role_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT,        -- personId; never used again after a delete
    glance_address TEXT NOT NULL COLLATE NOCASE UNIQUE,
    home_group_id INTEGER NOT NULL REFERENCES groups (id),
    first_name TEXT NOT NULL DEFAULT '',
    last_name TEXT NOT NULL DEFAULT '',
    email TEXT NOT NULL DEFAULT '' COLLATE NOCASE,
    phone TEXT NOT NULL DEFAULT '',
    password_hash TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    failed_at INTEGER NOT NULL DEFAULT 0,        -- the last failure
    locked_until INTEGER,
    signed_in_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX users_by_email ON users (email) WHERE email <> '';
CREATE INDEX users_by_home ON users (home_group_id);

CREATE TABLE memberships (
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    puid TEXT,                                   -- compared exactly
    role_id INTEGER REFERENCES roles (id),
    administrator INTEGER NOT NULL DEFAULT 0 CHECK (administrator IN (0, 1)),
    suspended INTEGER NOT NULL DEFAULT 0 CHECK (suspended IN (0, 1)),
    active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    -- Carried by tokens and web sessions; another one voids them: suspension, demotion, new password, and a
    -- membership that is made again. Every insert draws one.
    mark INTEGER NOT NULL DEFAULT (random() & 0x7fffffff),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX memberships_by_puid ON memberships (group_id, puid) WHERE puid IS NOT NULL;
-- Holds all that a sign-in asks of a membership, so that it need not turn to the table.
CREATE INDEX memberships_for_sign_in
    ON memberships (group_id, puid, user_id, suspended, active, role_id, administrator, mark)
    WHERE puid IS NOT NULL;
CREATE INDEX memberships_by_user ON memberships (user_id);
CREATE INDEX memberships_by_puid_in_any_case ON memberships (group_id, puid COLLATE NOCASE) WHERE puid IS NOT NULL;
CREATE INDEX memberships_by_role ON memberships (group_id, role_id, active);

CREATE TABLE user_words (
    -- What a search compares: the words of a user, folded, each behind two spaces. Kept by the triggers below, which
    -- need the function search_words of src/store/words.rs.
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    person TEXT NOT NULL,                        -- names, Glance Address, e-mail address
    puids TEXT NOT NULL,                         -- in all groups: only to find who may fit
    groups TEXT NOT NULL,                        -- three characters for each group of the user
    -- `person` and `puids` also have words that an import is to give the user, or has taken away: compare the user's own.
    wider INTEGER NOT NULL DEFAULT 0 CHECK (wider IN (0, 1))
) STRICT;
-- Which users have which three characters in a row; contents stay in user_words. Of a deleted user single groups of
-- three characters stay until parts of the index are merged: to wipe them at once (secure-delete) takes 2 ms a user.
CREATE VIRTUAL TABLE user_trigrams USING fts5 (
    person, puids, groups, content = 'user_words', content_rowid = 'user_id', detail = 'none',
    tokenize = 'trigram case_sensitive 1'
);
CREATE TRIGGER user_words_of_new_user AFTER INSERT ON users BEGIN
    INSERT INTO user_words (user_id, person, puids, groups) VALUES
        (NEW.id, search_words(NEW.first_name, NEW.last_name, NEW.glance_address, NEW.email), '', '');
END;
CREATE TRIGGER user_words_of_changed_user AFTER UPDATE OF first_name, last_name, glance_address, email ON users BEGIN
    UPDATE user_words
        SET person = search_words(NEW.first_name, NEW.last_name, NEW.glance_address, NEW.email, iif(wider, person, NULL))
        WHERE user_id = NEW.id AND person <>
            search_words(NEW.first_name, NEW.last_name, NEW.glance_address, NEW.email, iif(wider, person, NULL));
END;
CREATE TRIGGER user_words_of_new_member AFTER INSERT ON memberships BEGIN
    UPDATE user_words SET (puids, groups) = (
        SELECT search_words(group_concat(puid, ' '), iif(wider, puids, NULL)), coalesce(group_concat(
            char(983040 + (group_id >> 28 & 16383), 983040 + (group_id >> 14 & 16383), 983040 + (group_id & 16383)), ''), '')
        FROM memberships WHERE user_id = NEW.user_id
    ) WHERE user_id = NEW.user_id;
END;
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
CREATE TRIGGER user_words_of_former_member AFTER DELETE ON memberships BEGIN
    UPDATE user_words SET (puids, groups) = (
        SELECT search_words(group_concat(puid, ' '), iif(wider, puids, NULL)), coalesce(group_concat(
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

CREATE TABLE password_links (
    -- One-time links by which a person sets a password: the newest of each person. The triggers below end it where the
    -- person gets a password, by it or in another way, or the home group shuts the person out; its row tells whose it
    -- was until its time is over.
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

CREATE TABLE unfinished_imports (
    -- Imports that are prepared in portions: users with these numbers are hidden as long as the row is here. No
    -- reference: what is hidden must stay so when the group goes.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER NOT NULL,
    first_user_id INTEGER NOT NULL,
    last_user_id INTEGER NOT NULL,
    by_server INTEGER NOT NULL CHECK (by_server IN (0, 1)),       -- it ends with the server
    touched_at INTEGER NOT NULL,                                  -- in seconds, by the machine's clock
    abandoned INTEGER NOT NULL DEFAULT 0 CHECK (abandoned IN (0, 1)) -- to be swept out
) STRICT;

CREATE TABLE finished_imports (
    -- Imports that are in force, and whose rows of the access log are still to be appended.
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL                          -- when they came into force
) STRICT;

CREATE TABLE import_log (
    -- Rows of the access log that wait for their import to come into force.
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

CREATE TABLE import_changes (
    -- What an import makes of users who were there before, until it comes into force. NULL leaves what is there.
    import_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    group_id INTEGER,                            -- whose PUID and role
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
    first_log INTEGER,                           -- its rows in import_log
    last_log INTEGER,
    stale INTEGER NOT NULL DEFAULT 0 CHECK (stale IN (0, 1)), -- somebody else changed the user meanwhile
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

CREATE TABLE web_sessions (
    -- A signed-in browser: the cookie GSSNID. No index and no reference, which every sign-in would pay for:
    -- a session without its member, or with another mark than theirs, is void, and is swept out in its time.
    fingerprint BLOB PRIMARY KEY,                -- in the order of time
    group_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    mark INTEGER NOT NULL,                       -- the member's when they were judged
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE issued_credentials (
    -- What ValidateUser handed out ("G4S credentials"): the last of each user counts.
    user_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    fingerprint BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE let_in (
    -- Accounts that somebody let in again: a server forgets their failures when it next would refuse them.
    id INTEGER PRIMARY KEY AUTOINCREMENT,        -- a server reads what came after the last that it read
    account TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE console_sessions (
    -- A browser signed in to the console, as an operator or as a group's administrator.
    fingerprint BLOB PRIMARY KEY,
    operator_id INTEGER REFERENCES operators (id) ON DELETE CASCADE,
    group_id INTEGER,
    user_id INTEGER,
    created_at INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    FOREIGN KEY (group_id, user_id) REFERENCES memberships (group_id, user_id) ON DELETE CASCADE,
    CHECK ((operator_id IS NULL) <> (user_id IS NULL)),
    CHECK ((group_id IS NULL) = (user_id IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE scim_tokens (
    -- What a group's identity provider proves itself with when it provisions over SCIM.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    fingerprint BLOB NOT NULL UNIQUE,
    label TEXT NOT NULL,
    made_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER                              -- to a few minutes
) STRICT;
CREATE INDEX scim_tokens_by_group ON scim_tokens (group_id, id);

CREATE TABLE scim_details (
    -- What an identity provider wrote of a member beyond what the house keeps, to write it back.
    group_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    document TEXT NOT NULL,                      -- JSON
    PRIMARY KEY (group_id, user_id),
    FOREIGN KEY (group_id, user_id) REFERENCES memberships (group_id, user_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE scim_role_ids (
    -- The identity provider's own name of a role.
    role_id INTEGER PRIMARY KEY REFERENCES roles (id) ON DELETE CASCADE,
    external_id TEXT NOT NULL
) STRICT;

CREATE TABLE access_log (
    -- Not AUTOINCREMENT: no row is ever deleted, so no id is used again, and each row is written faster.
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    group_id INTEGER,                            -- no reference: the log outlives what it speaks of
    ip TEXT,
    actor TEXT NOT NULL,
    operation TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    refused INTEGER NOT NULL CHECK (refused IN (0, 1)),
    code TEXT,
    incident TEXT
) STRICT;
-- Rows are read newest first, by id, which every index ends in. Each index costs every sign-in.
CREATE INDEX access_log_by_group ON access_log (group_id);
CREATE INDEX access_log_by_incident ON access_log (incident) WHERE incident IS NOT NULL;
CREATE TRIGGER access_log_is_never_changed BEFORE UPDATE ON access_log
BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END;
CREATE TRIGGER access_log_is_never_deleted BEFORE DELETE ON access_log
BEGIN SELECT RAISE(ABORT, 'the access log is append-only'); END;

CREATE TABLE incidents (
    -- What an administrator sees when opening an incident code.
    code TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    group_id INTEGER,
    surface TEXT NOT NULL,                       -- 'login-key', 'saml'
    reject TEXT NOT NULL,                        -- the stable code
    checks TEXT NOT NULL,                        -- JSON: the numbered checks
    repair TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE INDEX incidents_by_group ON incidents (group_id, at);
CREATE INDEX incidents_by_time ON incidents (at);

CREATE TABLE sso_configurations (
    -- SSO Configure: at most one row a group; no row means Off. The Unique Account ID stands in groups.
    group_id INTEGER PRIMARY KEY REFERENCES groups (id) ON DELETE CASCADE,
    method TEXT NOT NULL CHECK (method IN ('off', 'saml', 'encrypted_saml')),
    description TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL CHECK (status IN ('provisioning', 'production')),
    idp_entity_id TEXT NOT NULL DEFAULT '',      -- the only issuer that is believed
    endpoint_url TEXT NOT NULL DEFAULT '',       -- where AuthnRequests go
    endpoint_type TEXT NOT NULL CHECK (endpoint_type IN ('redirect', 'post')),
    sp_entity_id TEXT NOT NULL,                  -- the Entity ID of the screen: ours, the audience
    identity_attribute TEXT NOT NULL DEFAULT '',
    -- whether the NameID names the user when that attribute did not come
    name_id_when_missing INTEGER NOT NULL DEFAULT 1 CHECK (name_id_when_missing IN (0, 1)),
    idp_initiated_redirect TEXT NOT NULL DEFAULT '',
    idp_initiated_allowed INTEGER NOT NULL CHECK (idp_initiated_allowed IN (0, 1)),
    authn_context TEXT NOT NULL
        CHECK (authn_context IN ('none', 'password_protected_transport', 'windows', 'unspecified')),
    acs_style TEXT NOT NULL CHECK (acs_style IN ('url_parameters', 'relay_state')),
    name_id_policy TEXT NOT NULL
        CHECK (name_id_policy IN ('email', 'unspecified', 'persistent', 'omit')),
    skew_seconds INTEGER NOT NULL CHECK (skew_seconds BETWEEN 0 AND 600),
    allow_sha1 INTEGER NOT NULL CHECK (allow_sha1 IN (0, 1)),
    allow_rsa15 INTEGER NOT NULL CHECK (allow_rsa15 IN (0, 1)),
    allow_3des INTEGER NOT NULL DEFAULT 0 CHECK (allow_3des IN (0, 1)),
    keep_responses INTEGER NOT NULL CHECK (keep_responses IN (0, 1)),
    autoprovision TEXT NOT NULL CHECK (autoprovision IN ('off', 'create', 'create_and_update')),
    mapping TEXT NOT NULL,                       -- JSON: the template of each field
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sso_keys (
    -- The identity provider's certificates: five at most, tried in the order of their positions.
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    position INTEGER NOT NULL CHECK (position BETWEEN 1 AND 5),
    fingerprint TEXT NOT NULL,                   -- SHA-256 of the DER, hexadecimal
    certificate BLOB NOT NULL,                   -- DER
    added_at INTEGER NOT NULL,
    last_verified_at INTEGER,                    -- when a response was last accepted by this key
    PRIMARY KEY (group_id, position),
    UNIQUE (group_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE sso_removed_keys (
    -- Certificates of identity providers that were removed, kept aside so that they can be put back.
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    certificate BLOB NOT NULL,                   -- DER
    added_at INTEGER NOT NULL,
    last_verified_at INTEGER,
    removed_at INTEGER NOT NULL,
    until INTEGER NOT NULL,                      -- when it is forgotten
    PRIMARY KEY (group_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE sp_keys (
    -- Our own key pairs, to which identity providers encrypt: the newest is in the metadata, older ones
    -- still decrypt until they are removed.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    certificate BLOB NOT NULL,                   -- DER
    sealed_private_key BLOB NOT NULL,            -- PKCS#8 DER
    last_used_at INTEGER,                        -- when a response was last decrypted with it
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sp_keys_by_group ON sp_keys (group_id, id);

CREATE TABLE saml_requests (
    -- AuthnRequests that wait for their answer.
    id TEXT PRIMARY KEY,                         -- its ID, which comes back as InResponseTo
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    relay_state TEXT NOT NULL UNIQUE,            -- the opaque handle
    browser BLOB NOT NULL,                       -- fingerprint of the browser's cookie
    target TEXT NOT NULL,                        -- JSON: what to do after the sign-in
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX saml_requests_by_browser ON saml_requests (browser, group_id);

CREATE TABLE saml_replays (
    -- Assertions that were accepted, until they could not be accepted again.
    fingerprint BLOB PRIMARY KEY,                -- SHA-256 of issuer and assertion ID
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE saml_attempts (
    -- What came to the ACS: each refusal, and everything while a group is in Provisioning.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    incident TEXT UNIQUE,
    code TEXT,                                   -- of the reject; NULL when accepted
    subject TEXT NOT NULL,                       -- the NameID of a verified assertion; '' otherwise
    checks TEXT NOT NULL,                        -- JSON: the numbered checks
    keys TEXT,                                   -- JSON: where no key verified, those tried and the one that came
    attributes TEXT,                             -- JSON: of a verified assertion, in Provisioning only
    circumstances TEXT,                          -- JSON: ACS URLs and outstanding requests of a kept response
    sealed_response BLOB,                        -- kept when switched on
    kept_until INTEGER                           -- when the response is wiped
) STRICT;
CREATE INDEX saml_attempts_by_group ON saml_attempts (group_id, id);
CREATE INDEX saml_attempts_by_keeping ON saml_attempts (kept_until) WHERE kept_until IS NOT NULL;
