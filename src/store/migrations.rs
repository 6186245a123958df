//! The steps from one version of the database to the next, one numbered file each in `migrations/`.
//!
//! `schema.sql` is the whole schema of the newest version; a new database is made from it. A step is plain SQL.
//! What only SQLite understands is named in the file's head, so that another database can be told the rest as it
//! stands.

use rusqlite::Connection;

/// The version that the first step starts from.
const FIRST_VERSION: i32 = 1;

/// The step to each version after the first, in order: `0002_*.sql` leads from version 1 to 2.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0002_membership_marks.sql"),
    include_str!("migrations/0003_fewer_indexes.sql"),
    include_str!("migrations/0004_let_in.sql"),
    include_str!("migrations/0005_memberships_draw_their_mark.sql"),
    include_str!("migrations/0006_removed_sso_keys.sql"),
    include_str!("migrations/0007_groups_off_and_retired.sql"),
    include_str!("migrations/0008_search_words.sql"),
    include_str!("migrations/0009_sso_switches_and_keys_of_attempts.sql"),
    include_str!("migrations/0010_closed_cleanly.sql"),
    include_str!("migrations/0011_unfinished_imports.sql"),
    include_str!("migrations/0012_groups_leave_in_portions.sql"),
    include_str!("migrations/0013_allowed_sites_of_groups.sql"),
    include_str!("migrations/0014_password_links.sql"),
    include_str!("migrations/0015_imports_of_changes.sql"),
    include_str!("migrations/0016_restored_from_a_backup.sql"),
    include_str!("migrations/0017_backups.sql"),
    include_str!("migrations/0018_key_in_backups.sql"),
    include_str!("migrations/0019_epoch.sql"),
];

/// The version of `schema.sql`: the number of the newest step.
#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "a handful of files")]
pub const SCHEMA_VERSION: i32 = FIRST_VERSION + MIGRATIONS.len() as i32;

/// Makes the tables of the newest version in an empty database.
pub(super) fn make(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(include_str!("../../schema.sql"))?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)
}

/// Brings the tables from `version` to the newest version, inside the caller's transaction. Foreign keys must be
/// off: a step that makes a table again drops the old one, which would delete what refers to it.
pub(super) fn upgrade(connection: &Connection, version: i32) -> rusqlite::Result<()> {
    upgrade_to(connection, version, SCHEMA_VERSION)
}

fn upgrade_to(connection: &Connection, from: i32, to: i32) -> rusqlite::Result<()> {
    for (version, step) in (FIRST_VERSION + 1..=to).zip(MIGRATIONS) {
        if version > from {
            connection.execute_batch(step)?;
        }
    }
    connection.pragma_update(None, "user_version", to)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::clock::Timestamp;
    use crate::model::Mode;
    use crate::store::{DATABASE_FILE, Store};

    const SCHEMA: &str = include_str!("../../schema.sql");

    /// Fills a database as the program of an older version left it.
    pub fn become_version(connection: &Connection, version: i32) {
        crate::store::words::register(connection).unwrap();
        connection.execute_batch(include_str!("../../tests/fixtures/store/schema-1.sql")).unwrap();
        connection
            .execute_batch(
                "INSERT INTO appliance (only_row, mode, created_at) VALUES (1, 'lab', 0);
                 INSERT INTO groups (id, name, created_at) VALUES (7, 'Acme', 0);
                 INSERT INTO users (id, glance_address, home_group_id, created_at, updated_at)
                     VALUES (1, 'ann.acme', 7, 0, 0);
                 INSERT INTO memberships (group_id, user_id, puid, created_at, updated_at)
                     VALUES (7, 1, 'ann', 0, 0);
                 INSERT INTO console_sessions (fingerprint, group_id, user_id, created_at, used_at, expires_at)
                     VALUES (x'01', 7, 1, 0, 0, 9000000000000000);
                 INSERT INTO scim_details VALUES (7, 1, '{}');
                 PRAGMA application_id = 0x53644c74;",
            )
            .unwrap();
        connection.pragma_update(None, "foreign_keys", false).unwrap();
        upgrade_to(connection, FIRST_VERSION, version).unwrap();
        if version >= crate::store::accept::NAMES_ITS_LOG {
            connection.execute("UPDATE appliance SET closed_cleanly = 1", []).unwrap();
        }
    }

    /// What each table, index and trigger is, without comments, and without the order of a table's columns: a
    /// column that a step adds stands last.
    fn definitions(connection: &Connection) -> BTreeMap<String, Vec<String>> {
        let mut statement = connection
            .prepare("SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
            .unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).unwrap();
        rows.map(|row| row.map(|(name, sql)| (name, normalised(&sql))).unwrap()).collect()
    }

    fn normalised(sql: &str) -> Vec<String> {
        let bare: Vec<&str> =
            sql.lines().map(|line| line.split_once("--").map_or(line, |(code, _)| code)).collect();
        let text = bare.join(" ").replace('"', "");
        let mut parts = vec![String::new()];
        let mut depth = 0;
        for letter in text.chars() {
            depth += i32::from(letter == '(') - i32::from(letter == ')');
            let edge = matches!((letter, depth), (',' | '(', 1) | (')', 0));
            let between_columns = sql.starts_with("CREATE TABLE") && edge;
            match (between_columns, parts.last_mut()) {
                (false, Some(part)) => part.push(letter),
                _ => parts.push(String::new()),
            }
        }
        let mut parts: Vec<String> =
            parts.iter().map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        parts.sort();
        parts
    }

    /// The same as SQLite itself understands it: each column with its type, default and place in the key, and the
    /// columns of each index.
    fn structure(connection: &Connection) -> Vec<String> {
        let all = |sql: &str| -> Vec<String> {
            let mut statement = connection.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| row.get(0)).unwrap();
            rows.map(|row| row.unwrap()).collect()
        };
        let mut found = all("SELECT t.name || ' ' || c.name || ' ' || c.type || ' ' || c.\"notnull\" || ' '
                 || coalesce(c.dflt_value, '-') || ' ' || c.pk || ' ' || c.hidden
             FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type = 'table' ORDER BY 1");
        found.extend(all(
            "SELECT t.name || ' ' || l.name || ' ' || l.\"unique\" || ' ' || l.partial || ' ' || i.seqno || ' '
                 || coalesce(i.name, '-') || ' ' || i.coll || ' ' || i.\"desc\"
             FROM sqlite_schema t, pragma_index_list(t.name) l, pragma_index_xinfo(l.name) i
             WHERE t.type = 'table' AND i.key ORDER BY 1",
        ));
        found
    }

    #[test]
    fn a_database_of_every_older_version_becomes_what_schema_sql_makes_and_keeps_its_people() {
        let new = Connection::open_in_memory().unwrap();
        new.execute_batch(SCHEMA).unwrap();
        for version in FIRST_VERSION..=SCHEMA_VERSION {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join(DATABASE_FILE);
            become_version(&Connection::open(&path).unwrap(), version);
            let store = Store::open(dir.path(), Mode::Lab, Timestamp(0)).unwrap();
            let search = crate::model::queries::MemberQuery { search: "ACME".into(), ..Default::default() };
            let found = store.read(|r| r.count_members(crate::model::GroupId(7), &search, Timestamp(0)));
            assert_eq!(found.unwrap(), 1, "from version {version}");
            drop(store);
            let upgraded = Connection::open(&path).unwrap();
            let number = |sql: &str| upgraded.query_row(sql, [], |row| row.get::<_, i32>(0)).unwrap();
            assert_eq!(number("PRAGMA user_version"), SCHEMA_VERSION);
            assert_eq!(definitions(&upgraded), definitions(&new), "from version {version}");
            assert_eq!(structure(&upgraded), structure(&new), "from version {version}");
            // What refers to a table that was made again is still there.
            for table in ["users", "memberships", "console_sessions", "scim_details"] {
                assert_eq!(number(&format!("SELECT count(*) FROM {table}")), 1, "{table} from {version}");
            }
            assert_eq!(number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
        }
    }

    #[test]
    fn the_allowed_sites_move_from_single_sign_on_to_the_group() {
        let connection = Connection::open_in_memory().unwrap();
        become_version(&connection, 12);
        connection
            .execute_batch(
                "INSERT INTO groups (id, name, created_at) VALUES (8, 'Without', 0);
                 INSERT INTO sso_configurations (group_id, method, status, endpoint_type, sp_entity_id,
                     idp_initiated_allowed, authn_context, acs_style, name_id_policy, skew_seconds, allow_sha1,
                     allow_rsa15, keep_responses, autoprovision, mapping, allowed_sites, updated_at)
                 VALUES (7, 'off', 'provisioning', 'redirect', 'sp', 1, 'none', 'relay_state', 'email', 60, 0,
                     0, 0, 'off', '{}', 'https://a.example' || char(10) || 'https://b.example', 0);",
            )
            .unwrap();
        upgrade(&connection, 12).unwrap();
        let sites = |group: i64| {
            let sql = "SELECT allowed_sites FROM groups WHERE id = ?1";
            connection.query_row(sql, [group], |row| row.get::<_, String>(0)).unwrap()
        };
        assert_eq!((sites(7).as_str(), sites(8).as_str()), ("https://a.example\nhttps://b.example", ""));
    }

    #[test]
    fn each_step_is_the_next_numbered_file_and_the_schema_names_the_newest() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), MIGRATIONS.len());
        for ((version, file), step) in (FIRST_VERSION + 1..).zip(&files).zip(MIGRATIONS) {
            let name = file.file_name().unwrap().to_str().unwrap();
            assert!(name.starts_with(&format!("{version:04}_")), "{name} is not the step to {version}");
            assert_eq!(std::fs::read_to_string(file).unwrap(), **step, "{name} is not the step to {version}");
            let only_sqlite =
                ["STRICT", "WITHOUT ROWID", "AUTOINCREMENT", "PRAGMA", "random()", "BEGIN", "json_"];
            let used = |word: &&str| normalised(step).iter().any(|part| part.contains(*word));
            if let Some(word) = only_sqlite.iter().find(|word| used(word)) {
                assert!(step.contains("\n-- SQLite only:"), "{name} uses {word} and does not say so");
            }
        }
        assert!(
            SCHEMA
                .starts_with(&format!("-- The schema of Sidelight's database, version {SCHEMA_VERSION}.\n"))
        );
    }
}
