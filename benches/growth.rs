//! How sign-ins by login key fare as a house grows, and as it changes: 1,000 users against 1,000,000 with as many rows of
//! the access log, few different people signing in against 100,000, and with one change of a person a second.
//!
//! Run with `cargo bench --bench growth`. `SIDELIGHT_BENCH_BINARIES`, paths with `:` between them, measures several binaries in
//! turns: what a change of the program gives back shows in the ratio to the first.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "load/mod.rs"]
mod load;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use load::{Server, authorize, fill, median};
use sidelight::clock::Clock;
use sidelight::model::GroupId;
use sidelight::store::DATABASE_FILE;

const TURNS: usize = 5;
/// The group and API key of the demo.
const GROUP: GroupId = GroupId(12345);
const API_KEY: &str = "mySecretApiKey";

struct Case {
    name: &'static str,
    users: i64,
    log_rows: i64,
    /// How many of the users sign in.
    different: i64,
    /// Whether a person is changed each second meanwhile.
    changing: bool,
}

const CASES: [Case; 4] = [
    Case { name: "1,000 users, all sign in", users: 1_000, log_rows: 0, different: 1_000, changing: false },
    Case {
        name: "10,000 users, all sign in, one change a second",
        users: 10_000,
        log_rows: 0,
        different: 10_000,
        changing: true,
    },
    Case {
        name: "1,000,000 users and log rows, 1,000 sign in",
        users: 1_000_000,
        log_rows: 1_000_000,
        different: 1_000,
        changing: false,
    },
    Case {
        name: "1,000,000 users and log rows, 100,000 sign in",
        users: 1_000_000,
        log_rows: 1_000_000,
        different: 100_000,
        changing: false,
    },
];

fn main() {
    let named = std::env::var("SIDELIGHT_BENCH_BINARIES").ok();
    let own = env!("CARGO_BIN_EXE_sidelight");
    let binaries: Vec<&str> = named.as_deref().map_or(vec![own], |named| named.split(':').collect());
    for plain in [true, false] {
        println!("{}", if plain { "plain HTTP" } else { "TLS" });
        let mut first = None;
        for case in &CASES {
            let rates = rates(case, &binaries, plain);
            let reference = *first.get_or_insert(rates[0]);
            for (binary, rate) in binaries.iter().zip(&rates) {
                println!(
                    "  {:<46} {:>7.0}/s {:>8.0} a processor second  {:.2} of the first case  {:.2} of the first binary  {}",
                    case.name,
                    rate.0,
                    rate.1,
                    rate.1 / reference.1,
                    rate.1 / rates[0].1,
                    if binaries.len() > 1 { binary } else { "" }
                );
            }
        }
    }
}

/// Sign-ins a second by each binary, and in a second of processor time of the server: the medians of turns that they take
/// one after the other.
fn rates(case: &Case, binaries: &[&str], plain: bool) -> Vec<(f64, f64)> {
    let directories: Vec<_> = binaries.iter().map(|_| tempfile::tempdir().unwrap()).collect();
    let servers: Vec<Server> = binaries
        .iter()
        .zip(&directories)
        .map(|(binary, directory)| {
            let data = directory.path().join("data");
            let server = Server::start(binary, &data, plain);
            fill(&data, GROUP, case.users);
            add_log_rows(&data, case.log_rows);
            server
        })
        .collect();
    let expiry = Clock::system().now().seconds() + 7200;
    // Spread over all users, so that no page is always the same.
    let requests: Vec<String> = (0..case.different)
        .map(|n| authorize(GROUP, &format!("user{:07}", (n * 7919) % case.users), API_KEY, expiry))
        .collect();
    let mut figures = vec![Vec::new(); binaries.len()];
    for _ in 0..TURNS {
        for ((server, directory), figures) in servers.iter().zip(&directories).zip(&mut figures) {
            let stop = AtomicBool::new(false);
            std::thread::scope(|scope| {
                if case.changing {
                    scope.spawn(|| change_people(&directory.path().join("data"), &stop));
                }
                figures.push(server.rates(&requests));
                stop.store(true, Ordering::Relaxed);
            });
        }
    }
    let medians = |figures: Vec<(f64, f64)>| {
        let (rates, of_core): (Vec<f64>, Vec<f64>) = figures.into_iter().unzip();
        (median(rates), median(of_core))
    };
    figures.into_iter().map(medians).collect()
}

fn add_log_rows(data: &Path, count: i64) {
    let connection = rusqlite::Connection::open(data.join(DATABASE_FILE)).unwrap();
    connection.busy_timeout(Duration::from_secs(60)).unwrap();
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         INSERT INTO access_log (at, group_id, ip, actor, operation, subject, detail, refused)
             SELECT i, {GROUP}, '192.0.2.1', 'user', 'sign-in.login-key', 'user', 'bench', 0 FROM n
             WHERE {count} > 0"
    );
    connection.execute_batch(&sql).unwrap();
}

/// Changes a name each second, as another process does.
fn change_people(data: &Path, stop: &AtomicBool) {
    let connection = rusqlite::Connection::open(data.join(DATABASE_FILE)).unwrap();
    connection.busy_timeout(Duration::from_secs(5)).unwrap();
    sidelight::store::register_functions(&connection).unwrap();
    let mut changes = 0;
    while !stop.load(Ordering::Relaxed) {
        let sql = "UPDATE users SET first_name = ?1 WHERE glance_address = 'user0000007.acme.glance.net'";
        connection.execute(sql, [format!("Ann {changes}")]).unwrap();
        changes += 1;
        // In steps, so that the end is noticed.
        for _ in 0..20 {
            if !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}
