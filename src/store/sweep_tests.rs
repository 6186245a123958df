#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::store::Store;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Mode::Production, Timestamp(0)).unwrap();
    (dir, store)
}

fn swept(store: &Store, now: Timestamp, mode: Mode) {
    let mut sweep = Sweep::new(now, mode);
    while let Some(ended) = store.read(|r| r.next_ended(&mut sweep)).unwrap() {
        store.write(now, move |w| w.remove_ended(&ended)).unwrap();
    }
}

fn count(store: &Store, sql: &'static str) -> i64 {
    store.read(|r| r.connection.query_row(sql, [], |row| row.get(0)).map_err(database_fault)).unwrap()
}

#[test]
fn every_kind_is_found_and_removed_by_statements_that_fit_the_schema() {
    let (_dir, store) = store();
    for kind in SWEPT {
        store
            .read(|r| {
                r.connection.prepare(&kind.find()).map_err(database_fault)?;
                r.connection.prepare(&kind.remove()).map_err(database_fault)?;
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{}: {error:?}", kind.table));
    }
}

#[test]
fn what_is_over_goes_and_what_is_not_stays() {
    let (_dir, store) = store();
    let now = Timestamp::from_seconds(200 * 24 * 3_600);
    store
        .write(now, |w| {
            w.connection
                .execute_batch(
                    "INSERT INTO groups (id, name, created_at) VALUES (7, 'Seven', 0);
                     INSERT INTO incidents (code, at, surface, reject, checks) VALUES ('OLD', 0, 's', 'r', '[]'),
                         ('NEW', 100 * 24 * 3600 * 1000 + 20 * 24 * 3600 * 1000, 's', 'r', '[]');
                     INSERT INTO let_in (account, at) VALUES ('address old', 0),
                         ('address new', 200 * 24 * 3600 * 1000 - 60000);
                     INSERT INTO saml_attempts (at, group_id, subject, checks, circumstances, sealed_response, kept_until)
                         VALUES (0, 7, 'a', '[]', '{}', x'00', 1), (0, 7, 'b', '[]', '{}', x'00', 1e15);
                     INSERT INTO sso_removed_keys (group_id, fingerprint, certificate, added_at, removed_at, until)
                         VALUES (7, 'a', x'00', 0, 0, 1), (7, 'b', x'00', 0, 0, 1e15);",
                )
                .map_err(database_fault)
        })
        .unwrap();
    let left = || {
        [
            count(&store, "SELECT count(*) FROM incidents"),
            count(&store, "SELECT count(*) FROM let_in"),
            count(&store, "SELECT count(*) FROM saml_attempts"),
            count(&store, "SELECT count(*) FROM saml_attempts WHERE sealed_response IS NOT NULL"),
            count(&store, "SELECT count(*) FROM sso_removed_keys"),
        ]
    };
    assert_eq!(left(), [2, 2, 2, 2, 2]);
    swept(&store, now, Mode::Lab);
    assert_eq!(left(), [1, 2, 2, 1, 1], "in a lab, whose clock may go back, only what must not stay");
    swept(&store, now, Mode::Production);
    assert_eq!(left(), [1, 1, 2, 1, 1]);
    assert_eq!(count(&store, "SELECT count(*) FROM incidents WHERE code = 'NEW'"), 1);
}
