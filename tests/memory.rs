//! What strangers can make the real binary keep in memory: floods, and the resident set that they leave.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::Server;

const MIB: u64 = 1024 * 1024;

/// Resident memory of the server, in bytes.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

#[test]
fn a_flood_of_wrong_passwords_takes_the_memory_of_those_hashed_at_once_and_no_more() {
    let server = Server::lab();
    let cores = std::thread::available_parallelism().map_or(2, usize::from) as u64;
    let before = resident(&server);
    std::thread::scope(|scope| {
        for n in 0..32 {
            let server = &server;
            scope.spawn(move || {
                for _ in 0..3 {
                    let body = format!(r#"{{"username":"nobody{n}@example.com","password":"wrong"}}"#);
                    let answer = server.post_json("/services/AuthorizationService.svc/rest/Authorize", &body);
                    assert_ne!(answer.status, 200);
                }
            });
        }
    });
    let grown = resident(&server) - before;
    // The threads and their arenas have their share.
    let most = cores * 20 * MIB + 16 * MIB;
    assert!(grown < most, "{} MiB more, expected less than {}", grown / MIB, most / MIB);
}
