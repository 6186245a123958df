//! Opening a database: which are opened, which are refused, and what is done to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use crate::model::queries::LogQuery;
use std::sync::mpsc::channel;

use super::migrations::tests::become_version;
use super::tests::{NOW, PATIENCE, acme, store};
use super::*;
use crate::model::{Caller, GroupId, Mark, UserId};

#[test]
fn a_lab_and_a_production_database_are_never_mixed() {
    let (dir, store) = store();
    drop(store);
    assert_eq!(Store::open(dir.path(), Mode::Production, NOW).err().unwrap().code, "other_mode");
    assert!(Store::open(dir.path(), Mode::Lab, NOW).is_ok());
}

#[test]
fn a_database_of_the_first_version_is_brought_up_to_date_and_loses_only_its_sessions() {
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(dir.path().join(DATABASE_FILE)).unwrap();
    become_version(&old, 1);
    old.execute_batch(
        "INSERT INTO users (id, glance_address, home_group_id, created_at, updated_at)
             VALUES (2, 'bob.acme', 7, 0, 0);
         INSERT INTO memberships (group_id, user_id, puid, created_at, updated_at)
             VALUES (7, 2, 'bob', 0, 0);
         INSERT INTO web_sessions VALUES (x'00', 7, 1, 0, 0, 9000000000000000);",
    )
    .unwrap();
    drop(old);
    let marks = |store: &Store| {
        let mark =
            |puid| store.sign_in_by_puid(GroupId(7), puid, |row| Ok(row.unwrap().member.unwrap().mark));
        [mark("ann").unwrap(), mark("bob").unwrap()]
    };
    let store = Store::open(dir.path(), Mode::Lab, NOW).unwrap();
    let [ann, bob] = marks(&store);
    assert_ne!(ann, bob);
    assert_eq!(store.read(|r| r.web_session(&[0], NOW)).unwrap(), None);
    store
        .write(NOW, |w| w.insert_web_session(&[1], GroupId(7), UserId(1), None, NOW.plus_seconds(60)))
        .unwrap();
    let session = store.read(|r| r.web_session(&[1], NOW)).unwrap().unwrap();
    assert_eq!((session.mark, session.member.mark), (ann, ann));
    drop(store);
    // The second start has nothing to do.
    assert_eq!(marks(&Store::open(dir.path(), Mode::Lab, NOW).unwrap()), [ann, bob]);
}

#[test]
fn a_database_of_the_second_version_keeps_its_sessions() {
    let dir = tempfile::tempdir().unwrap();
    let old = Connection::open(dir.path().join(DATABASE_FILE)).unwrap();
    become_version(&old, 2);
    old.execute_batch(
        "UPDATE memberships SET mark = 5;
         INSERT INTO web_sessions (fingerprint, group_id, user_id, created_at, used_at, expires_at, mark)
             VALUES (x'00', 7, 1, 2, 3, 9000000000000000, 5);",
    )
    .unwrap();
    drop(old);
    let store = Store::open(dir.path(), Mode::Lab, NOW).unwrap();
    let session = store.read(|r| r.web_session(&[0], NOW)).unwrap().unwrap();
    assert_eq!((session.mark, session.member.mark, session.created_at), (Mark(5), Mark(5), Timestamp(2)));
    store.write(NOW, |w| w.delete_user(UserId(1))).unwrap();
    assert_eq!(store.read(|r| r.web_session(&[0], NOW)).unwrap(), None);
}

fn bytes_of(dir: &tempfile::TempDir) -> Vec<u8> {
    std::fs::read(dir.path().join(DATABASE_FILE)).unwrap()
}

fn start_code(dir: &tempfile::TempDir) -> Option<&'static str> {
    Store::open(dir.path(), Mode::Lab, NOW).err().map(|e| e.code)
}

fn beside_code(dir: &tempfile::TempDir) -> Option<&'static str> {
    Store::open_beside(dir.path(), |_| Ok(())).err().map(|e| e.code)
}

#[test]
fn a_newer_schema_and_a_foreign_database_are_refused_and_stay_as_they_are() {
    for (made, code) in [
        ("PRAGMA application_id = 0x53644c74; PRAGMA user_version = 99", "newer_schema"),
        ("PRAGMA application_id = 5; PRAGMA user_version = 3", "foreign_database"),
        ("PRAGMA user_version = 3", "foreign_database"),
        ("CREATE TABLE theirs (x)", "foreign_database"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        Connection::open(dir.path().join(DATABASE_FILE)).unwrap().execute_batch(made).unwrap();
        let before = bytes_of(&dir);
        assert_eq!([start_code(&dir), beside_code(&dir)], [Some(code); 2], "{made}");
        assert!(bytes_of(&dir) == before, "{made}");
    }
}

#[test]
fn what_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(DATABASE_FILE);
    assert_eq!(beside_code(&dir), Some("no_database"));
    assert!(!path.exists());
    std::fs::write(&path, b"this is no database at all, but it is long enough to look at").unwrap();
    assert_eq!([start_code(&dir), beside_code(&dir)], [Some("database_unopened"); 2]);
}

/// Spoils the first page of a table, and gives back what the file is then.
fn damage(dir: &tempfile::TempDir, table: &str) -> Vec<u8> {
    let path = dir.path().join(DATABASE_FILE);
    let connection = Connection::open(&path).unwrap();
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap() as usize;
    let find = format!("SELECT rootpage FROM sqlite_schema WHERE name = '{table}'");
    // The table of tables names itself nowhere.
    let page = if table == "sqlite_schema" { 1 } else { number(&find) };
    let size = number("PRAGMA page_size");
    number("PRAGMA wal_checkpoint(TRUNCATE)");
    drop(connection);
    let mut bytes = std::fs::read(&path).unwrap();
    // The first page begins with what the file is.
    let head = if page == 1 { 100 } else { 0 };
    bytes[(page - 1) * size + head..page * size].fill(0xff);
    std::fs::write(&path, &bytes).unwrap();
    bytes
}

#[test]
fn reading_and_writing_fail_only_where_the_damage_is() {
    let (dir, store) = store();
    store.write(NOW, |w| w.insert_group(&acme())).unwrap();
    drop(store);
    damage(&dir, "access_log");
    let store = Store::open(dir.path(), Mode::Lab, NOW).unwrap();
    assert_eq!(store.read(|r| r.groups()).unwrap().len(), 1);
    let rows = store.read(|r| r.log_rows(&LogQuery { limit: 9, ..LogQuery::default() }));
    let written = store.log(NOW, LogEntry::done(&Caller::host(), None, "server.start", "", ""));
    for failed in [rows.unwrap_err(), written.unwrap_err()] {
        assert_eq!((failed.kind, failed.code), (Kind::Fault, "damaged_database"));
    }
    assert_eq!(store.last_check(), None);
    let check = store.check_whole(NOW).unwrap();
    assert!(check.damage.as_ref().is_some_and(|damage| damage.contains("access_log")), "{check:?}");
    assert_eq!(store.last_check(), Some(check));
}

#[test]
fn the_check_of_a_sound_database_finds_nothing() {
    let (_dir, store) = store();
    store.write(NOW, |w| w.insert_group(&acme())).unwrap();
    assert_eq!(store.check_whole(NOW).unwrap().damage, None);
}

#[test]
fn damage_in_what_the_database_says_of_itself_keeps_everybody_out() {
    for table in ["sqlite_schema", "appliance"] {
        let (dir, store) = store();
        drop(store);
        let damaged = damage(&dir, table);
        assert_eq!([start_code(&dir), beside_code(&dir)], [Some("damaged_database"); 2], "{table}");
        assert!(bytes_of(&dir) == damaged, "{table}");
    }
}

#[test]
fn a_damaged_database_is_not_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    become_version(&Connection::open(dir.path().join(DATABASE_FILE)).unwrap(), 2);
    let damaged = damage(&dir, "access_log");
    assert_eq!([start_code(&dir), beside_code(&dir)], [Some("damaged_database"); 2]);
    assert!(bytes_of(&dir) == damaged);
}

#[test]
fn a_database_of_this_version_is_opened_while_somebody_writes() {
    let (dir, store) = store();
    let ((entered, has_entered), (release, go_on)) = (channel(), channel());
    store
        .write_promised(NOW, move |_| {
            entered.send(()).unwrap();
            go_on.recv_timeout(PATIENCE).unwrap();
            Ok(())
        })
        .deliver(|_| ());
    has_entered.recv_timeout(PATIENCE).unwrap();
    let (beside, mode) = Store::open_beside(dir.path(), |_| Ok(())).unwrap();
    assert_eq!((beside.read(|r| r.groups()).unwrap(), mode), (vec![], Mode::Lab));
    assert_eq!(start_code(&dir), None);
    release.send(()).unwrap();
}

#[test]
fn an_older_database_is_brought_up_to_date_by_one_of_several_that_open_it_at_once() {
    let dir = tempfile::tempdir().unwrap();
    become_version(&Connection::open(dir.path().join(DATABASE_FILE)).unwrap(), 3);
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..4)
            .map(|number| {
                let dir = &dir;
                scope.spawn(move || if number % 2 == 0 { start_code(dir) } else { beside_code(dir) })
            })
            .collect();
        opening.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), None));
    });
    let (store, _) = Store::open_beside(dir.path(), |_| Ok(())).unwrap();
    assert_eq!(store.read(|r| r.groups()).unwrap().len(), 1);
}

#[test]
fn whoever_may_not_read_the_database_is_told_so_and_not_that_there_is_none() {
    let path = Path::new("/var/lib/sidelight/sidelight.db");
    let denied = open::unless_missing(path, &std::io::ErrorKind::PermissionDenied.into()).unwrap_err();
    assert_eq!(denied.code, "no_permission");
    assert!(denied.public.contains("sudo sidelight … --data /var/lib/sidelight"), "{}", denied.public);
    assert_eq!(open::unless_missing(path, &std::io::ErrorKind::NotFound.into()), Ok(None));
}
