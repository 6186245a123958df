//! Searching among 1,000,000 people: a page of 50 and the count to 1,000, as the console asks; an import of 100,000
//! and their deletion, with what the index costs them.
//!
//! Run with `cargo bench --bench search`. The mark is 50 ms for words of three letters and more; of one run, the
//! ratios to a page without a search count on a busy machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use sidelight::model::queries::MemberQuery;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sidelight::clock::Clock;
use sidelight::desk::Desk;
use sidelight::model::lists::{Count, MemberColumn, MemberOrder};
use sidelight::model::{Caller, GroupId};
use sidelight::store::{DATABASE_FILE, Mode, register_functions};

const PEOPLE: u32 = 1_000_000;
/// Has nearly all people; every thousandth is in the other group.
const LARGE: GroupId = GroupId(7);
const SMALL: GroupId = GroupId(8);
const RUNS: usize = 15;
/// The console counts so far.
const COUNTED_MOST: u32 = 1_000;

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let open = || Desk::open(directory.path(), Mode::Production, Clock::system()).unwrap();
    let desk = open();
    for (group, name) in [(LARGE, "Large"), (SMALL, "Small")] {
        desk.people.create_group(&Caller::host(), group, name, None).unwrap();
    }
    drop(desk);
    let database = directory.path().join(DATABASE_FILE);
    fill(&database);
    let desk = open();
    let plain = search(&desk, LARGE, "");
    println!("a page without a search                 {:>10.1?}", plain.0);
    for (group, words) in [
        (LARGE, "schneidermann"),
        (LARGE, "müller ann"),
        (LARGE, "ANN MÜLLER"),
        (LARGE, "ann"),
        (LARGE, "example"),
        (LARGE, "777777"),
        (LARGE, "nobodyhasthis"),
        (LARGE, "ample.example"),
        (LARGE, "com.example"),
        (LARGE, "ex"),
        (LARGE, "xy"),
        (LARGE, "z"),
        (SMALL, "example"),
        (SMALL, "müller ann"),
        (SMALL, "ample.example"),
    ] {
        let (taken, count) = search(&desk, group, words);
        let people = if group == LARGE { "large" } else { "small" };
        println!(
            "{words:<22} {people}   {count:>6} {taken:>10.1?}   {:8.1} times a plain page",
            taken.as_secs_f64() / plain.0.as_secs_f64()
        );
    }
    drop(desk);
    writes(&database);
}

/// The median of a page and its count, and the count.
fn search(desk: &Desk, group: GroupId, words: &str) -> (Duration, String) {
    let order = Some(MemberOrder { by: MemberColumn::Address, descending: false });
    let query = MemberQuery { search: words.into(), order, limit: 50, ..MemberQuery::default() };
    let mut count = String::new();
    let mut taken: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            let page = desk.people.members(&Caller::host(), group, &query).unwrap();
            count = match words {
                "" => String::new(),
                _ => {
                    match desk.people.count_members_to(&Caller::host(), group, &query, COUNTED_MOST).unwrap()
                    {
                        Count::Exactly(count) => count.to_string(),
                        Count::MoreThan(count) => format!("{count}+"),
                    }
                }
            };
            assert!(page.members.len() <= 50);
            begun.elapsed()
        })
        .collect();
    taken.sort();
    (taken[RUNS / 2], count)
}

fn connect(database: &Path) -> Connection {
    let connection = Connection::open(database).unwrap();
    register_functions(&connection).unwrap();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -8192;",
        )
        .unwrap();
    connection
}

/// People with usual names, in portions as an import writes them.
fn fill(database: &Path) {
    let connection = connect(database);
    let begun = Instant::now();
    for first in (0..PEOPLE).step_by(100_000) {
        insert(&connection, first, first + 100_000);
    }
    let each = begun.elapsed() / PEOPLE;
    let of_index = number(&connection, "SELECT sum(length(block)) FROM user_trigrams_data") >> 20;
    let of_words =
        number(&connection, "SELECT sum(octet_length(person) + octet_length(puids)) FROM user_words") >> 20;
    println!("{PEOPLE} people, each                   {each:>10.1?}");
    println!(
        "index {of_index} MiB, words {of_words} MiB, whole database {} MiB",
        std::fs::metadata(database).unwrap().len() >> 20
    );
}

fn insert(connection: &Connection, first: u32, end: u32) {
    let list = |names: &str| format!("json('[\"{}\"]')", names.replace(' ', "\",\""));
    let firsts = list(
        "Ann Bob Carla Dieter Emil Fatima Günther Hannah Ivan Jörg Karl Lena Maria Nils Olga Peter Quinn",
    );
    let lasts =
        list("Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Lee Smith Johnson");
    let ends = list("e er mann son ova ez");
    connection
        .execute_batch(&format!(
            "BEGIN IMMEDIATE;
             WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})
             INSERT INTO users (id, glance_address, home_group_id, first_name, last_name, email, created_at, updated_at)
             SELECT i + 1, 'user' || i || '.acme.example.glance.net', 7, {firsts} ->> (i * 7919 % 17),
                    ({lasts} ->> (i * 104729 % 13)) || ({ends} ->> (i * 1299709 % 6)), 'u' || i || '@example.com', 0, 0
             FROM n;
             INSERT INTO memberships (group_id, user_id, puid, created_at, updated_at)
             SELECT CASE (id % 1000) WHEN 0 THEN 8 ELSE 7 END, id, 'P' || id, 0, 0 FROM users WHERE id > {first} AND id <= {end};
             COMMIT;"
        ))
        .unwrap();
}

fn writes(database: &Path) {
    let connection = connect(database);
    let delete = || {
        let begun = Instant::now();
        connection.execute_batch("BEGIN IMMEDIATE; DELETE FROM users WHERE id <= 100000; COMMIT;").unwrap();
        begun.elapsed()
    };
    let import = || {
        let begun = Instant::now();
        insert(&connection, 0, 100_000);
        begun.elapsed()
    };
    let one = || {
        let begun = Instant::now();
        for id in 500_000..500_200 {
            connection.execute("UPDATE users SET last_name = last_name || 'x' WHERE id = ?1", [id]).unwrap();
        }
        begun.elapsed() / 200
    };
    println!(
        "with the index: 100,000 deleted {:.1?}, imported {:.1?}, one renamed {:.2?}",
        delete(),
        import(),
        one()
    );
    for trigger in ["new_words", "changed_words", "deleted_words"] {
        connection.execute_batch(&format!("DROP TRIGGER user_trigrams_of_{trigger}")).unwrap();
    }
    println!(
        "without:        100,000 deleted {:.1?}, imported {:.1?}, one renamed {:.2?}",
        delete(),
        import(),
        one()
    );
}

fn number(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}
