//! The database and the log beside it: what a clean stop and a crash leave, which log belongs to which database, and
//! that a refused one stays as it was.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use std::collections::BTreeMap;

use tempfile::TempDir;

use super::migrations::tests::become_version;
use super::tests::{NOW, store};
use super::*;
use crate::model::GroupId;

fn database(dir: &TempDir) -> PathBuf {
    dir.path().join(DATABASE_FILE)
}

fn log_of(dir: &TempDir) -> PathBuf {
    log_file::beside(&database(dir), "-wal")
}

/// Every file of the directory, by name.
fn files(dir: &TempDir) -> BTreeMap<String, Vec<u8>> {
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    std::fs::read_dir(dir.path()).unwrap().map(file).collect()
}

/// What a killed process leaves: the files as they are at this instant.
fn as_after_a_crash(dir: &TempDir) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    files(dir).into_iter().for_each(|(name, bytes)| std::fs::write(copy.path().join(name), bytes).unwrap());
    copy
}

fn add_group(store: &Store, number: i64) {
    let group = NewGroup { id: GroupId(number), name: format!("Group {number}"), account_id: None };
    store.write(NOW, move |w| w.insert_group(&group)).unwrap();
}

fn groups_in(dir: &TempDir) -> Vec<i64> {
    let (store, _) = Store::open_beside(dir.path(), |_| Ok(())).unwrap();
    store.read(|r| r.groups()).unwrap().iter().map(|group| group.id.0).collect()
}

fn opened(dir: &TempDir, lost_log: LostLog) -> Result<Store> {
    Store::open_if(dir.path(), Mode::Lab, NOW, lost_log, |_| Ok(()))
}

/// A crashed database with group 1 in its file and group 2 in its log, and its file as the clean stop between left it.
fn crashed_and_its_backup() -> (TempDir, Vec<u8>) {
    let (dir, store) = store();
    add_group(&store, 1);
    drop(store);
    let backup = std::fs::read(database(&dir)).unwrap();
    let store = Store::open(dir.path(), Mode::Lab, NOW).unwrap();
    add_group(&store, 2);
    (as_after_a_crash(&dir), backup)
}

#[test]
fn a_clean_stop_leaves_everything_in_the_one_file() {
    let (dir, store) = store();
    add_group(&store, 1);
    assert_eq!(store.close(), Some(Closed::Whole));
    assert_eq!(files(&dir).into_keys().collect::<Vec<_>>(), [DATABASE_FILE]);
    assert_eq!(store.close(), None);
    assert_eq!(store.read(|r| r.groups()).unwrap_err().code, "store_closing");
    assert_eq!(store.write(NOW, |_| Ok(())).unwrap_err().code, "store_closing");
    assert_eq!(groups_in(&dir), [1]);
}

#[test]
fn after_a_crash_all_is_there_without_more_ado() {
    for with_index in [true, false] {
        let (dir, _) = crashed_and_its_backup();
        if !with_index {
            std::fs::remove_file(log_file::beside(&database(&dir), "-shm")).unwrap();
        }
        // A command on the host comes first, then the server.
        assert_eq!(groups_in(&dir), [1, 2]);
        drop(Store::open(dir.path(), Mode::Lab, NOW).unwrap());
        assert_eq!(groups_in(&dir), [1, 2]);
    }
}

#[test]
fn a_file_that_was_not_closed_cleanly_and_lost_its_log_is_opened_only_when_that_is_accepted() {
    let (dir, _) = crashed_and_its_backup();
    std::fs::remove_file(log_of(&dir)).unwrap();
    let before = files(&dir);
    assert_eq!(opened(&dir, LostLog::Refuse).err().unwrap().code, "not_closed_cleanly");
    assert_eq!(Store::open_beside(dir.path(), |_| Ok(())).err().unwrap().code, "not_closed_cleanly");
    assert!(files(&dir) == before);
    let store = opened(&dir, LostLog::Accept).unwrap();
    assert_eq!(groups_in(&as_after_a_crash(&dir)), [1]);
    drop(store);
    assert_eq!(groups_in(&dir), [1]);
}

/// Spoils a crashed database in one way; gives back with which code it is refused then.
type Spoil = fn(&TempDir, Vec<u8>) -> &'static str;

const SPOILED: &[(&str, Spoil)] = &[
    ("a backup beside an old log", |dir, backup| {
        std::fs::write(database(dir), backup).unwrap();
        "log_of_another"
    }),
    ("the log of another database", |dir, _| {
        let (other, store) = store();
        add_group(&store, 9);
        std::fs::copy(log_of(&other), log_of(dir)).unwrap();
        "log_of_another"
    }),
    ("the log of another database beside a clean file", |dir, backup| {
        let (other, _) = crashed_and_its_backup();
        std::fs::copy(log_of(&other), log_of(dir)).unwrap();
        std::fs::write(database(dir), backup).unwrap();
        "log_of_another"
    }),
    ("garbage beside a log", |dir, _| {
        std::fs::write(database(dir), "no database, though long enough to look at it for a while").unwrap();
        "database_unopened"
    }),
    ("nothing beside a log", |dir, _| {
        std::fs::write(database(dir), "").unwrap();
        "empty_database"
    }),
    ("nothing at all", |dir, _| {
        std::fs::remove_file(log_of(dir)).unwrap();
        std::fs::write(database(dir), "").unwrap();
        "empty_database"
    }),
    ("the file of an older program without its log", |dir, _| {
        std::fs::remove_file(log_of(dir)).unwrap();
        std::fs::remove_file(database(dir)).unwrap();
        let older = Connection::open(database(dir)).unwrap();
        older.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        "empty_database"
    }),
    ("a newer version in the log", |dir, _| {
        write_as_another_program(dir, "PRAGMA user_version = 99");
        "newer_schema"
    }),
    ("version 0", |dir, _| {
        write_as_another_program(dir, "PRAGMA user_version = 0");
        "unknown_schema"
    }),
    ("another program's database", |dir, _| {
        write_as_another_program(dir, "PRAGMA application_id = 5");
        "foreign_database"
    }),
    ("no appliance", |dir, _| {
        write_as_another_program(dir, "DELETE FROM appliance");
        "other_mode"
    }),
    ("the other mode", |dir, _| {
        write_as_another_program(dir, "UPDATE appliance SET mode = 'production'");
        "other_mode"
    }),
];

/// Writes to the log and ends as if killed.
fn write_as_another_program(dir: &TempDir, sql: &str) {
    let copy = as_after_a_crash(dir);
    let connection = Connection::open(database(&copy)).unwrap();
    connection.execute_batch(sql).unwrap();
    let crashed = as_after_a_crash(&copy);
    files(&crashed)
        .into_iter()
        .for_each(|(name, bytes)| std::fs::write(dir.path().join(name), bytes).unwrap());
}

#[test]
fn a_refused_database_stays_as_it_was_with_its_log_and_index() {
    for (name, spoil) in SPOILED {
        for with_index in [true, false] {
            let (dir, backup) = crashed_and_its_backup();
            let code = spoil(&dir, backup);
            let index = log_file::beside(&database(&dir), "-shm");
            if !with_index {
                log_file::remove(&index).unwrap();
            }
            let before = files(&dir);
            let server = Store::open(dir.path(), Mode::Lab, NOW).err().map(|e| e.code);
            let command = Store::open_beside(dir.path(), |_| Ok(())).err().map(|e| e.code);
            assert_eq!(server, Some(code), "{name}");
            // A command takes the mode that the database belongs to.
            assert!(command == Some(code) || *name == "the other mode", "{name}: {command:?}");
            if *name != "the other mode" {
                assert!(files(&dir) == before, "{name}");
            }
        }
    }
}

#[test]
fn a_database_of_the_other_mode_and_one_that_the_judge_refuses_stay_as_they_were() {
    let (dir, _) = crashed_and_its_backup();
    let before = files(&dir);
    assert_eq!(Store::open(dir.path(), Mode::Production, NOW).err().unwrap().code, "other_mode");
    let judge = |reader: &Reader<'_>| {
        // It is shown what stands in the log, too.
        assert_eq!(reader.groups().unwrap().len(), 2);
        Err(Error::denied("no"))
    };
    assert!(Store::open_if(dir.path(), Mode::Lab, NOW, LostLog::Accept, judge).is_err());
    assert!(Store::open_beside(dir.path(), judge).is_err());
    assert!(files(&dir) == before);
}

#[test]
fn a_log_without_a_database_is_refused() {
    let (dir, _) = crashed_and_its_backup();
    std::fs::remove_file(database(&dir)).unwrap();
    let before = files(&dir);
    assert_eq!(Store::open(dir.path(), Mode::Lab, NOW).err().unwrap().code, "log_without_database");
    assert!(files(&dir) == before);
}

#[test]
fn a_start_that_ended_at_its_first_mark_hinders_no_later_one() {
    let (dir, store) = store();
    add_group(&store, 1);
    drop(store);
    let connection = connect::writer(&database(&dir)).unwrap();
    connection
        .execute_batch("UPDATE appliance SET closed_cleanly = 0; UPDATE appliance SET log_salt = 1")
        .unwrap();
    let crashed = as_after_a_crash(&dir);
    assert_eq!(groups_in(&crashed), [1]);
}

#[test]
fn what_an_older_program_left_in_the_log_is_there() {
    let older = tempfile::tempdir().unwrap();
    let connection = Connection::open(database(&older)).unwrap();
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
    become_version(&connection, 4);
    let crashed = as_after_a_crash(&older);
    assert_eq!(std::fs::metadata(database(&crashed)).unwrap().len(), 4096);
    drop(Store::open(crashed.path(), Mode::Lab, NOW).unwrap());
    assert_eq!(groups_in(&crashed), [7]);
    assert!(!log_of(&crashed).exists());
}

#[test]
fn whoever_closes_last_leaves_the_one_file() {
    let (dir, server) = store();
    let (command, _) = Store::open_beside(dir.path(), |_| Ok(())).unwrap();
    add_group(&command, 1);
    assert_eq!(server.close(), Some(Closed::HeldByAnother));
    add_group(&command, 2);
    // Killed now, the rest is in the log.
    assert_eq!(groups_in(&as_after_a_crash(&dir)), [1, 2]);
    assert_eq!(command.close(), Some(Closed::Whole));
    assert_eq!(files(&dir).into_keys().collect::<Vec<_>>(), [DATABASE_FILE]);
    assert_eq!(groups_in(&dir), [1, 2]);
}

fn write_much(store: &Store, mebibytes: usize) {
    for _ in 0..mebibytes {
        let entry = LogEntry::done(&crate::model::Caller::host(), None, "x", "", "x".repeat(1 << 20));
        store.log(NOW, entry).unwrap();
    }
}

#[test]
fn the_log_stays_short_unless_somebody_reads_for_long_and_is_cut_after_that() {
    let (dir, store) = store();
    let size = || std::fs::metadata(log_of(&dir)).unwrap().len() >> 20;
    write_much(&store, 40);
    assert!(size() <= 20, "{} MiB", size());
    // At any time a crash leaves a log that belongs to the file.
    drop(Store::open(as_after_a_crash(&dir).path(), Mode::Lab, NOW).unwrap());
    store
        .search(&Asker::of(&crate::model::Caller::host(), None), |reader| {
            reader.groups()?;
            write_much(&store, 40);
            Ok(())
        })
        .unwrap();
    assert!(size() >= 40, "{} MiB", size());
    write_much(&store, 5);
    assert!(size() <= 20, "{} MiB", size());
    drop(Store::open(as_after_a_crash(&dir).path(), Mode::Lab, NOW).unwrap());
}

#[test]
fn a_log_follows_the_one_that_is_named_by_a_bounded_number() {
    use super::log_file::follows;
    assert!(follows(7, 7) && follows(8, 7) && follows(7 + (1 << 20), 7) && follows(3, u32::MAX));
    assert!(!follows(6, 7) && !follows(8 + (1 << 20), 7));
}

#[test]
fn after_a_crash_a_log_that_litestream_began_again_is_believed_and_that_of_another_program_is_not() {
    for (replicated, code) in [(true, None), (false, Some("log_of_another"))] {
        let (dir, store) = store();
        if replicated {
            write_as_another_program(&dir, "CREATE TABLE _litestream_seq (id INTEGER)");
        }
        for number in 1..=3 {
            add_group(&store, number);
            let other = Connection::open(database(&dir)).unwrap();
            other.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
        }
        add_group(&store, 4);
        let crashed = as_after_a_crash(&dir);
        drop(store);
        assert_eq!(opened(&crashed, LostLog::Refuse).err().map(|error| error.code), code, "{replicated}");
        if replicated {
            assert_eq!(groups_in(&crashed), [1, 2, 3, 4]);
        }
    }
}
