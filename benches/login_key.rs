//! What a login key costs: checked in process with its look-up, and as a sign-in over the network.
//!
//! Run with `cargo bench --bench login_key`. Three figures, each against its mark:
//! - checks a second on one core, the look-up in SQLite included: 150,000;
//! - the look-up among 1,000,000 users against that among 1,000: at most 1.3 times as slow;
//! - Authorize over 64 keep-alive connections, its row durable before the reply, against a route of the same
//!   server that answers a constant: at least 0.5, plain and over TLS.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "load/mod.rs"]
mod load;

use std::hint::black_box;
use std::time::Duration;

use load::{CONNECTIONS, Server, TURN, authorize, fill, median};
use sidelight::clock::Clock;
use sidelight::desk::Desk;
use sidelight::desk::sign_in::Attempt;
use sidelight::model::Mode;
use sidelight::model::{Caller, GroupId};
use sidelight::protocol::credential::{Credential, Subject};
use sidelight::protocol::login_key::{SigningKey, make};
use sidelight::secret::Secret;

const BINARY: &str = env!("CARGO_BIN_EXE_sidelight");
const API_KEY: &str = "mySecretApiKey";
const GROUP: GroupId = GroupId(777);
/// Turns of each side, of which the median counts.
const TURNS: usize = 7;

fn main() {
    let few = House::with_users(1_000);
    let many = House::with_users(1_000_000);
    println!("look-up among 1,000,000 against 1,000 users, checks a second on one core (mark: 150,000)");
    let (mut of_few, mut of_many): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        of_few.push(few.checks_a_second());
        of_many.push(many.checks_a_second());
    }
    let (of_few, of_many) = (median(of_few), median(of_many));
    println!("  1,000 users      {of_few:>10.0} checks/s   {:.2} of the mark", of_few / 150_000.0);
    println!(
        "  1,000,000 users  {of_many:>10.0} checks/s   {:.2} times as slow (mark: 1.3)",
        of_few / of_many
    );
    drop((few, many));
    for plain in [true, false] {
        sign_ins_over_the_network(plain);
    }
}

struct House {
    _directory: tempfile::TempDir,
    desk: Desk,
    attempts: Vec<Credential>,
}

impl House {
    fn with_users(count: i64) -> House {
        let directory = tempfile::tempdir().unwrap();
        let desk = Desk::open(directory.path(), Mode::Lab, Clock::system()).unwrap();
        desk.people.create_group(&Caller::host(), GROUP, "Acme", None).unwrap();
        desk.sign_in.change_api_key(&Caller::host(), GROUP, Some(Secret::new(API_KEY))).unwrap();
        fill(directory.path(), GROUP, count);
        let expiry = desk.clock().now().seconds() + 3600;
        let key = SigningKey::new(API_KEY.as_bytes());
        // Spread over all users, so that no page is always the same.
        let attempts = (0..1_000)
            .map(|n| {
                let puid = format!("user{:07}", (n * 7919) % count);
                let text = make(&key, GROUP, &puid, expiry).unwrap();
                let subject = Subject::Partner { group: GROUP, puid, other_readings: Vec::new() };
                Credential::LoginKey { subject, key: text.into() }
            })
            .collect();
        House { _directory: directory, desk, attempts }
    }

    fn checks_a_second(&self) -> f64 {
        let caller = Caller::anonymous("192.0.2.1".parse().unwrap());
        let (begun, mut done) = (on_core(), 0u32);
        while on_core() - begun < TURN / 3 {
            for credential in &self.attempts {
                let attempt = Attempt { caller: &caller, credential, group: None, surface: "bench" };
                black_box(self.desk.sign_in.identify(black_box(&attempt)).unwrap());
            }
            done += self.attempts.len() as u32;
        }
        f64::from(done) / (on_core() - begun).as_secs_f64()
    }
}

/// How long this thread has had a core: other programs must not count.
fn on_core() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

fn sign_ins_over_the_network(plain: bool) {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::start(BINARY, &directory.path().join("data"), plain);
    let expiry = Clock::system().now().seconds() + 7200;
    let authorize = [authorize(GroupId(12345), "uniqueUserIdentifier", API_KEY, expiry)];
    let constant = ["GET /agentjoin/message.js HTTP/1.1\r\nHost: localhost\r\n\r\n".to_owned()];
    let (mut of_constant, mut of_authorize): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        of_constant.push(server.requests_a_second(&constant));
        of_authorize.push(server.requests_a_second(&authorize));
    }
    let (of_constant, of_authorize) = (median(of_constant), median(of_authorize));
    println!("{} over {CONNECTIONS} keep-alive connections", if plain { "plain HTTP" } else { "TLS" });
    println!("  constant route   {of_constant:>10.0} requests/s");
    println!(
        "  Authorize        {of_authorize:>10.0} sign-ins/s   {:.2} of the constant route (mark: 0.5)",
        of_authorize / of_constant
    );
}
