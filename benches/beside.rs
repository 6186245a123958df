//! Sign-ins beside backups, imports, exports, searches, pages of the access log and deletions.
//!
//! Run with `cargo bench --bench beside`. The server is the real binary on plain HTTP. Four clients sign in by login key
//! at fixed times, each answered after its durable row; how long a sign-in takes counts from the time at which it was
//! due, so that one that is late does not hide those behind it. First nothing else happens, then each work in turn. What
//! counts is the ratio of each p99 to that of the idle server in the same run (mark: 2), and the slowest (mark: 250 ms).
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../tests/console/browser.rs"]
mod browser;
#[path = "../tests/common/mod.rs"]
mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use browser::Browser;
use common::Server;
use rusqlite::Connection;
use sidelight::clock::Clock;
use sidelight::model::GroupId;
use sidelight::protocol::login_key::{SigningKey, make};

/// Clients that sign in, and how often each does.
const CLIENTS: u32 = 4;
const EVERY: Duration = Duration::from_millis(20);
/// How long the idle server is measured, and what has no end of its own.
const PHASE: Duration = Duration::from_secs(15);
/// Rows of the import, and users of the group that is deleted.
const ROWS: u32 = 100_000;
/// Users of the group that is listed, exported and searched.
const PEOPLE: u32 = 200_000;
/// Rows of the access log that are there.
const LOGGED: u32 = 300_000;
/// Requests of one kind at once.
const CROWD: usize = 32;
/// Who ask: each has a session.
const SESSIONS: usize = 4;

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let server = Server::start_on(&data, &["--lab", "--plain-http"]);
    let operator = browser::claimed(&server);
    server.heard_by_nobody();
    operator.submit("/console/groups/new", &[("id", "9"), ("name", "Leaving")]);
    fill(&data);
    let sign_ins = SignIns::to(&server);
    // Until the log is short again.
    sign_ins.measured(PHASE / 3, || false);
    println!("{} sign-ins a second, {PEOPLE} people", CLIENTS * 1_000 / EVERY.as_millis() as u32);
    println!("{:<44} {:>8} {:>8} {:>8} {:>8}   p99 to idle's", "", "number", "p50 ms", "p99 ms", "slowest");
    let idle = sign_ins.measured(PHASE, || false);
    idle.print("idle", &idle);
    let backups = directory.path().join("backups");
    let backup = sign_ins.beside(|| {
        assert!(server.command(&["backup", "--to", backups.to_str().unwrap()]).status.success());
    });
    backup.print("a backup that is restored and checked", &idle);
    let bytes = |path: &Path| path.metadata().map_or(0, |file| file.len());
    println!("{:<44} {} MiB of database", "", bytes(&data.join("sidelight.db")) >> 20);
    let import = sign_ins.beside(|| import(&operator));
    import.print("an import of 100,000 rows", &idle);
    let sessions: Vec<Browser<'_>> = (0..SESSIONS).map(|number| administrator(&operator, number)).collect();
    for (name, paths) in [
        (
            "32 exports of users and log at once",
            &["/console/groups/7/users.csv", "/console/groups/7/access-log.csv"][..],
        ),
        (
            "32 searches at once",
            &[
                "/console/groups/7/users?search=first1",
                "/console/groups/7/users?search=ex",
                "/console/groups/7/users?search=ample.example",
            ],
        ),
        (
            "32 pages of the log at once",
            &[
                "/console/groups/7/access-log",
                "/console/groups/7/access-log?search=nobody",
                "/console/groups/7/access-log?search=user",
            ],
        ),
    ] {
        let (answered, busy) = (AtomicU64::new(0), AtomicU64::new(0));
        let beside = crowded(&sign_ins, &sessions, paths, &answered, &busy);
        beside.print(name, &idle);
        println!("{:<44} {} answered, {} told to come again", "", answered.into_inner(), busy.into_inner());
    }
    let deletion = sign_ins.beside(|| {
        operator.get("/console/groups/9/settings/delete");
        operator.submit("/console/groups/9/settings/delete", &[("typed_name", "Leaving")]);
        while left(&data) > 0 {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    deletion.print("the deletion of a group of 100,000 users", &idle);
    sign_ins.measured(PHASE, || false).print("idle again", &idle);
}

/// Sign-ins by login key, over connections that are kept.
struct SignIns {
    authority: String,
    request: Vec<u8>,
}

/// How long sign-ins took, in order.
struct Taken(Vec<Duration>);

impl Taken {
    fn quantile(&self, part: f64) -> f64 {
        let at = (self.0.len() as f64 * part) as usize;
        self.0[at.min(self.0.len() - 1)].as_secs_f64() * 1e3
    }

    fn print(&self, name: &str, idle: &Taken) {
        println!(
            "{name:<44} {:>8} {:>8.2} {:>8.2} {:>8.1}   {:.2}",
            self.0.len(),
            self.quantile(0.5),
            self.quantile(0.99),
            self.quantile(1.0),
            self.quantile(0.99) / idle.quantile(0.99)
        );
    }
}

impl SignIns {
    fn to(server: &Server) -> SignIns {
        let authority = server.url.trim_start_matches("http://").to_owned();
        let expiry = Clock::system().now().seconds() + 3_000;
        let (group, key) = (GroupId(12_345), SigningKey::new(browser::KEY.as_bytes()));
        let login_key = make(&key, group, "uniqueUserIdentifier", expiry).unwrap();
        let body = serde_json::json!({
            "partnerid": group.0, "partneruserid": "uniqueUserIdentifier", "loginkey": login_key,
        });
        let body = body.to_string();
        let head = format!(
            "POST /services/AuthorizationService.svc/rest/Authorize HTTP/1.1\r\nHost: {authority}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        SignIns { authority, request: [head, body].concat().into_bytes() }
    }

    /// Measures while `work` is done.
    fn beside(&self, work: impl FnOnce()) -> Taken {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let measured = scope.spawn(|| self.measured(Duration::MAX, || done.load(Ordering::Relaxed)));
            work();
            done.store(true, Ordering::Relaxed);
            measured.join().unwrap()
        })
    }

    fn measured(&self, most: Duration, ends: impl Fn() -> bool + Sync) -> Taken {
        let begun = Instant::now();
        let mut taken: Vec<Duration> = std::thread::scope(|scope| {
            let ends = &ends;
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| scope.spawn(move || self.client(begun + EVERY / CLIENTS * client, most, ends)))
                .collect();
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
        });
        taken.sort();
        Taken(taken)
    }

    fn client(&self, first: Instant, most: Duration, ends: impl Fn() -> bool) -> Vec<Duration> {
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        stream.set_nodelay(true).unwrap();
        let (mut buffer, mut taken, mut due) = (vec![0; 16 * 1024], Vec::new(), first);
        while !ends() && due.duration_since(first) < most {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            stream.write_all(&self.request).unwrap();
            answered(&mut stream, &mut buffer);
            taken.push(due.elapsed());
            due += EVERY;
        }
        taken
    }
}

/// Reads one answer, which must be a token.
fn answered(stream: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).unwrap();
        assert!(read > 0, "the server closed");
        filled += read;
        let text = String::from_utf8_lossy(&buffer[..filled]);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "{text}");
        let length = head.split("Content-Length: ").nth(1).unwrap().split("\r\n").next().unwrap();
        if body.len() >= length.trim().parse().unwrap() {
            return;
        }
    }
}

/// Signs in administrators of the large group, who ask for the paths in turn.
fn crowded(
    sign_ins: &SignIns,
    sessions: &[Browser<'_>],
    paths: &[&str],
    answered: &AtomicU64,
    busy: &AtomicU64,
) -> Taken {
    let cookies: Vec<String> = sessions
        .iter()
        .map(|session| {
            session
                .cookies
                .borrow()
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join("; ")
        })
        .collect();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for number in 0..CROWD {
            let (stop, cookie) = (&stop, &cookies[number % cookies.len()]);
            scope.spawn(move || {
                for path in paths.iter().cycle().skip(number) {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let counted = match status(&sign_ins.authority, path, cookie, stop) {
                        200 => answered,
                        503 => busy,
                        other => panic!("{path}: {other}"),
                    };
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let taken = sign_ins.measured(PHASE, || false);
        stop.store(true, Ordering::Relaxed);
        taken
    })
}

/// Gets a page, reads all of it unless it is to stop, and tells its status.
fn status(authority: &str, path: &str, cookie: &str, stop: &AtomicBool) -> u16 {
    let mut stream = TcpStream::connect(authority).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let (mut buffer, mut head) = (vec![0; 64 * 1024], Vec::new());
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) if head.len() < 12 => head.extend_from_slice(&buffer[..read]),
            Ok(_) => {}
            Err(e) => assert!(matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{path}: {e}"),
        }
    }
    // Stopped before it was answered.
    std::str::from_utf8(head.get(9..12).unwrap_or(b"503")).unwrap().parse().unwrap()
}

fn administrator<'s>(operator: &Browser<'s>, number: usize) -> Browser<'s> {
    let address = format!("admin{number}.seven");
    let fields = [
        ("address", address.as_str()),
        ("puid", address.as_str()),
        ("password", browser::PASSWORD),
        ("again", browser::PASSWORD),
        ("administrator", "yes"),
    ];
    operator.get("/console/groups/7/users/new");
    operator.submit("/console/groups/7/users/new", &fields);
    let session = Browser::new(operator.server);
    session.sign_in(&address, browser::PASSWORD);
    session
}

/// Uploads a file of new users and has it applied, until the last of them is there.
fn import(operator: &Browser<'_>) {
    const UPLOAD: &str = "/console/groups/7/users/upload";
    let rows =
        (0..ROWS).map(|n| format!("First{n},Last{n},n{n}@example.com,,new{n}.example.glance.net,,N{n}\r\n"));
    let file = "FirstName,LastName,Email,Phone,GlanceAddress,Password,PartnerUID\r\n".to_owned()
        + &rows.collect::<String>();
    operator.get(UPLOAD);
    let answer = operator.upload(UPLOAD, "keep", &file);
    assert_eq!(answer.status, 303, "{}", browser::text_of(&answer.body));
    let address = answer.header("location").unwrap().to_owned();
    operator.get(&address);
    assert_eq!(operator.post(&address, &[]).status, 303);
    loop {
        let page = operator.get(&address).body;
        if !page.contains("http-equiv=\"refresh\"") {
            assert!(page.contains("The upload is done"), "{}", browser::text_of(&page));
            return;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// People of groups 7 and 9, and rows of the access log, in portions, so that the server goes on beside it.
fn fill(data: &Path) {
    let connection = Connection::open(data.join("sidelight.db")).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    sidelight::store::register_functions(&connection).unwrap();
    let portions = |all: u32, sql: &dyn Fn(u32, u32) -> String| {
        for first in (0..all).step_by(20_000) {
            connection
                .execute_batch(&format!("BEGIN IMMEDIATE; {} COMMIT;", sql(first, (first + 20_000).min(all))))
                .unwrap();
        }
    };
    for (group, all) in [(7, PEOPLE), (9, ROWS)] {
        portions(all, &|first, end| {
            format!(
                "WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})
                 INSERT INTO users (glance_address, home_group_id, first_name, last_name, email, created_at, updated_at)
                 SELECT 'user' || i || '.g{group}.example.glance.net', {group}, 'First' || i, 'Last' || i,
                        'u' || i || '@example.com', 0, 0 FROM n;
                 INSERT INTO memberships (group_id, user_id, puid, created_at, updated_at)
                 SELECT {group}, id, 'P' || id, 0, 0 FROM users
                 WHERE home_group_id = {group} AND id NOT IN (SELECT user_id FROM memberships WHERE group_id = {group});"
            )
        });
    }
    portions(LOGGED, &|first, end| {
        format!(
            "WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {end})
             INSERT INTO access_log (at, group_id, actor, operation, subject, detail, refused)
             SELECT i, 7, 'user' || i, 'sign-in.login-key', 'user' || i, 'AgentView', 0 FROM n;"
        )
    });
}

/// Users of the group that is deleted.
fn left(data: &Path) -> i64 {
    let connection = Connection::open(data.join("sidelight.db")).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    connection.query_row("SELECT count(*) FROM memberships WHERE group_id = 9", [], |row| row.get(0)).unwrap()
}
