#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

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
fn what_strangers_can_make_large_is_found_by_an_index() {
    let (_dir, store) = store();
    for kind in SWEPT.iter().filter(|kind| ["incidents", "saml_attempts"].contains(&kind.table)) {
        let plan = format!("EXPLAIN QUERY PLAN {}", kind.find());
        let plan: Vec<String> = store
            .read(|r| {
                let mut statement = r.connection.prepare(&plan).map_err(database_fault)?;
                let steps = statement.query_map((0, 1, Value::Null), |row| row.get("detail"));
                steps.and_then(Iterator::collect).map_err(database_fault)
            })
            .unwrap();
        assert!(plan.len() == 1 && plan[0].starts_with("SEARCH"), "{}: {plan:?}", kind.table);
    }
}

#[test]
fn more_than_one_portion_goes_by_an_index_too() {
    let (_dir, store) = store();
    let many = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
                INSERT INTO incidents (code, at, surface, reject, checks) SELECT 'C' || i, i, 's', 'r', '[]' FROM n";
    store.write(Timestamp(0), move |w| w.connection.execute_batch(many).map_err(database_fault)).unwrap();
    swept(&store, Timestamp(QUARTER * 1_000 + 1_100), Mode::Production);
    assert_eq!(count(&store, "SELECT count(*) FROM incidents"), 100);
    assert_eq!(count(&store, "SELECT min(at) FROM incidents"), 1_101);
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
