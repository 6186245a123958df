//! Provisioning: NewUser calls a second, durable, against bare durable commits; a page of 1,000 users out of
//! 1,000,000 against the same out of 1,000; 100,000 rows of CSV.
//!
//! Run with `cargo bench --bench provisioning`. Calls go through the route table as requests do, without
//! the network. Only the ratios of one run count.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use sidelight::clock::Clock;
use sidelight::desk::Desk;
use sidelight::desk::people::csv_upload::{ApplyOptions, Progress};
use sidelight::desk::people::users::NewUser;
use sidelight::gate::{Answer, Handler, Request};
use sidelight::http::TABLES;
use sidelight::http::router::App;
use sidelight::model::{Caller, GroupId, LogEntry};
use sidelight::protocol::login_key::{SigningKey, make};
use sidelight::secret::Secret;
use sidelight::store::{DATABASE_FILE, Mode};
use tiny_http::Method;

const GROUP: GroupId = GroupId(7);
const API_KEY: &str = "a key for measuring";
/// Commits and calls of one turn; the two sides take turns.
const CALLS: usize = 300;
const TURNS: usize = 7;
const PAGES: usize = 40;
const ROWS: usize = 100_000;

fn main() {
    let directory = tempfile::tempdir().unwrap();
    new_users(directory.path());
    pages(directory.path());
    csv(directory.path());
}

fn new_users(directory: &Path) {
    let bench = Bench::new(&directory.join("calls"), 0);
    let bare = bare_database(&directory.join("bare.db"));
    let (mut calls, mut commits, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let mut number = 0;
    for _ in 0..TURNS {
        commits.push(time(|| {
            for row in 0..CALLS {
                bare.execute("INSERT INTO t (text) VALUES (?1)", [row.to_string()]).unwrap();
            }
        }));
        rows.push(time(|| {
            for _ in 0..CALLS {
                let row = LogEntry::done(&Caller::host(), None, "bench.row", "", "");
                bench.app.desk.appliance.note(row).unwrap();
            }
        }));
        calls.push(time(|| {
            for _ in 0..CALLS {
                number += 1;
                let fields = format!("PartnerUserID=N{number}&UserAddress=n{number}.x&UserFirst=Nina");
                assert!(bench.call("NewUser", &fields).contains("<status>ok</status>"));
            }
        }));
    }
    let each = |times| median(times) / CALLS as u32;
    let (call, commit, row) = (each(calls), each(commits), each(rows));
    println!("bare durable commit            {commit:>12.1?}");
    println!("one row of the access log      {row:>12.1?}");
    println!("NewUser, durable               {call:>12.1?}");
    println!("commits / NewUser              {:12.2}   (mark: 0.5)", ratio(commit, call));
}

fn pages(directory: &Path) {
    let small = Bench::new(&directory.join("small"), 1_000);
    let large = Bench::new(&directory.join("large"), 1_000_000);
    let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
    for _ in 0..PAGES {
        of_small.push(time(|| assert!(small.call("ShowUsers", "PageCount=1000").len() > 100_000)));
        of_large.push(time(|| assert!(large.call("ShowUsers", "PageCount=1000").len() > 100_000)));
    }
    let (of_small, of_large) = (median(of_small), median(of_large));
    println!("page of 1,000 out of 1,000     {of_small:>12.1?}");
    println!("page of 1,000 out of 1,000,000 {of_large:>12.1?}");
    println!("large / small                  {:12.2}   (mark: 1.3)", ratio(of_large, of_small));
}

fn csv(directory: &Path) {
    let bench = Bench::new(&directory.join("csv"), 0);
    let mut file = String::from("FirstName,LastName,Email,Phone,GlanceAddress,Password,PartnerUID\n");
    for row in 0..ROWS {
        file.push_str(&format!(
            "First{row},Last{row},u{row}@example.com,,c{row}.example.glance.net,,C{row}\n"
        ));
    }
    let taken = time(|| {
        let done = bench.app.desk.people.apply_csv(
            &Caller::host(),
            GROUP,
            &ApplyOptions::default(),
            file.as_bytes(),
            &Progress::default(),
        );
        assert!(done.unwrap().applied);
    });
    println!("100,000 rows of CSV            {taken:>12.1?}   (mark: 20 s)");
    println!("most memory of this process    {:9.1} MiB", most_memory_kib() as f64 / 1024.0);
}

struct Bench {
    app: App,
    login_key: String,
}

impl Bench {
    /// A group with an administrator and so many users besides.
    fn new(data: &Path, users: usize) -> Bench {
        std::fs::create_dir(data).unwrap();
        let open = || Desk::open(data, Mode::Production, Clock::system()).unwrap();
        let desk = open();
        let host = Caller::host();
        desk.people.create_group(&host, GROUP, "Measured", None).unwrap();
        desk.sign_in.change_api_key(&host, GROUP, Some(Secret::new(API_KEY))).unwrap();
        let admin = NewUser {
            address: "admin.x".into(),
            puid: Some("admin".into()),
            administrator: true,
            ..NewUser::default()
        };
        desk.people.create_user(&host, GROUP, admin).unwrap();
        drop(desk);
        if users > 0 {
            fill(&data.join(DATABASE_FILE), users);
        }
        let desk = open();
        let expiry = desk.clock().now().seconds() + 7_200;
        let login_key = make(&SigningKey::new(API_KEY.as_bytes()), GROUP, "admin", expiry).unwrap();
        Bench { app: App::new(Arc::new(desk), None, TABLES), login_key }
    }

    fn call(&self, page: &str, fields: &str) -> String {
        let body = format!("PartnerLogin=admin.x&PartnerAuth={}&{fields}", self.login_key);
        let request = Request {
            method: Method::Post,
            path: format!("/PAPI/{page}.asp"),
            query: String::new(),
            headers: Vec::new(),
            body: body.into_bytes(),
            peer: [127, 0, 0, 1].into(),
            secure: true,
            host: "localhost".into(),
        };
        let mut text = String::new();
        let Answer::Now(response) = self.app.handle(&request) else { panic!("the answer comes later") };
        std::io::Read::read_to_string(&mut response.into_reader(), &mut text).unwrap();
        text
    }
}

/// Makes users in one statement each table; a million calls would take the bench's day.
fn fill(database: &Path, users: usize) {
    let connection = Connection::open(database).unwrap();
    sidelight::store::register_functions(&connection).unwrap();
    connection
        .execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {users})
             INSERT INTO users (glance_address, home_group_id, first_name, last_name, email, created_at, updated_at)
             SELECT 'user' || i || '.example.glance.net', {GROUP}, 'First' || i, 'Last' || i,
                    'u' || i || '@example.com', 0, 0 FROM n;
             INSERT INTO memberships (group_id, user_id, puid, created_at, updated_at)
             SELECT {GROUP}, id, 'P' || id, 0, 0 FROM users WHERE glance_address <> 'admin.x';
             COMMIT;"
        ))
        .unwrap();
}

/// A database with the store's settings and one small table.
fn bare_database(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             PRAGMA wal_autocheckpoint = 4000; CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT) STRICT;",
        )
        .unwrap();
    connection
}

fn time(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ratio(numerator: Duration, denominator: Duration) -> f64 {
    numerator.as_secs_f64() / denominator.as_secs_f64()
}

fn most_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
