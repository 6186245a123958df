#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use crate::model::queries::LogQuery;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::model::{Caller, GroupId, UserId};

pub(super) const NOW: Timestamp = Timestamp(1_593_907_200_000);

pub(super) fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), Mode::Lab, NOW).unwrap();
    (dir, store)
}

pub(super) fn acme() -> NewGroup {
    NewGroup { id: GroupId(12345), name: "Acme".into(), account_id: None }
}

#[test]
fn the_bundled_sqlite_is_past_the_wal_race() {
    let mut parts = Store::sqlite_version().split('.').map(|p| p.parse::<u32>().unwrap());
    let version = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    assert!(version >= (3, 51, 3), "{version:?}");
}

#[test]
fn a_change_and_its_log_row_are_one_transaction() {
    let (_dir, store) = store();
    let failed: Result<()> = store.write(NOW, |w| {
        w.insert_group(&acme())?;
        w.log(&LogEntry::done(&Caller::host(), Some(GroupId(12345)), "group.create", "12345", ""))?;
        Err(Error::denied("no"))
    });
    assert_eq!(failed.unwrap_err().kind, Kind::Denied);
    assert_eq!(store.read(|r| r.groups()).unwrap(), vec![]);
    assert_eq!(store.read(|r| r.log_rows(&LogQuery { limit: 9, ..LogQuery::default() })).unwrap(), vec![]);
}

#[test]
fn a_failed_or_panicking_write_does_not_harm_its_neighbours() {
    let (_dir, store) = store();
    std::thread::scope(|scope| {
        for number in 1..=60_i64 {
            let store = &store;
            scope.spawn(move || {
                let group = NewGroup { id: GroupId(number), name: number.to_string(), account_id: None };
                let outcome = store.write(NOW, move |w| {
                    w.insert_group(&group)?;
                    match number % 3 {
                        0 => Ok(()),
                        1 => Err(Error::denied("no")),
                        _ => panic!("a hostile write"),
                    }
                });
                assert_eq!(outcome.is_ok(), number % 3 == 0);
            });
        }
    });
    assert_eq!(store.read(|r| r.groups()).unwrap().len(), 20);
}

/// Holds the writer at a job until the others are queued, so that all share one transaction; gives back what
/// became of the first and of the others.
fn in_one_transaction(store: &Store, others: Vec<Promise<()>>) -> Vec<Result<()>> {
    let ((entered, has_entered), (release, go_on)) = (channel(), channel());
    let hold = store.write_promised(NOW, move |w| {
        w.insert_group(&NewGroup { id: GroupId(1), name: "First".into(), account_id: None })?;
        entered.send(()).unwrap();
        go_on.recv_timeout(PATIENCE).unwrap();
        Ok(())
    });
    let told: Vec<_> = std::iter::once(hold)
        .chain(others)
        .map(|promise| {
            let (tell, told) = channel();
            promise.deliver(move |outcome| tell.send(outcome()).unwrap());
            told
        })
        .collect();
    has_entered.recv_timeout(PATIENCE).unwrap();
    release.send(()).unwrap();
    told.iter().map(|told| told.recv_timeout(PATIENCE).unwrap()).collect()
}

/// Writes more than the database may grow by, after which SQLite gives the transaction up.
fn overfill(w: &Writer<'_>) -> Result<()> {
    w.connection.query_row("PRAGMA max_page_count = 1", [], |_| Ok(())).map_err(database_fault)?;
    w.insert_group(&NewGroup { id: GroupId(2), name: "x".repeat(500_000), account_id: None })
}

fn group_numbers(store: &Store) -> Vec<i64> {
    store.read(|r| r.groups()).unwrap().iter().map(|group| group.id.0).collect()
}

#[test]
fn when_the_disk_is_full_nothing_of_the_transaction_is_kept_and_those_who_wait_get_the_next() {
    let (_dir, store) = store();
    let filling = store.write_promised(NOW, overfill);
    let after = store.write_promised(NOW, |w| w.insert_group(&acme()));
    let outcomes = in_one_transaction(&store, vec![filling, after]);
    assert_eq!(outcomes[0].clone().unwrap_err().code, "transaction_given_up");
    assert_eq!(outcomes[1].clone().unwrap_err().code, "disk_full");
    assert_eq!(outcomes[2], Ok(()));
    assert_eq!(group_numbers(&store), [12345]);
}

#[test]
fn a_task_that_goes_on_after_the_transaction_was_given_up_writes_nothing() {
    let (_dir, store) = store();
    let failed = store.write(NOW, |w| {
        assert!(overfill(w).is_err() && w.connection.is_autocommit());
        w.insert_group(&acme())
    });
    assert!(failed.is_err());
    assert_eq!(group_numbers(&store), [0; 0]);
}

#[test]
fn a_promise_writes_nothing_until_it_is_asked_for_and_may_end_the_store_itself() {
    let (dir, store) = store();
    let entry = || LogEntry::done(&Caller::host(), None, "server.start", "", "");
    drop(store.log_promised(NOW, entry()));
    let (tell, told) = std::sync::mpsc::channel();
    let promise = store.log_promised(NOW, entry());
    // The thread that writes drops the last of the store, and must not wait for itself.
    promise.deliver(move |outcome| {
        drop(store);
        tell.send(outcome()).unwrap();
    });
    told.recv().unwrap().unwrap();
    let rows =
        |store: &Store| store.read(|r| r.log_rows(&LogQuery { limit: 9, ..LogQuery::default() })).unwrap();
    assert_eq!(rows(&Store::open(dir.path(), Mode::Lab, NOW).unwrap()).len(), 1);
}

#[test]
fn a_panic_where_an_outcome_is_told_harms_nobody_else() {
    let (_dir, store) = store();
    let entry = LogEntry::done(&Caller::host(), None, "server.start", "", "");
    store.log_promised(NOW, entry.clone()).deliver(|_| panic!("a hostile receiver"));
    store.log(NOW, entry).unwrap();
}

#[test]
fn what_has_ended_is_swept_out_a_part_at_a_time_and_nothing_else() {
    let (_dir, store) = store();
    let used = |number: u32| {
        let mut fingerprint = [0; 32];
        fingerprint[..4].copy_from_slice(&number.to_be_bytes());
        fingerprint
    };
    store
        .write(NOW, move |w| {
            for number in 0..1_100 {
                let end = if number < 1_050 { NOW } else { NOW.plus_seconds(1) };
                w.use_assertion(&used(number), end)?;
            }
            Ok(())
        })
        .unwrap();
    let later = NOW.plus_seconds(1);
    for (number, end) in [(1_u8, NOW), (2, later), (3, NOW)] {
        let session = "INSERT INTO web_sessions VALUES (?1, 7, 1, 0, 0, 0, ?2)";
        let insert = move |w: &Writer<'_>| w.execute(session, ([number], end.0));
        store.write(NOW, insert).unwrap();
    }
    let request = "INSERT INTO saml_requests VALUES (?1, 12345, ?1, x'00', '{}', 0, ?2)";
    let requests = move |w: &Writer<'_>| {
        w.insert_group(&acme())?;
        w.execute(request, ("_a", NOW.0))?;
        w.execute(request, ("_b", later.0))
    };
    store.write(NOW, requests).unwrap();
    store
        .write(NOW, move |w| {
            let user = "INSERT INTO users (id, glance_address, home_group_id, created_at, updated_at)
                            VALUES (?1, 'user.' || ?1, 12345, 0, 0)";
            for (number, end) in [(1, NOW), (2, later)] {
                w.execute(user, [number])?;
                w.put_password_link(UserId(i64::from(number)), &used(number), "host", end)?;
            }
            Ok(())
        })
        .unwrap();
    let mut sweep = Sweep::new(NOW.plus_seconds(3_600), Mode::Production);
    let mut parts = 0;
    while let Some(ended) = store.read(|r| r.next_ended(&mut sweep)).unwrap() {
        // Somebody uses a session after it was found.
        store.write(NOW, move |w| w.extend_web_session(&[3], later)).unwrap();
        store.write(NOW, move |w| w.remove_ended(&ended)).unwrap();
        parts += 1;
    }
    // Web sessions, requests, links, and three times five hundred used assertions at most.
    assert_eq!(parts, 6);
    let link = |number| store.read(|r| r.password_link(&used(number))).unwrap().is_some();
    assert_eq!((link(1), link(2)), (false, true));
    assert!(
        store
            .read(|r| r.next_ended(&mut Sweep::new(NOW.plus_seconds(3_600), Mode::Production)))
            .unwrap()
            .is_none()
    );
    assert_eq!(
        [store.read(|r| r.is_pending("_a")).unwrap(), store.read(|r| r.is_pending("_b")).unwrap()],
        [false, true]
    );
    let left = |number| store.read(|r| r.assertion_was_used(&used(number))).unwrap();
    assert_eq!((0..1_100).filter(|number| left(*number)).count(), 50);
    assert!(left(1_050));
    let sessions = |r: &Reader<'_>| {
        let first = "SELECT group_concat(hex(fingerprint)) FROM web_sessions";
        r.connection.query_row(first, [], |row| row.get::<_, String>(0)).map_err(database_fault)
    };
    assert_eq!(store.read(sessions).unwrap(), "02,03");
}

#[test]
fn whoever_signs_in_does_not_wait_for_those_who_search() {
    let (_dir, store) = store();
    let (searching, has_begun) = channel();
    let (go_on, waits): (Vec<Sender<()>>, Vec<Receiver<()>>) = (0..SEARCHERS).map(|_| channel()).unzip();
    let searches: Vec<_> = waits
        .into_iter()
        .map(|wait| {
            let (store, searching) = (store.clone(), searching.clone());
            std::thread::spawn(move || {
                let search = |_: &Reader<'_>| {
                    searching.send(()).unwrap();
                    wait.recv().unwrap();
                    Ok(())
                };
                store.search(&Asker::of(&Caller::host(), None), search)
            })
        })
        .collect();
    (0..SEARCHERS).for_each(|_| has_begun.recv().unwrap());
    assert!(!store.read(|r| r.is_pending("_a")).unwrap());
    go_on.iter().for_each(|search| search.send(()).unwrap());
    searches.into_iter().for_each(|search| search.join().unwrap().unwrap());
}

#[test]
fn of_one_browser_few_requests_wait_the_newest() {
    let (_dir, store) = store();
    store.write(NOW, |w| w.insert_group(&acme())).unwrap();
    let begin = |number: i64, browser: u8| {
        let request = PendingRequest {
            id: format!("_{browser}-{number}"),
            group: acme().id,
            relay_state: format!("{browser}-{number}"),
            browser: [browser; 32],
            target: "{}".into(),
            expires_at: NOW.plus_seconds(900),
        };
        store.write(NOW.plus_seconds(number), move |w| w.insert_pending_request(&request)).unwrap();
    };
    begin(0, 2);
    (0..40).for_each(|number| begin(number, 1));
    let waiting = |browser: u8| {
        let found = store.read(|r| r.pending_requests(acme().id, &[browser; 32], NOW)).unwrap();
        let mut ids: Vec<String> = found.into_iter().map(|request| request.id).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(waiting(1), (24..40).map(|number| format!("_1-{number}")).collect::<Vec<_>>());
    assert_eq!(waiting(2), ["_2-0"]);
}

/// Runs `task` on a thread that has a duty, and passes on each word that the thread is relieved of it.
fn on_duty(task: impl FnOnce() + Send + 'static) -> Receiver<()> {
    let (relieved, was_relieved) = channel();
    std::thread::spawn(move || {
        crate::duty::begin(move || relieved.send(()).unwrap());
        task();
    });
    was_relieved
}

/// After this long without a word a test has failed; no test waits for it to pass.
pub(super) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

#[test]
fn whoever_waits_for_a_reader_is_relieved_first() {
    let (_dir, store) = store();
    let (entered, has_entered) = channel();
    let releases: Vec<Sender<()>> = (0..4)
        .map(|_| {
            let (store, entered, (release, go_on)) = (store.clone(), entered.clone(), channel());
            std::thread::spawn(move || {
                store.read(|_| {
                    entered.send(()).unwrap();
                    go_on.recv_timeout(PATIENCE).unwrap();
                    Ok(())
                })
            });
            release
        })
        .collect();
    for _ in &releases {
        has_entered.recv_timeout(PATIENCE).unwrap();
    }
    let (done, was_done) = channel();
    let was_relieved = on_duty(move || done.send(store.read(|r| r.ping())).unwrap());
    was_relieved.recv_timeout(PATIENCE).unwrap();
    releases.iter().for_each(|release| release.send(()).unwrap());
    was_done.recv_timeout(PATIENCE).unwrap().unwrap();
}

#[test]
fn whoever_waits_for_a_place_in_the_writers_queue_is_relieved_first() {
    let (_dir, store) = store();
    let ((entered, has_entered), (release, go_on)) = (channel(), channel());
    let hold = store.write_promised(NOW, move |_| {
        entered.send(()).unwrap();
        go_on.recv_timeout(PATIENCE).unwrap();
        Ok(())
    });
    hold.deliver(|_| ());
    has_entered.recv_timeout(PATIENCE).unwrap();
    let entry = || LogEntry::done(&Caller::host(), None, "server.start", "", "");
    // More than the queue has places for: the last ones wait.
    let was_relieved = on_duty(move || {
        (0..1_100).for_each(|_| store.log_promised(NOW, entry()).deliver(|_| ()));
    });
    was_relieved.recv_timeout(PATIENCE).unwrap();
    release.send(()).unwrap();
}

#[test]
fn the_access_log_cannot_be_changed_or_cut() {
    let (dir, store) = store();
    store.log(NOW, LogEntry::done(&Caller::host(), None, "server.start", "", "")).unwrap();
    let connection = Connection::open(dir.path().join(DATABASE_FILE)).unwrap();
    for sql in ["DELETE FROM access_log", "UPDATE access_log SET actor = 'x'"] {
        let refused = connection.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{refused}");
    }
}

#[test]
fn the_log_is_searched_by_group_time_and_text() {
    let (_dir, store) = store();
    for (at, group, subject) in [(1, 7, "ann"), (2, 7, "bob_1"), (3, 8, "Bob"), (4, 7, "100%")] {
        let entry = LogEntry::done(&Caller::host(), Some(GroupId(group)), "user.create", subject, "");
        store.log(Timestamp(at), entry).unwrap();
    }
    let find = |query: LogQuery| -> Vec<String> {
        let rows = store.read(|r| r.log_rows(&LogQuery { limit: 10, ..query })).unwrap();
        rows.into_iter().map(|row| row.subject).collect()
    };
    assert_eq!(find(LogQuery::default()), ["100%", "Bob", "bob_1", "ann"]);
    assert_eq!(find(LogQuery { group: Some(GroupId(7)), ..LogQuery::default() }), ["100%", "bob_1", "ann"]);
    assert_eq!(find(LogQuery { search: "bob".into(), ..LogQuery::default() }), ["Bob", "bob_1"]);
    assert_eq!(find(LogQuery { search: "0%".into(), ..LogQuery::default() }), ["100%"]);
    assert_eq!(find(LogQuery { search: "b_1".into(), ..LogQuery::default() }), ["bob_1"]);
    assert_eq!(find(LogQuery { search: "Create BOB host".into(), ..LogQuery::default() }), ["Bob", "bob_1"]);
    assert_eq!(find(LogQuery { search: "bob nobody".into(), ..LogQuery::default() }), [""; 0]);
    assert_eq!(find(LogQuery { search: "\0".into(), ..LogQuery::default() }), [""; 0]);
    let entry = LogEntry::done(&Caller::host(), None, "role.create", "Außendienst ÖST", "");
    store.log(Timestamp(4), entry).unwrap();
    assert_eq!(
        find(LogQuery { search: "öst AUSSENDIENST".into(), ..LogQuery::default() }),
        ["Außendienst ÖST"]
    );
    let between = LogQuery { from: Some(Timestamp(2)), until: Some(Timestamp(4)), ..LogQuery::default() };
    assert_eq!(find(between), ["Bob", "bob_1"]);
    let refused = LogEntry::refused(&Caller::host(), None, "sign-in.login-key", "eve", "expired", "");
    store.log(Timestamp(5), refused).unwrap();
    assert_eq!(find(LogQuery { refused: Some(true), ..LogQuery::default() }), ["eve"]);
    let accepted = LogQuery { refused: Some(false), search: "b".into(), ..LogQuery::default() };
    assert_eq!(find(accepted), ["Bob", "bob_1"]);
}
